"""One scan, as every reader delivers it and every analysis takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

MAX_SIDE: Final = 32_768
MAX_PIXELS: Final = 64_000_000
"""Of one channel. A 20 m lorry at 4 mm pitch seen by 2,000 detectors has 10 million."""

Counts = NDArray[np.uint16]


class Channel(StrEnum):
    """The channels that a scan may have. Those that it has not are in ``Scan.missing``."""

    LOW = "low"
    HIGH = "high"
    SINGLE = "single"
    MATERIAL = "material"
    PICTURE = "picture"


class Orientation(StrEnum):
    """How the lines that the detector read out, one after the other, lie in the arrays."""

    LINES_ARE_ROWS = "rows"
    """Each column is one detector element: gains, darks and dead elements go by column."""
    LINES_ARE_COLUMNS = "columns"
    """Each row is one detector element."""


MaterialClass = Literal["background", "noise", "organic", "inorganic", "metal", "unknown"]


@dataclass(frozen=True, slots=True)
class Band:
    """A range of values, both ends included, of the material map that a scanner sends, and what they stand for."""

    first: int
    last: int
    material: MaterialClass


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One scan: raw detector counts as far as the scanner sent them, upright as its operator sees them.

    Counts rise with the radiation that arrives: open beam is bright, steel is dark. All channels have the same shape
    (rows, columns). A channel that is None is named in ``missing``: that is normal, not an error.

    Attributes:
        low: Counts of the low-energy detector.
        high: Counts of the high-energy detector.
        single: Counts of a scanner with one energy; None where there is a pair.
        material: The scanner's own material map, of values that ``taxonomy`` names.
        picture: The vendor's coloured JPEG or PNG: for people, never analysed as physics.
        pitch_mm: Distance of neighbouring rows, and of neighbouring columns, in the object's plane.
        air: Counts of the open beam, by channel, where the scanner says them.
        dark: Counts without radiation, by channel, where the scanner says them.
        metadata: What else the scanner said, by DICOM keyword or the scanner's own name. May name a person: never log
            it, and publish only what is known to be harmless.
        missing: Channels that this scan has not, although the scanner's kind may have them.
        remarks: What is odd about the file, in a technician's words.

    """

    low: Counts | None = None
    high: Counts | None = None
    single: Counts | None = None
    material: NDArray[np.uint8] | None = None
    taxonomy: tuple[Band, ...] = ()
    picture: bytes | None = None
    pitch_mm: tuple[float, float] | None = None
    air: Mapping[Channel, float] = field(default_factory=dict)
    dark: Mapping[Channel, float] = field(default_factory=dict)
    orientation: Orientation = Orientation.LINES_ARE_ROWS
    metadata: dict[str, str] = field(default_factory=dict)
    missing: tuple[Channel, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int] | None:
        """(rows, columns) of its channels; None for a scan that is a picture only."""
        first = next((c for c in (self.high, self.low, self.single, self.material) if c is not None), None)
        return (first.shape[0], first.shape[1]) if first is not None else None

    @property
    def dual(self) -> bool:
        """Whether materials can be told: both energies are there."""
        return self.low is not None and self.high is not None


class ScanError(Exception):
    """Data that cannot be used as a scan: ``code`` for programs, ``message`` for technicians.

    ``unfinished`` means that it may only not be complete yet.
    """

    def __init__(self, code: str, message: str, *, unfinished: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.unfinished = unfinished


def check_size(rows: int, columns: int, *, max_pixels: int = MAX_PIXELS) -> None:
    """Refuse dimensions that no scanner has, before anything is allocated for them.

    Raises:
        ScanError: too-large or bad-header.
    """
    if rows < 1 or columns < 1:
        raise ScanError("bad-header", f"The header says {columns} x {rows} pixels: it is not one of this scanner's.")
    if rows > MAX_SIDE or columns > MAX_SIDE or rows * columns > max_pixels:
        raise ScanError(
            "too-large", f"The header says {columns} x {rows} pixels; at most {max_pixels / 1e6:g} million are read."
        )
