"""16-bit TIFF files of one channel: read and written."""

from __future__ import annotations

import io
import logging
from typing import Final

import numpy as np
import tifffile
from numpy.typing import NDArray

from edge_agent.processing.xray.scan import Channel, Scan, ScanError, check_size

_COMPRESSIONS: Final = {1, 5, 8, 32773, 32946, 50013, 7, 34712}
_RESOLUTION_MM: Final = {2: 25.4, 3: 10.0}
_MAX_STRIPS: Final = 100_000

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # a broken file is reported by us, in one sentence


def read(data: bytes, channel: Channel) -> Scan:
    """The first page of a TIFF as one channel of a scan.

    Raises:
        ScanError: no TIFF, cut off, too large, or not of one channel of 8 or 16 bits.
    """
    if data[:4] not in {b"II*\0", b"MM\0*"}:
        raise ScanError("not-tiff", "This is not a TIFF file.", unfinished=len(data) < 8)
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages[0]
            if not isinstance(page, tifffile.TiffPage):
                raise _cut()
            _check(page, channel, len(data))
            pixels = page.asarray(maxworkers=1)
            pitch = _pitch(page)
    except ScanError:
        raise
    except Exception:  # tifffile raises whatever it stumbles over
        raise _cut() from None
    if channel is Channel.MATERIAL:
        return Scan(material=np.ascontiguousarray(pixels, np.uint8), pitch_mm=pitch)
    remarks = ("A channel has 8 bits only: figures are coarse.",) if pixels.dtype == np.uint8 else ()
    counts = np.ascontiguousarray(pixels, np.uint16)
    return Scan(**{channel.value: counts}, pitch_mm=pitch, remarks=remarks)  # type: ignore[arg-type]  # a channel's name


def _cut() -> ScanError:
    return ScanError("truncated-tiff", "The TIFF file is cut off or damaged: copy it again.", unfinished=True)


def _check(page: tifffile.TiffPage, channel: Channel, length: int) -> None:
    """Refuse what is not a channel, before anything is allocated."""
    if len(page.shape) != 2 or page.samplesperpixel != 1:
        raise ScanError("unsupported-tiff", "The TIFF is a colour picture: it cannot be a channel of counts.")
    rows, columns = page.shape
    check_size(rows, columns)
    if page.dtype not in (np.uint8, np.uint16) or (channel is Channel.MATERIAL and page.dtype != np.uint8):
        raise ScanError("unsupported-tiff", f"Pixels of type {page.dtype} are not read, but unsigned ones of 16 bits.")
    if int(page.compression) not in _COMPRESSIONS or len(page.dataoffsets) > _MAX_STRIPS:
        raise ScanError("unsupported-tiff", f"The TIFF's compression {int(page.compression)} is not read.")
    inside = all(at + size <= length for at, size in zip(page.dataoffsets, page.databytecounts, strict=True))
    if not inside or (page.compression == 1 and sum(page.databytecounts) < rows * columns * page.dtype.itemsize):
        raise _cut()
    chunk = max(int(np.prod(page.chunks)), 1)
    if chunk > 2 * rows * columns + 65_536 or chunk * len(page.dataoffsets) > 4 * rows * columns + 1_000_000:
        raise ScanError("bad-header", "The TIFF's strips or tiles are larger than its picture.")


def _pitch(page: tifffile.TiffPage) -> tuple[float, float] | None:
    """The distance of pixels by the resolution tags; 96 dpi and its like are what programs write without knowing."""
    unit = _RESOLUTION_MM.get(int(getattr(page, "resolutionunit", 0) or 0))
    across, down = getattr(page, "resolution", (0, 0)) or (0, 0)
    if unit is None or not across or not down or (unit == 25.4 and across in {1, 72, 96, 100, 300}):
        return None
    pitch = unit / float(down), unit / float(across)
    return pitch if all(0.01 < value < 100 for value in pitch) else None


def write(pixels: NDArray[np.uint16], pitch_mm: tuple[float, float] | None = None) -> bytes:
    """A TIFF of one channel, losslessly compressed."""
    buffer = io.BytesIO()
    options: dict[str, object] = {}
    if pitch_mm is not None:
        options = {"resolution": (10 / pitch_mm[1], 10 / pitch_mm[0]), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(buffer, pixels, compression="zlib", predictor=True, metadata=None, **options)  # type: ignore[arg-type]  # its own keywords
    return buffer.getvalue()
