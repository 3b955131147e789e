"""PassportEye: the reader of pages for now, and the second opinion once our own engine reads them.

It finds the zone and lets Tesseract read it, which knows no OCR-B: a filler often becomes a K, C, S or E.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

SECONDS: Final = 12.0
"""For one picture; then the reading is given up."""
LONGEST_SIDE: Final = 1800
"""In pixels; larger pictures are scaled down. A passport page has 360 dpi then, and memory stays under 300 MB."""

_TESSERACT: Final = (
    *("tesseract", "stdin", "stdout", "--psm", "6"),
    *("-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789><"),
    *("-c", "load_system_dawg=F", "-c", "load_freq_dawg=F"),
)


class ReaderError(Exception):
    """The reader is at fault, not the page. The message says what to do."""


class TooSlowError(ReaderError):
    """One page took too long; the next may not."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """The lines as Tesseract saw them and as PassportEye corrected them, by the kind of each position."""

    seen: tuple[str, ...]
    lines: tuple[str, ...]


def version() -> str:
    """Name and version of what reads."""
    from importlib.metadata import version as of  # noqa: PLC0415 (slow, and asked for only with a first reading)

    return f"PassportEye {of('passporteye')}"


def warm() -> None:
    """Import what takes seconds to import."""
    _load()
    _cleaner()


def read(image: NDArray[np.uint8], *, seconds: float = SECONDS) -> Opinion | None:
    """Read the machine readable zone; None if none was found.

    ``image`` is BGR, shape (height, width, 3), or grey, shape (height, width), upright or upside down.

    Raises:
        ReaderError: Tesseract is missing, failed, or needed more than ``seconds``.
    """
    passporteye = _load()
    deadline = time.monotonic() + seconds

    def ocr(zone: NDArray[Any] | None, *_: object, **__: object) -> str:
        return "" if zone is None or not zone.size else _tesseract(zone, deadline - time.monotonic())

    passporteye.ocr = ocr  # its own knows no time limit, and leaves the page in /tmp when it is killed
    pipeline = passporteye.MRZPipeline(None)
    pipeline["img"] = _small_and_grey(image)
    try:
        mrz = pipeline.result
    except ReaderError:
        raise
    except Exception:  # it stumbles over pictures without contrast or with odd shapes: nothing was found then
        return None
    finally:
        pipeline.data.clear()  # it refers to itself, and would keep its pictures for long
    if mrz is None:
        return None
    text = mrz.aux["raw_text"]
    seen = tuple(line for line in text.replace(" ", "").splitlines() if len(line) >= 20 or "<<" in line)
    return Opinion(seen, tuple(_cleaner().apply(text)))


@cache
def _load() -> Any:
    """PassportEye's module, which takes seconds to import."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    import warnings  # noqa: PLC0415

    warnings.filterwarnings("ignore", category=FutureWarning, module="passporteye")
    from passporteye.mrz import image  # noqa: PLC0415

    return image


@cache
def _cleaner() -> Any:
    from passporteye.mrz.text import MRZOCRCleaner  # noqa: PLC0415

    return MRZOCRCleaner


def _small_and_grey(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    scale = LONGEST_SIDE / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.divide(grey, 255, dtype=np.float64)


def _tesseract(zone: NDArray[Any], seconds: float) -> str:
    if zone.dtype != np.uint8:
        zone = (np.clip(zone, 0, 1) * 255 + 0.5).astype(np.uint8)
    _, picture = cv2.imencode(".pgm", zone)
    try:
        done = subprocess.run(
            _TESSERACT,
            input=picture.tobytes(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=max(seconds, 0.01),
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=False,
        )
    except FileNotFoundError:
        raise ReaderError("Tesseract is not installed: apt-get install tesseract-ocr") from None
    except subprocess.TimeoutExpired:
        raise TooSlowError("Reading the page took too long and was given up.") from None
    if done.returncode:
        raise ReaderError(f"Tesseract failed with exit code {done.returncode}. Is the package tesseract-ocr-eng there?")
    return done.stdout.decode(errors="replace").strip()
