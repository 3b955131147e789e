"""What is known of each place of a scan, coarse enough that noise says little and regions are quickly found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.kernels import connected, paint
from edge_agent.processing.xray import kernels
from edge_agent.processing.xray.calibration import Calibration
from edge_agent.processing.xray.correct import Corrected, binned
from edge_agent.processing.xray.kernels import AIR
from edge_agent.processing.xray.tables import EMPTY, limits, logarithms

Mask = NDArray[np.bool_]
Map = NDArray[np.float32]

AGREE: Final = 5.0
"""Standard deviations within which a pixel agrees with its surroundings, see ``kernels.denoise``."""
_CELL_MM: Final = 3.0
"""Size that a cell of the maps is to have at least."""
_MOST_CELLS: Final = 600_000
UNKNOWN_PITCH_MM: Final = 1.0
"""Taken where the scanner does not say its pitch: the rules need sizes."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels; the first column and row are 0."""

    column: int
    row: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A connected region of a map.

    Attributes:
        mask: Its cells in the window, shape as the window.
        window: Rows and columns of the map that it lies in.
        cells: How many it has.

    """

    mask: Mask
    window: tuple[slice, slice]
    cells: int


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Cells of ``factor`` by ``factor`` pixels.

    Attributes:
        low: Attenuation of the low channel, shape (rows, columns); that of the high one where there is no low one.
        high: Attenuation of the high channel, or of the only one.
        classes: As of ``kernels.classify``; with one energy 0, 255 (something) and 4 only.
        sigma: Standard deviation of the noise of ``high``.
        pitch_mm: Of rows and columns of cells.
        known_pitch: Whether the scanner said it.
        factor: Pixels on each side of a cell.
        dual: Whether materials can be told.

    """

    low: Map
    high: Map
    classes: NDArray[np.uint8]
    sigma: Map
    pitch_mm: tuple[float, float]
    known_pitch: bool
    factor: int
    dual: bool

    @property
    def cell_cm2(self) -> float:
        """Area of a cell."""
        return self.pitch_mm[0] * self.pitch_mm[1] / 100

    def cells(self, millimetres: float) -> int:
        """How many cells a length has, at least one."""
        return max(round(millimetres / math.sqrt(self.pitch_mm[0] * self.pitch_mm[1])), 1)

    def box(self, spot: Spot) -> Box:
        """A spot's box in pixels of the scan."""
        rows, columns = spot.window
        f = self.factor
        return Box(columns.start * f, rows.start * f, (columns.stop - columns.start) * f, (rows.stop - rows.start) * f)

    def polygon(self, spot: Spot) -> tuple[tuple[int, int], ...]:
        """The outline of a spot: columns and rows in pixels of the scan, simplified to a cell."""
        padded = np.pad(spot.mask.astype(np.uint8), 1)
        outlines, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        outline = cv2.approxPolyDP(max(outlines, key=len), 1.0, True)[:, 0] - 1
        rows, columns = spot.window
        f, half = self.factor, self.factor // 2
        return tuple((int((x + columns.start) * f + half), int((y + rows.start) * f + half)) for x, y in outline)


def make(corrected: Corrected, calibration: Calibration) -> Maps:
    """Maps of a scan."""
    pitch = corrected.pitch_mm or (UNKNOWN_PITCH_MM, UNKNOWN_PITCH_MM)
    pixels = corrected.high.size
    factor = max(
        round(_CELL_MM / max(pitch[0] * pitch[1], 1e-6) ** 0.5), int(np.ceil((pixels / _MOST_CELLS) ** 0.5)), 1
    )
    factor = min(factor, 16, *(max(side // 8, 1) for side in corrected.high.shape))
    coarse = binned(corrected, factor)
    table = logarithms()
    high = table.take(coarse.high)
    low = table.take(coarse.low) if coarse.low is not None else high
    sigma = np.sqrt(np.float32(coarse.noise[1]) / np.maximum(coarse.high, 1), dtype=np.float32)
    if coarse.low is not None:
        classes = classify(coarse, calibration)
    else:
        classes = np.where(high < max(EMPTY, 0.03), 0, 255).astype(np.uint8)
        classes[high > calibration.opaque] = 4
    return Maps(
        low,
        high,
        classes,
        sigma,
        (pitch[0] * factor, pitch[1] * factor),
        corrected.pitch_mm is not None,
        factor,
        coarse.low is not None,
    )


def classify(corrected: Corrected, calibration: Calibration) -> NDArray[np.uint8]:
    """The class of each pixel of a dual-energy scan, as ``kernels.classify`` gives them."""
    assert corrected.low is not None
    out = np.empty(corrected.high.shape, np.uint8)
    empty, opaque = AIR * np.exp(-EMPTY), AIR * np.exp(-calibration.opaque)
    kernels.classify(
        corrected.low, corrected.high, corrected.noise, AGREE, limits(calibration), float(empty), float(opaque), out
    )
    return out


def spots(mask: Mask, least: float) -> list[Spot]:
    """The connected regions of a mask with at least ``least`` cells, the largest first."""
    runs, found = connected(np.ascontiguousarray(mask).view(np.uint8), 1, max(int(np.ceil(least)), 1))
    numbers = np.empty(mask.shape, np.int32)
    paint(runs, numbers)
    out = []
    for number, (left, top, right, bottom, cells, *_) in enumerate(found.tolist()):
        window = (slice(top, bottom), slice(left, right))
        out.append(Spot(numbers[window] == number, window, cells))
    return sorted(out, key=lambda spot: -spot.cells)


def grow(mask: Mask, cells: int) -> Mask:
    """A mask with all cells that are at most ``cells`` away, in a square."""
    kernel = np.ones((2 * cells + 1, 2 * cells + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.view(np.uint8), kernel), np.bool_)


def shrink(mask: Mask, cells: int) -> Mask:
    """A mask without the cells that are at most ``cells`` from its edge; beyond the border is outside."""
    kernel = np.ones((2 * cells + 1, 2 * cells + 1), np.uint8)
    eroded = cv2.erode(mask.view(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(eroded, np.bool_)
