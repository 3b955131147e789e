"""From the bytes of a picture to its pixels, without trusting the bytes."""

from __future__ import annotations

import io
import warnings
from typing import Any, Final, Literal, overload

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Header
from PIL.ExifTags import Base as Tag

MAX_PIXELS: Final = 64_000_000
"""A4 at 600 dpi has 35 million."""
FORMATS: Final = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")

_MEDIA_TYPES: Final = {
    b"\xff\xd8": "image/jpeg",
    b"\x89PNG": "image/png",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
    b"BM": "image/bmp",
    b"RIFF": "image/webp",
}
_BEGINNINGS: Final = tuple(_MEDIA_TYPES)
_TRUNCATED: Final = "The picture is cut off: the file ends before its pixels do. Copy or scan it again."
_LARGE: Final = "The picture has too many pixels{}; at most {:g} million are read. Scan with a lower resolution."
_FOREIGN: Final = f"This is not a picture in one of the formats {', '.join(FORMATS)}."

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # a broken file is reported by us, in one sentence


class ImageError(Exception):
    """A picture that cannot be used: ``code`` for programs, ``message`` for technicians.

    Codes: ``empty-file``, ``not-an-image``, ``truncated-image``, ``too-large``, ``unsupported-image``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@overload
def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, full_depth: Literal[False] = False) -> NDArray[np.uint8]: ...
@overload
def decode(
    data: bytes, *, max_pixels: int = MAX_PIXELS, full_depth: Literal[True]
) -> NDArray[np.uint8] | NDArray[np.uint16]: ...
def decode(data: bytes, *, max_pixels: int = MAX_PIXELS, full_depth: bool = False) -> NDArray[Any]:
    """The pixels of a JPEG, PNG, TIFF (first page), BMP or WebP, upright as its EXIF orientation says.

    The size is read from the header, and a larger one than ``max_pixels`` is refused before anything is allocated.
    16 bits become 8 by the highest bit in use, so that the 10 or 12 bits of a sensor keep their contrast, unless
    ``full_depth`` is asked for; what is transparent becomes white.

    Returns:
        BGR, shape (height, width, 3), or grey, shape (height, width).

    Raises:
        ImageError: the bytes are not such a picture, not all of one, or of too large a one.
    """
    if not data:
        raise ImageError("empty-file", "The file is empty.")
    orientation = _read_header(data, max_pixels)
    if data.startswith(b"\xff\xd8") and b"\xff\xd9" not in data[-_TRAILER:]:
        # Some decoders fill up what is missing with grey, without a word.
        raise ImageError("truncated-image", _TRUNCATED)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    if pixels is None:
        # The header was sound, so it is the rest that is missing or damaged.
        raise ImageError("truncated-image", _TRUNCATED)
    if not (full_depth and pixels.dtype == np.uint16):
        pixels = _as_bytes(pixels)
    return _upright(_without_alpha(pixels), orientation)


_TRAILER: Final = 1 << 16
"""How much may follow the end of a JPEG: some cameras append notes of their own."""


def _read_header(data: bytes, max_pixels: int) -> int:
    """Check format and size; return the EXIF orientation, 1 to 8."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Header.open(io.BytesIO(data), formats=FORMATS) as header:
                width, height = header.size
                orientation = _orientation(header)
    except Header.DecompressionBombError:  # Pillow's own limit, far above ours
        raise ImageError("too-large", _LARGE.format("", max_pixels / 1e6)) from None
    except Exception:  # Pillow raises whatever its format plugins stumble over
        if data.startswith(_BEGINNINGS):
            raise ImageError("truncated-image", _TRUNCATED) from None
        raise ImageError("not-an-image", _FOREIGN) from None
    if width * height > max_pixels:
        raise ImageError(
            "too-large",
            _LARGE.format(f" ({width} x {height})", max_pixels / 1e6),
        )
    return orientation


def _orientation(header: Header.Image) -> int:
    """Where OpenCV leaves it to us; it turns a TIFF upright whatever it is asked."""
    if header.format == "TIFF":
        return 1
    try:
        value = header.getexif().get(Tag.Orientation, 1)
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1
    return value if value in range(1, 9) else 1


def _as_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        unused = max(int(pixels.max()).bit_length() - 8, 0)
        return (pixels >> unused).astype(np.uint8)
    raise ImageError("unsupported-image", f"Pixels of type {pixels.dtype} are not read. Save with 8 or 16 bits.")


def _without_alpha(pixels: NDArray[Any]) -> NDArray[Any]:
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    top = np.iinfo(pixels.dtype).max
    white = np.ascontiguousarray(pixels[..., :3])
    for row, opaque in zip(white, pixels[..., 3:], strict=True):  # one by one, as sums take four times the memory
        if (opaque < top).any():
            share = opaque.astype(np.uint32)
            row[:] = (row * share + top * (top - share) + top // 2) // top
    return white


def _upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo the EXIF orientation (CIPA DC-008, tag 274: where row 0 and column 0 of the file are to be shown)."""
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def media_type(data: bytes) -> str:
    """The media type of a picture by its first bytes."""
    return next((name for start, name in _MEDIA_TYPES.items() if data.startswith(start)), "application/octet-stream")


def encode_jpeg(image: NDArray[np.uint8], *, longest_side: int | None = None, quality: int = 80) -> bytes:
    """A picture as JPEG, scaled down to ``longest_side`` pixels if it is larger."""
    scale = (longest_side or max(image.shape[:2])) / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()


def encode(image: NDArray[np.uint8], suffix: str) -> bytes:
    """A picture in the format of a file name's suffix, e.g. ``.png``.

    Raises:
        ValueError: no picture format has this suffix.
    """
    try:
        done, encoded = cv2.imencode(suffix, image)
    except cv2.error:
        done = False
    if not done:
        raise ValueError(f"pictures are not written as '{suffix}', but as .png or .jpg")
    return encoded.tobytes()
