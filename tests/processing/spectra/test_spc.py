"""Galactic SPC is read in both byte orders, in its old form, and with several spectra."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.processing.spectra.spc import is_spc, parse
from edge_agent.processing.spectra.spectrum import SpectrumError, Technique
from tests.processing.spectra.data import needs_spectra, real

Y = np.array([0.5, -0.25, 1.0, 0.125])


def header(flags: int, exponent: int, points: int = 4, spectra: int = 1, order: str = "<") -> bytearray:
    head = bytearray(512)
    version = 0x4B if order == "<" else 0x4C
    struct.pack_into(f"{order}BBBbiddiBB", head, 0, flags, version, 4, exponent, points, 400.0, 1000.0, spectra, 1, 2)
    return head


def subheader(exponent: int = 0, z: float = 0.0, points: int = 0, order: str = "<") -> bytes:
    sub = bytearray(32)
    struct.pack_into(f"{order}Bbhffffi", sub, 0, 0, exponent, 0, z, 0.0, 0.0, 0.0, points)
    struct.pack_into(f"{order}i", sub, 16, points)
    return bytes(sub)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("flags", "exponent", "kind", "scale"), [(0, -128, "f4", 1.0), (0, 2, "i4", 2.0**30), (1, 2, "i2", 2.0**14)]
)
def test_ordinates_are_read_in_each_number_format(
    order: str, flags: int, exponent: int, kind: str, scale: float
) -> None:
    data = (
        bytes(header(flags, exponent, order=order))
        + subheader(order=order)
        + (Y * scale).astype(order + kind).tobytes()
    )
    (spectrum,) = parse(data)
    np.testing.assert_allclose(spectrum.y, Y, atol=1e-4)
    np.testing.assert_allclose(spectrum.x, [400, 600, 800, 1000])
    assert spectrum.technique is Technique.INFRARED
    assert (spectrum.x_unit, spectrum.y_unit) == ("1/cm", "absorbance")


def test_each_spectrum_of_many_has_its_own_exponent() -> None:
    halves = [
        subheader(exponent, z) + (Y * 2.0 ** (32 - exponent)).astype("<i4").tobytes()
        for exponent, z in ((2, 5.0), (3, 6.0))
    ]
    first, second = parse(bytes(header(4, 0, spectra=2)) + b"".join(halves))
    np.testing.assert_allclose(first.y, Y)
    np.testing.assert_allclose(second.y, Y)
    assert (first.remarks["z"], second.remarks["z"]) == ("5", "6")


def test_x_that_are_given_once_hold_for_all() -> None:
    x = np.array([1, 2, 4, 8], "<f4")
    curve = subheader(-128) + Y.astype("<f4").tobytes()
    for spectrum in parse(bytes(header(4 | 128, -128, spectra=2)) + x.tobytes() + curve * 2):
        assert spectrum.x.tolist() == [1, 2, 4, 8]


def test_spectra_may_have_their_own_x_and_length() -> None:
    parts = [
        subheader(-128, points=n) + np.arange(n, dtype="<f4").tobytes() + Y[:n].astype("<f4").tobytes() for n in (2, 3)
    ]
    first, second = parse(bytes(header(4 | 64 | 128, -128, spectra=2)) + b"".join(parts))
    assert (first.x.tolist(), second.x.tolist()) == ([0, 1], [0, 1, 2])


def test_the_old_form_has_its_words_the_other_way_round() -> None:
    head = bytearray(224)
    struct.pack_into("<BBhfffBB", head, 0, 0, 0x4D, 2, 4.0, 400.0, 1000.0, 1, 2)
    whole = (Y * 2.0**30).astype(np.int32).view(np.uint32)
    words = np.stack([whole >> 16, whole & 0xFFFF], axis=1).astype("<u2")
    (spectrum,) = parse(bytes(head) + subheader() + words.tobytes())
    np.testing.assert_allclose(spectrum.y, Y)


def test_entries_of_the_log_are_remarks_also_with_two_equal_signs() -> None:
    body = bytes(header(0, -128)) + subheader() + Y.astype("<f4").tobytes()
    data = bytearray(
        body + struct.pack("<IIIII", 64 + 40, 0, 64, 0, 0) + bytes(44) + b"MODEL=X9\r\nRESULT=a=b\r\n".ljust(40, b"\0")
    )
    struct.pack_into("<i", data, 248, len(body))
    (spectrum,) = parse(bytes(data))
    assert spectrum.remarks["MODEL"] == "X9"
    assert spectrum.remarks["RESULT"] == "a=b"


@pytest.mark.parametrize(
    ("flags", "points", "spectra"),
    [(0, 2**31 - 1, 1), (0, -1, 1), (4, 4, 2**31 - 1), (4, 4, -1), (64 | 128, 4, 1), (4, 4, 3)],
)
def test_counts_that_the_file_does_not_have_are_refused(flags: int, points: int, spectra: int) -> None:
    data = bytes(header(flags, -128, points, spectra)) + subheader(points=2**30) + Y.astype("<f4").tobytes()
    with pytest.raises(SpectrumError):
        parse(data)


@settings(deadline=None)
@given(
    st.binary(max_size=120),
    st.integers(0, 600),
    st.sampled_from([0, 1, 4, 64, 128, 196]),
    st.sampled_from([0x4B, 0x4C, 0x4D]),
)
def test_damage_anywhere_is_an_error_or_a_whole_spectrum(junk: bytes, at: int, flags: int, version: int) -> None:
    data = bytearray(bytes(header(flags, -128)) + subheader(points=4) + Y.astype("<f4").tobytes() * 2)
    data[1] = version
    damaged = bytes(data[:at]) + junk + bytes(data[at + len(junk) :])
    try:
        spectra = parse(damaged)
    except SpectrumError:
        return
    assert all(each.x.shape == each.y.shape and np.isfinite(each.x).all() for each in spectra)


@needs_spectra
def test_all_real_files_are_read() -> None:
    files = [path for path in real("*/*") if path.suffix.lower() == ".spc"]
    assert len(files) > 40
    for path in files:
        data = path.read_bytes()
        assert is_spc(data)
        for spectrum in parse(data):
            assert spectrum.x.size == spectrum.y.size > 0, path.name
    masses = next(path for path in files if path.name == "DRUG_SAMPLE.SPC")
    scans = parse(masses.read_bytes())
    assert len(scans) == 400
    assert all(scan.x.min() > 30 and scan.x.max() < 600 for scan in scans)


@needs_spectra
def test_a_film_is_the_same_in_spc_and_in_jcamp() -> None:
    from edge_agent.processing.spectra.jcamp import parse as parse_jcamp

    film, other = real("*/POLYS.SPC")[0], real("*/jtpolys.jdx")[0]
    (one,), (same,) = parse(film.read_bytes()), parse_jcamp(other.read_bytes())
    np.testing.assert_allclose(one.x, same.x, atol=0.01)
    assert np.corrcoef(one.y, -np.log10(same.y))[0, 1] > 0.9999
