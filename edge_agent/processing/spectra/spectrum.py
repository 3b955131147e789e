"""One spectrum, whatever file it came in, and what files may hold at most."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_POINTS: Final = 1 << 18
"""In one file, all its spectra together; a spectrometer of a kit delivers 500 to 20,000."""
MAX_SPECTRA: Final = 1 << 14
MAX_LINES: Final = 500_000
MAX_NOTE: Final = 4096
"""Characters of one remark of the instrument's."""


class SpectrumError(Exception):
    """A file that is no spectrum, or one that contradicts itself: ``code`` for programs, the text for technicians.

    Codes: ``not-a-spectrum``, ``truncated-spectrum``, ``damaged-spectrum``, ``points-mismatch``, ``x-mismatch``,
    ``y-mismatch``, ``too-many-points``, ``unsupported-spectrum``, ``not-polystyrene``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Technique(StrEnum):
    """How a spectrum was made, as far as its file tells."""

    RAMAN = "raman"
    INFRARED = "infrared"
    IMS = "ims"
    MASS = "mass"
    NMR = "nmr"
    UV_VISIBLE = "uv-visible"
    CHROMATOGRAM = "chromatogram"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One spectrum as the file has it.

    Attributes:
        x: shape (n,), in ``x_unit``, finite; in the order of the file.
        y: shape (n,), in ``y_unit``; NaN where the instrument gave no value.
        x_unit: as in the file, lower case where it is one that is known.
        y_unit: likewise.
        title: the file's, which may name a sample or a person: not for logs or topics.
        peaks: true for a list of peaks, whose x need not be even.
        remarks: what else the instrument says: its name, its settings, its own verdict.
        doubts: what in the file contradicts itself without making x or y wrong, in a technician's words.

    """

    x: Array
    y: Array
    technique: Technique = Technique.OTHER
    x_unit: str = ""
    y_unit: str = ""
    title: str = ""
    peaks: bool = False
    remarks: dict[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.x.shape != self.y.shape or self.x.ndim != 1:
            raise SpectrumError("points-mismatch", f"There are {self.x.size} x but {self.y.size} y.")
        if not np.isfinite(self.x).all():
            raise SpectrumError("damaged-spectrum", "Some x are no numbers.")

    def ascending(self) -> Spectrum:
        """The same spectrum with x in ascending order, one y for each x, and without the points that have no y."""
        usable = np.isfinite(self.y)
        x, first = np.unique(self.x[usable], return_index=True)
        return replace(self, x=x, y=self.y[usable][first])


_SPACES: Final = re.compile(r"\s+")


def number(text: str) -> float | None:
    """A number as instruments in any country write it: ``0.5``, ``0,5``, ``1 234,5``, ``1.234,5``, ``1,2E+03``.

    None if it is none. A single comma is a decimal comma.
    """
    text = _SPACES.sub("", text[:64])
    if text.count(",") and text.count("."):
        thousands = "," if text.rfind(".") > text.rfind(",") else "."
        text = text.replace(thousands, "")
    try:
        value = float(text.replace(",", ".").replace("D", "E").replace("d", "e"))
    except ValueError:
        return None
    return value if np.isfinite(value) and "_" not in text else None


def lines_of(data: bytes) -> list[str]:
    """The lines of a text file in UTF-8, UTF-16 with its mark, or Latin-1, whatever ends them.

    Raises:
        SpectrumError: too many lines (too-many-points).
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    if text.count("\n") + text.count("\r") > 2 * MAX_LINES:
        raise too_many()
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x1a", "").split("\n")


def too_many() -> SpectrumError:
    """The error of a file that holds more than is read."""
    return SpectrumError(
        "too-many-points", f"The file holds more than {MAX_POINTS} points: that is no spectrum of a kit."
    )
