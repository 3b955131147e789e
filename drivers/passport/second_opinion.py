"""PassportEye: the second opinion on a page, for sites that want one.

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

from edge_agent.processing.mrz.check_digits import FILLER
from edge_agent.processing.mrz.formats import FORMATS
from edge_agent.processing.mrz.parse import parse
from edge_agent.processing.mrz.result import Mrz, Outcome

SECONDS: Final = 12.0
"""For one picture; then the reading is given up."""
TURNS_SECONDS: Final = 18.0
"""For one page in all orientations."""
LONGEST_SIDE: Final = 1800
"""In pixels; larger pictures are scaled down. A passport page has 360 dpi then, and memory stays under 300 MB."""

_TESSERACT: Final = (
    *("tesseract", "stdin", "stdout", "--psm", "6"),
    *("-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789><"),
    *("-c", "load_system_dawg=F", "-c", "load_freq_dawg=F"),
)


_TURNS: Final = (0, 1, 3)
"""Quarters to try. Upside down, PassportEye notices by itself."""


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
    from importlib.metadata import version as of

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


def lines(image: NDArray[np.uint8], *, seconds: float = TURNS_SECONDS) -> tuple[str, ...]:
    """The lines of the zone of a page, whichever way up it lies, as far as PassportEye makes them out; empty if not.

    ``image`` as for ``read``.

    Raises:
        ReaderError: Tesseract is missing, failed, or needed more than ``seconds``.
    """
    deadline = time.monotonic() + seconds
    best: tuple[int, Mrz] | None = None
    for quarters in _TURNS:
        left = deadline - time.monotonic()
        if best is not None and (best[1].valid or left < 1):
            break
        opinion = read(np.rot90(image, -quarters), seconds=left)
        if opinion is None:
            continue
        mrz = parse(_fitted(opinion.lines))
        passed = sum(outcome is Outcome.PASSED for outcome in mrz.checks.values())
        if best is None or passed > best[0]:
            best = (passed, mrz)
    return () if best is None or best[1].format is None else best[1].lines


def _fitted(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The lines with the fillers at their ends counted right: in a row of them Tesseract easily miscounts.

    Only a line that ends in fillers is touched, so that no character is lost or moved.
    """
    near = [fmt.lengths for fmt in FORMATS if len(fmt.lengths) == len(lines)]
    lengths = min(
        near, key=lambda lengths: sum(abs(n - len(line)) for n, line in zip(lengths, lines, strict=True)), default=()
    )
    return tuple(
        line.rstrip(FILLER).ljust(length, FILLER) if line.endswith(FILLER * 2) else line
        for line, length in zip(lines, lengths or map(len, lines), strict=True)
    )


@cache
def _load() -> Any:
    """PassportEye's module, which takes seconds to import."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    import warnings

    warnings.filterwarnings("ignore", category=FutureWarning, module="passporteye")
    from passporteye.mrz import image

    return image


@cache
def _cleaner() -> Any:
    from passporteye.mrz.text import MRZOCRCleaner

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
