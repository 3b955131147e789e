"""Raw layouts, TIFF, XML and pictures: read as their layouts say, and refused when they are not so."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.xray.formats import picture, raw, text, tiff
from drivers.xray.formats.scan import Part, read
from drivers.xray.layout import READY, Layout, load
from edge_agent.driver import DriverError
from edge_agent.processing.xray import plausible
from edge_agent.processing.xray.scan import Channel, Orientation, Scan, ScanError
from tests.drivers.xray.scans import pair

FS6000, ASE = load("fs6000"), load("ase")


def fs6000(channel: Channel, pixels: np.ndarray) -> bytes:
    """By hand, from the description of the layout, so that reader and writer are not only each other's inverse."""
    header = bytearray(36)
    struct.pack_into(">HH", header, 2, pixels.shape[1], pixels.shape[0])
    struct.pack_into(">H", header, 14, 8 if channel is Channel.MATERIAL else 16)
    kind = ">u1" if channel is Channel.MATERIAL else ">u2"
    return bytes(header) + pixels[::-1].astype(kind).tobytes()


def parts(layout: Layout, files: dict[str, bytes]) -> list[Part]:
    found = []
    for name, data in files.items():
        matched = layout.match(name)
        assert matched is not None, name
        found.append(Part(matched[1], data))
    return found


def code(layout: Layout, files: dict[str, bytes]) -> str:
    with pytest.raises(ScanError) as caught:
        plausible.examine(read(parts(layout, files), layout))
    return caught.value.code


def whole() -> dict[str, bytes]:
    low, high = pair()
    material = np.where(high < 30_000, 80, 0).astype(np.uint8)
    return {
        "s1high.img": fs6000(Channel.HIGH, high),
        "s1low.img": fs6000(Channel.LOW, low),
        "s1material.img": fs6000(Channel.MATERIAL, material),
        "s1.jpg": cv2.imencode(".jpg", np.zeros((90, 120, 3), np.uint8))[1].tobytes(),
        "s1.xml": b"<scan><plate>01 KG 123</plate><speed unit='km/h'>5</speed></scan>",
    }


def test_a_folder_of_raw_channels_becomes_one_scan_upright() -> None:
    found = read(parts(FS6000, whole()), FS6000)
    low, high = pair()
    assert found.low is not None
    assert np.array_equal(found.low, low)
    assert found.high is not None
    assert np.array_equal(found.high, high)
    assert found.material is not None
    assert found.taxonomy[2].material == "organic"
    assert found.picture is not None
    assert found.metadata == {"plate": "01 KG 123", "speed": "5", "speed.unit": "km/h"}
    assert found.orientation is Orientation.LINES_ARE_COLUMNS
    assert found.missing == ()


@pytest.mark.parametrize("missing", ["s1high.img", "s1low.img", "s1material.img"])
def test_a_missing_channel_is_named_and_no_error(missing: str) -> None:
    files = whole()
    del files[missing]
    found = read(parts(FS6000, files), FS6000)
    assert [f"s1{channel}.img" for channel in found.missing] == [missing]


def test_channels_of_different_size_are_of_two_scans() -> None:
    assert code(FS6000, whole() | {"s1low.img": fs6000(Channel.LOW, pair()[0][:-1])}) == "different-sizes"


@pytest.mark.parametrize(
    ("level", "expected"), [(0, "all-zero"), (65535, "saturated"), (4095, "saturated"), (500, "constant")]
)
def test_a_channel_that_holds_nothing_is_refused(level: int, expected: str) -> None:
    flat = np.full((90, 120), level, np.uint16)
    assert code(FS6000, whole() | {"s1low.img": fs6000(Channel.LOW, flat)}) == expected


def test_a_channel_that_was_sent_twice_is_noticed() -> None:
    assert code(FS6000, whole() | {"s1low.img": whole()["s1high.img"]}) == "same-channel-twice"


def test_some_saturation_costs_a_remark() -> None:
    high = pair()[1].copy()
    high[:5] = 65535
    found = plausible.examine(read(parts(FS6000, whole() | {"s1high.img": fs6000(Channel.HIGH, high)}), FS6000))
    assert any("saturated" in remark for remark in found.remarks)


def test_damaged_companions_cost_a_remark_and_not_the_scan() -> None:
    files = whole() | {"s1.xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"}
    found = read(parts(FS6000, files), FS6000)
    assert found.dual
    assert any(remark.startswith("Its xml is left out") for remark in found.remarks)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data[:20], "truncated-raw"),
        (lambda data: data[:-1], "truncated-raw"),
        (lambda data: data + b"x", "bad-header"),
        (lambda data: data[:2] + b"\xff\xff\xff\xff" + data[6:], "too-large"),
        (lambda data: data[:2] + bytes(4) + data[6:], "bad-header"),
        (lambda data: data[:14] + b"\0\x0c" + data[16:], "bad-header"),
    ],
)
def test_wrong_headers_and_cut_files_are_refused(change: object, expected: str) -> None:
    assert callable(change)
    assert code(FS6000, whole() | {"s1high.img": change(whole()["s1high.img"])}) == expected


@pytest.mark.parametrize("byte_order", [">", "<"])
@pytest.mark.parametrize("panels", [1, 3])
def test_a_blob_with_one_view_or_three_panels(byte_order: str, panels: int) -> None:
    low, high = pair()
    both = np.concatenate([low, high, np.full_like(low, 7)], axis=1) if panels == 3 else high
    header = bytearray(16)
    struct.pack_into("<4sHHH", header, 0, b"IM\0\0", both.shape[1], both.shape[0], 3 if panels == 3 else 2)
    data = bytes(header) + both.astype("<u2").tobytes() + bytes(48) + "<x/>".encode("utf-16")
    if byte_order == ">":  # the other way round it cannot be one
        assert code(ASE, {"a.bin": b"MI" + data[2:]}) == "bad-header"
        return
    found = read(parts(ASE, {"a.bin": data}), ASE)
    if panels == 1:
        assert found.single is not None
        assert np.array_equal(found.single, high)
        return
    assert found.low is not None
    assert np.array_equal(found.low, low)
    assert found.material is not None
    assert found.material.dtype == np.uint8


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["none", "rows", "columns", "both"]),
    st.booleans(),
    st.sampled_from(["little", "big"]),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_every_flip_and_order_comes_back(flip: str, transpose: bool, order: str, rows: int, columns: int) -> None:
    described = {"header_bytes": 10, "byte_order": order, "width": {"at": 1}, "height": {"at": 5}, "bits": 16}
    layout = raw.Raw.model_validate(described | {"flip": flip, "transpose": transpose})
    pixels = np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns)
    found = raw.read(raw.write({Channel.HIGH: pixels}, layout), layout, Channel.HIGH)
    assert found.high is not None
    assert np.array_equal(found.high, pixels)


def test_every_ready_layout_loads_and_a_wrong_one_says_where(tmp_path: Path) -> None:
    for path in READY.glob("*.toml"):
        assert load(path.stem).description
    wrong = tmp_path / "mine.toml"
    wrong.write_text('description = "x"\n[[file]]\nname = "high.img"\ncontent = "raw"\n')
    with pytest.raises(DriverError, match=r"1 mistakes; file\.0"):
        load(str(wrong))
    with pytest.raises(DriverError, match="fs6000"):
        load("nuctech")


def test_a_tiff_is_read_and_its_pitch_with_it() -> None:
    found = tiff.read(tiff.write(pair()[0], (0.8, 1.6)), Channel.LOW)
    assert found.low is not None
    assert np.array_equal(found.low, pair()[0])
    assert found.pitch_mm == pytest.approx((0.8, 1.6), rel=1e-3)


def test_colour_float_cut_and_huge_tiffs_are_refused() -> None:
    def encoded(array: np.ndarray) -> bytes:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, array)
        return buffer.getvalue()

    for data, expected in (
        (encoded(np.zeros((30, 30, 3), np.uint8)), "unsupported-tiff"),
        (encoded(np.zeros((30, 30), np.float32)), "unsupported-tiff"),
        (encoded(np.zeros((30, 30), np.uint16))[:1500], "truncated-tiff"),
        (b"II*\0" + bytes(40), "truncated-tiff"),
        (b"GIF89a" + bytes(40), "not-tiff"),
    ):
        with pytest.raises(ScanError) as caught:
            tiff.read(data, Channel.LOW)
        assert caught.value.code == expected
    with pytest.raises(ScanError) as caught:
        tiff.read(bomb(), Channel.LOW)
    assert caught.value.code == "too-large"


def bomb() -> bytes:
    """The header of a TIFF of 40,000 x 40,000 pixels."""
    tags = [(256, 40_000), (257, 40_000), (258, 16), (259, 8), (262, 1), (273, 200), (277, 1), (278, 40_000), (279, 50)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(300)


def test_xml_of_every_encoding_is_read_and_hostile_xml_is_not() -> None:
    assert text.read("<?xml version='1.0' encoding='utf-16'?><a><b>ж</b></a>".encode("utf-16")).metadata == {"b": "ж"}
    for data in (b"<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY b 'c'>]>".encode("utf-16"), b"<a><b>", b"\xff\xfe\0"):
        with pytest.raises(ScanError):
            text.read(data)
    assert len(text.read(b"<a>" + b"".join(b"<b%d>x</b%d>" % (i, i) for i in range(5000)) + b"</a>").metadata) == 500


def test_a_vendors_picture_is_kept_as_it_is_and_never_a_channel() -> None:
    data = cv2.imencode(".png", np.zeros((20, 20, 3), np.uint8))[1].tobytes()
    found = picture.read(data)
    assert found.picture == data
    assert found.shape is None
    with pytest.raises(ScanError):
        picture.read(data[:50])


def test_of_neither_counts_nor_a_picture_there_is_no_scan() -> None:
    assert code(FS6000, {"s1.xml": b"<a/>"}) == "incomplete-scan"
    assert code(FS6000, {"s1material.img": whole()["s1material.img"]}) == "incomplete-scan"
    assert not Scan().dual
