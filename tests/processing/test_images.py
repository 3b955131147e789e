"""Decoding pictures that nobody vouches for, against Pillow's own slow and strict reading."""

from __future__ import annotations

import io
import struct
import time
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edge_agent.processing.images import ImageError, decode

LOSSLESS: dict[str, dict[str, Any]] = {"PNG": {}, "TIFF": {}, "BMP": {}, "WEBP": {"lossless": True}}
ALL: dict[str, dict[str, Any]] = {**LOSSLESS, "JPEG": {"quality": 90}}


def _scene(width: int = 60, height: int = 40) -> NDArray[np.uint8]:
    """RGB, different in each corner."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack((x, y, 255 - x), axis=-1).astype(np.uint8)


def _encoded(image: Image.Image, fmt: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def _bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that claims to be huge."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1 << 20)))


@pytest.mark.parametrize("fmt", LOSSLESS)
def test_lossless_formats_come_back_as_they_were(fmt: str) -> None:
    assert np.array_equal(decode(_encoded(Image.fromarray(_scene()), fmt, **LOSSLESS[fmt])), _scene()[..., ::-1])


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_all_eight_orientations_are_shown_upright(fmt: str, orientation: int, mode: str) -> None:
    image = Image.fromarray(_scene()).convert(mode)
    if fmt == "TIFF":
        data = _encoded(image, fmt, tiffinfo={274: orientation})
    else:
        exif = image.getexif()
        exif[274] = orientation
        data = _encoded(image, fmt, exif=exif.tobytes(), **ALL[fmt])
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    decoded = decode(data)
    expected = upright if upright.ndim == 2 else upright[..., ::-1]
    if decoded.ndim == 3 and expected.ndim == 2:  # a grey WebP is stored in colours
        expected = np.dstack([expected] * 3)
    assert decoded.shape == expected.shape
    assert np.abs(decoded.astype(int) - expected).max() <= 3


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x01\x12"]
)
def test_damaged_exif_does_not_keep_a_picture_from_being_read(exif: bytes) -> None:
    data = _encoded(Image.fromarray(_scene()), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    assert decode(data[:2] + segment + data[2:]).shape == (40, 60, 3)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_become_eight_by_the_bits_in_use(bits: int, suffix: str) -> None:
    ramp = np.linspace(0, 2**bits - 1, 256).astype(np.uint16)
    _, encoded = cv2.imencode(suffix, np.tile(ramp, (8, 1)))
    decoded = decode(encoded.tobytes())
    assert decoded.dtype == np.uint8
    assert np.abs(decoded[0].astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize(
    ("mode", "fmt", "options"),
    [
        ("L", "JPEG", {}),
        ("L", "PNG", {}),
        ("1", "PNG", {}),
        ("1", "TIFF", {"compression": "group4"}),
        ("L", "TIFF", {"compression": "tiff_lzw"}),
        ("L", "TIFF", {"compression": "jpeg"}),
        ("P", "PNG", {}),
        ("CMYK", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
    ],
)
def test_whatever_scanners_write_looks_the_same_here(mode: str, fmt: str, options: dict[str, Any]) -> None:
    image = Image.fromarray(_scene()).convert(mode)
    decoded = decode(_encoded(image, fmt, **options))
    grey = decoded if decoded.ndim == 2 else np.asarray(Image.fromarray(decoded[..., ::-1]).convert("L"))
    assert np.abs(grey.astype(int) - np.asarray(image.convert("L"))).mean() < 4


def test_transparency_becomes_white() -> None:
    image = Image.fromarray(np.dstack((_scene(), np.zeros((40, 60), np.uint8))))
    assert (decode(_encoded(image, "PNG")) == 255).all()


@pytest.mark.parametrize("fmt", ALL)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.99])
def test_a_picture_cut_anywhere_is_refused_not_filled_up(fmt: str, part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    data = _encoded(Image.fromarray(noise), fmt, **ALL[fmt])
    with pytest.raises(ImageError) as caught:
        decode(data[: int(len(data) * part)])
    assert caught.value.code == "truncated-image"


def test_a_jpeg_may_be_followed_by_a_makers_own_notes() -> None:
    assert decode(_encoded(Image.fromarray(_scene()), "JPEG") + bytes(5000)).shape == (40, 60, 3)


def test_a_bomb_is_refused_by_its_header_alone() -> None:
    bombs = [_bomb(30_000, 30_000), _bomb(10_000, 9_000), _bomb(2**31 - 1, 1)]
    with pytest.raises(ImageError):
        decode(bombs[0])  # warms the imports
    began = time.perf_counter()
    for bomb in bombs:
        with pytest.raises(ImageError) as caught:
            decode(bomb)
        assert caught.value.code == "too-large"
    assert time.perf_counter() - began < 0.2


def test_the_bound_is_the_callers() -> None:
    data = _encoded(Image.fromarray(_scene()), "PNG")
    assert decode(data, max_pixels=60 * 40).shape == (40, 60, 3)
    with pytest.raises(ImageError, match="60 x 40"):
        decode(data, max_pixels=60 * 40 - 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"Dear colleague, please find attached", "not-an-image"),
        (b"%PDF-1.7\n", "not-an-image"),
        (b"GIF89a" + bytes(100), "not-an-image"),
        (bytes(1000), "not-an-image"),
        (b"\xff\xd8\xff", "truncated-image"),
        (b"\x89PNG\r\n", "truncated-image"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, code: str) -> None:
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


def test_pixels_that_are_no_integers_are_refused() -> None:
    _, encoded = cv2.imencode(".tif", np.ones((20, 20), np.float32))
    with pytest.raises(ImageError, match="float32"):
        decode(encoded.tobytes())
