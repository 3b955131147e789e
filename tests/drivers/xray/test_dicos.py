"""DICOS files: real ones, our own in every syntax, and those that are not what they should be."""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate

from drivers.xray.dicos import image, report, uids
from drivers.xray.dicos.dataset import encode, parse
from edge_agent.processing.xray.scan import Channel, Scan, ScanError
from tests.drivers.xray.scans import CHANNELS, DATA, pair, scan

WRITTEN = (uids.EXPLICIT, uids.IMPLICIT, uids.JPEG_LOSSLESS_SV1, uids.RLE)
REAL = {"dx_LittleEndianImplicit.dcs": 3, "dx_LosslessJPEG.dcs": 2, "dx_LosslessRLE.dcs": 2}
real = pytest.mark.skipif(not DATA.exists(), reason="the real files are not here")


def code(data: bytes) -> str:
    with pytest.raises(ScanError) as caught:
        image.read(data)
    return caught.value.code


@real
def test_the_real_files_hold_the_same_pixels_in_every_syntax_and_their_invalid_uids_are_remarked() -> None:
    scans = {name: image.read((DATA / name).read_bytes()) for name in REAL}
    first, *others = (found.single for found in scans.values())
    assert first is not None
    assert first.shape == (1024, 2048)
    assert all(np.array_equal(first, other) for other in others)
    for name, found in scans.items():
        assert found.metadata["OOIType"] == "CARGO"
        assert found.metadata["DICOSCoordinateSystem"] == "LHS"
        assert found.remarks[0].startswith("Not valid by DICOM's rules, but read")
        assert found.remarks[0].count("UID") == REAL[name]


@pytest.mark.parametrize("syntax", WRITTEN)
@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_written_is_read_back_equal(syntax: str, channel: Channel) -> None:
    low, high = pair()
    written = Scan(low=low, high=high, pitch_mm=(0.8, 1.25), dark={channel: 1000.0}, metadata={"KVP": "160"})
    found = image.read(image.write(written, channel, syntax=syntax, study="1.2.3"))
    assert np.array_equal(getattr(found, channel.value), getattr(written, channel.value))
    assert found.pitch_mm == (0.8, 1.25)
    assert found.dark == {channel: 1000.0}
    assert found.metadata["KVP"] == "160"
    assert found.metadata["StudyInstanceUID"] == "1.2.3"
    assert found.remarks == ()


@pytest.mark.parametrize("kind", ["HIGH ENERGY", "HIGH_ENERGY"])
def test_the_energy_is_known_with_a_space_and_with_an_underscore(kind: str) -> None:
    dataset = parse(image.write(scan(), Channel.HIGH))
    dataset.ImageType = ["ORIGINAL", kind]
    assert image.channel_of(dataset) is Channel.HIGH


@pytest.mark.parametrize("syntax", WRITTEN)
@pytest.mark.parametrize("share", [0.0005, 0.05, 0.5, 0.99])
def test_a_cut_file_is_said_to_be_unfinished(syntax: str, share: float) -> None:
    data = image.write(scan(), Channel.LOW, syntax=syntax)
    with pytest.raises(ScanError) as caught:
        image.read(data[: int(len(data) * share)])
    assert caught.value.unfinished


def changed(**values: object) -> bytes:
    dataset = parse(image.write(scan(), Channel.HIGH))
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return encode(dataset)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"Rows": 60_000, "Columns": 60_000}, "too-large"),
        ({"Rows": 0}, "bad-header"),
        ({"Rows": 5_000, "Columns": 5_000}, "truncated-dicos"),
        ({"BitsAllocated": 32, "BitsStored": 32}, "unsupported-dicos"),
        ({"SamplesPerPixel": 3}, "unsupported-dicos"),
        ({"NumberOfFrames": 2}, "unsupported-dicos"),
        ({"BitsStored": 12}, "damaged-dicos"),
        ({"ImageType": ["ORIGINAL", "Z_EFFECTIVE"]}, "derived-image"),
        ({"SOPClassUID": uids.CT}, "unsupported-dicos"),
    ],
)
def test_headers_that_cannot_be_are_refused(values: dict[str, object], expected: str) -> None:
    assert code(changed(**values)) == expected


def test_a_transfer_syntax_without_a_decoder_is_refused_in_words() -> None:
    data = image.write(scan(), Channel.HIGH).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0", 1)
    assert code(data) == "unsupported-syntax"


def test_a_picture_inside_that_is_larger_than_its_header_says_is_not_decoded() -> None:
    dataset = parse(image.write(scan(), Channel.HIGH, syntax=uids.JPEG_LOSSLESS_SV1))
    dataset.Rows = 80
    assert code(encode(dataset)) == "damaged-dicos"


def test_runs_that_unpack_to_more_than_the_header_says_are_not_unpacked() -> None:
    dataset = parse(image.write(scan(), Channel.HIGH, syntax=uids.RLE))
    bomb = (2).to_bytes(4, "little") + (64).to_bytes(4, "little") + (500_064).to_bytes(4, "little") + bytes(52)
    dataset.PixelData = encapsulate([bomb + b"\x81\0" * 500_000])
    dataset["PixelData"].VR = "OB"
    started = time.perf_counter()
    assert code(encode(dataset)) == "truncated-dicos"
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("element", [b"\x09\0\x01\0" + bytes(4), b"\xfe\xff\x00\xe0" + bytes(4)])
def test_a_file_of_nothing_but_elements_is_refused_at_once(element: bytes) -> None:
    head = image.write(scan(), Channel.HIGH, syntax=uids.IMPLICIT)[:400]
    started = time.perf_counter()
    assert code(head + element * 2_000_000) in {"too-complex", "damaged-dicos", "truncated-dicos"}
    assert time.perf_counter() - started < 5


def test_values_that_fall_with_the_radiation_are_turned_over_and_logarithms_become_a_picture() -> None:
    turned = image.read(changed(PixelIntensityRelationshipSign=-1))
    assert turned.high is not None
    assert np.array_equal(65535 - turned.high, pair()[1])
    assert "turned over" in turned.remarks[0]
    logarithms = image.read(changed(PixelIntensityRelationship="LOG"))
    assert logarithms.shape is None
    assert logarithms.picture is not None


def test_an_image_for_presentation_is_read_with_a_remark() -> None:
    found = image.read(changed(SOPClassUID=uids.DX_PRESENTATION))
    assert found.high is not None
    assert "for presentation" in found.remarks[0]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 2000), st.integers(0, 255))
def test_no_damage_makes_it_raise_anything_but_what_it_says(junk: bytes, at: int, byte: int) -> None:
    data = bytearray(image.write(scan(), Channel.HIGH, syntax=uids.IMPLICIT)[:4000] + junk)
    data[at % len(data)] = byte
    for read in (image.read, report.read):
        with suppress(ScanError):
            read(bytes(data))


@real
def test_a_real_report_is_read() -> None:
    found = report.read((DATA / "tdr.dcs").read_bytes())
    assert (found.made_by, found.alarm, found.images) == ("machine", True, ("1.2.3.4",))
    (finding,) = found.findings
    assert finding.box == (100, 200, 50, 60)
    assert (finding.category, finding.ability, finding.flag) == ("CONTRABAND", "SHIELD", "THREAT")
    assert finding.description == "dense organic block"
    assert finding.mass_g == 50


def test_a_report_of_ours_is_read_back_and_says_nothing_for_certain() -> None:
    findings = [
        report.Finding(1, (10, 20, 30, 40), description="Proposal: dark", ability="SHIELD"),
        report.Finding(2, (1, 2, 3, 4), description="Proposal: dense", mass_g=12.5),
    ]
    data = report.write(
        findings, images=["1.2.3", "1.2.4"], study="1.2", alarm=True, processing_ms=41, identifier="1.9"
    )
    found = report.read(data)
    assert found.findings == tuple(findings)
    assert found.images == ("1.2.3", "1.2.4")
    assert {finding.flag for finding in found.findings} == {"UNKNOWN"}
    assert parse(data).NumberOfAlarmObjects == 0
    assert parse(data).SOPInstanceUID == "1.9"


STRICT = {
    "image": "StudyID InstitutionName InstitutionAddress StationName ManufacturerModelName DeviceSerialNumber "
    "DateOfLastCalibration TimeOfLastCalibration IssuerOfPatientID KVP ImageOrientationPatient ImagePositionPatient "
    "AcquisitionContextSequence PixelSpacingCalibrationDescription DICOSCoordinateSystem DICOSEffectiveEnergy "
    "MappingResourceUID XRayTubeCurrentInuA DetectorType",
    "report": "StudyID ReferencedStudySequence FrameOfReferenceUID PositionReferenceIndicator DeviceSerialNumber",
}
"""What Stratovan's toolkit (pydicos 1.3.0) refuses a file without; with them it reads ours, with equal pixels."""


@pytest.mark.parametrize("syntax", [uids.EXPLICIT, uids.IMPLICIT])
def test_what_a_strict_reader_asks_for_is_there(syntax: str) -> None:
    written = parse(image.write(scan(), Channel.HIGH, syntax=syntax))
    assert [keyword for keyword in STRICT["image"].split() if keyword not in written] == []
    ours = parse(report.write([report.Finding(1, None)], images=["1.2"], alarm=True))
    assert [keyword for keyword in STRICT["report"].split() if keyword not in ours] == []
    assert ours["ImageScaleRepresentation"].value == 1.0
    assert "ThreatDetectionStartTime" in ours.ThreatSequence[0]


def test_a_report_of_a_megabyte_is_refused() -> None:
    with pytest.raises(ScanError, match="report"):
        report.read(bytes(2 << 20))
