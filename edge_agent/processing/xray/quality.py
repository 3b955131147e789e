"""The scanner's own health: what a scan of its test piece says, figure by figure.

The figures are those of ASTM F792 and IEC 62523 that a program can take by itself: wire display, penetration, spatial
resolution, contrast of steps, materials. Neither standard's numbers are claimed: those need its own test object, and
people who look. What counts here is that the same figure, taken from the same piece each day, does not change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.calibration import Calibration, Reading
from edge_agent.processing.xray.correct import Corrected
from edge_agent.processing.xray.kernels import AIR
from edge_agent.processing.xray.piece import Piece, Region, Wire
from edge_agent.processing.xray.scan import Channel, Orientation, Scan
from edge_agent.processing.xray.sharpness import mtf50
from edge_agent.processing.xray.tables import index, logarithms

Floats = NDArray[np.float64]
Span = tuple[slice, slice]

OBJECT: Final = 0.05
"""Attenuation from which a pixel is one of the piece's."""
SIZE_TOLERANCE: Final = 0.08
VISIBLE: Final = 5.0
"""Contrast to noise from which a part counts as seen: the Rose criterion (A. Rose, 1948)."""
_MARGIN: Final = 0.2
"""Of a region, left out on each side: neither belts nor scanners are exact."""
_BLOCKS: Final = 64
_MIDDLE: Final = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure; its value is None where it could not be taken, and ``note`` says why."""

    name: str
    value: float | None
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """What one scan of a test piece says.

    Attributes:
        figures: Each with a name that stays the same from day to day.
        readings: Steps of the wedges, for a fit of the material curves; empty with one energy.
        dark: Counts behind lead and the thickest steel, by channel.
        gains: The open beam along the detector in 64 blocks, relative to its mean, by channel.
        places: Where the parts were looked for, as (name, left, top, width, height) in pixels.

    """

    figures: tuple[Measured, ...]
    readings: tuple[Reading, ...]
    dark: dict[str, float]
    gains: dict[str, tuple[float, ...]]
    places: tuple[tuple[str, int, int, int, int], ...]


class PieceError(ValueError):
    """The scan is not one of this test piece, with the reason in a technician's words."""


def measure(
    scan: Scan,
    corrected: Corrected,
    piece: Piece,
    calibration: Calibration,
    *,
    gains: dict[str, tuple[float, ...]] | None = None,
) -> Health:
    """Take all figures of a scan of a test piece.

    Args:
        scan: the raw counts.
        corrected: the same, corrected.
        piece: where the parts lie.
        calibration: the material curves by which patches are judged.
        gains: those of the last calibration, to compare with.

    Raises:
        PieceError: the piece is not to be found in the scan, or is another one.
    """
    plan = _Plan(corrected, piece)
    high = logarithms()[corrected.high].astype(np.float64)
    low = logarithms()[corrected.low].astype(np.float64) if corrected.low is not None else None
    finest = low if low is not None else high
    now = {channel.value: _profile(flat_gain) for channel, flat_gain in _open_profiles(corrected).items()}
    figures = [
        *_open_beam(scan, corrected, plan),
        *_gain_change(now, gains or {}),
        *_wires(finest, plan),
        *_penetration(high, scan, plan),
        *_wedges(high, plan),
        *_edges(corrected, plan),
        *_patches(low, high, plan, calibration),
    ]
    readings = tuple(_readings(corrected, plan)) if corrected.low is not None else ()
    dark = {
        f.name.removeprefix("dark_"): f.value for f in figures if f.name.startswith("dark_") and f.value is not None
    }
    return Health(tuple(figures), readings, dark, now, tuple(plan.places()))


class _Plan:
    """The test piece where it lies in a scan."""

    def __init__(self, corrected: Corrected, piece: Piece) -> None:
        self.piece = piece
        pitch = (1.0, 1.0) if piece.unit == "pixels" else corrected.pitch_mm
        if pitch is None:
            raise PieceError("The test piece is described in mm, but the scanner does not say the pitch of its pixels.")
        self.pitch = pitch
        self.pitch_mm = corrected.pitch_mm
        self.shape = corrected.high.shape
        self.top, self.left, rows, columns = _outline(corrected)
        for what, found, wanted in (
            ("wide", columns * pitch[1], piece.width),
            ("high", rows * pitch[0], piece.height),
        ):
            if abs(found / wanted - 1) > SIZE_TOLERANCE:
                raise PieceError(
                    f"What lies in the beam is {found:.0f} {piece.unit} {what}, the test piece {wanted:.0f}: lay "
                    "nothing but the piece on the belt, the right way round."
                )
        self._scale = (rows / piece.height, columns / piece.width)  # takes up what belt speed makes of the pitch

    def span(self, region: Region, margin: float = _MARGIN) -> Span:
        """Rows and columns of a region without its margin."""
        left, top, width, height = region
        y, h = self.top + (top + margin * height) * self._scale[0], height * (1 - 2 * margin) * self._scale[0]
        x, w = self.left + (left + margin * width) * self._scale[1], width * (1 - 2 * margin) * self._scale[1]
        rows = slice(max(round(y), 0), min(max(round(y + h), round(y) + 1), self.shape[0]))
        columns = slice(max(round(x), 0), min(max(round(x + w), round(x) + 1), self.shape[1]))
        return rows, columns

    def places(self) -> Iterator[tuple[str, int, int, int, int]]:
        """Where everything is looked for."""
        regions: list[tuple[str, Region]] = []
        for wedge in self.piece.wedge:  # named once, so that there is room for the numbers
            names = [f"{wedge.material} "] + [""] * len(wedge.step)
            regions += [(f"{n}{step.thickness_mm:g}", step.region) for n, step in zip(names, wedge.step, strict=False)]
        regions += [(f"AWG {wire.awg}", wire.region) for wire in self.piece.wire]
        regions += [(f"lead {block.steel_mm:g}", block.lead) for block in self.piece.penetration]
        regions += [("edge", edge.region) for edge in self.piece.edge]
        regions += [(patch.name, patch.region) for patch in self.piece.patch]
        for name, region in regions:
            rows, columns = self.span(region)
            yield name, columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start


def _outline(corrected: Corrected) -> tuple[int, int, int, int]:
    """Top, left, rows and columns of everything that lies in the beam, without specks."""
    there = cv2.blur(corrected.high, (_MIDDLE, _MIDDLE)) < AIR * np.exp(-OBJECT)
    for flat in corrected.flats.values():
        if flat.dead:
            lines_are_rows = corrected.lines is Orientation.LINES_ARE_ROWS
            there[(slice(None), list(flat.dead)) if lines_are_rows else (list(flat.dead), slice(None))] = False
    rows = np.flatnonzero(there.mean(axis=1) > 0.03)
    if len(rows) < 8:
        raise PieceError("Nothing lies in the beam: put the test piece on the belt.")
    columns = np.flatnonzero(there[rows[0] : rows[-1] + 1].mean(axis=0) > 0.03)
    if len(columns) < 8:
        raise PieceError("Nothing lies in the beam: put the test piece on the belt.")
    return int(rows[0]), int(columns[0]), int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


# -- open beam ---------------------------------------------------------------------------------------------------------


def _channels(scan: Scan) -> dict[str, NDArray[np.uint16]]:
    every = {"low": scan.low, "high": scan.high, "single": scan.single}
    return {name: counts for name, counts in every.items() if counts is not None}


def _open_lines(corrected: Corrected, plan: _Plan) -> Span | None:
    """The lines before the piece, where nothing is in the beam."""
    if corrected.lines is Orientation.LINES_ARE_ROWS:
        return (slice(0, plan.top - 4), slice(None)) if plan.top >= 20 else None
    return (slice(None), slice(0, plan.left - 4)) if plan.left >= 20 else None


def _open_beam(scan: Scan, corrected: Corrected, plan: _Plan) -> Iterator[Measured]:
    before = _open_lines(corrected, plan)
    along = 0 if corrected.lines is Orientation.LINES_ARE_ROWS else 1
    for name, counts in _channels(scan).items():
        if before is None:
            yield Measured(f"noise_{name}", None, "%", "no open lines before the piece")
            continue
        lines = counts[before].astype(np.float64)
        mean, deviation = lines.mean(axis=along), lines.std(axis=along)
        alive = mean > 0.2 * np.median(mean)
        yield Measured(f"open_beam_{name}", float(mean[alive].mean()), "counts")
        yield Measured(f"noise_{name}", float(np.median(deviation[alive] / mean[alive])) * 100, "%")
        half = lines.shape[along] // 2
        first, last = np.split(lines, [half], axis=along)
        yield Measured(f"drift_{name}", (float(last.mean()) / float(first.mean()) - 1) * 100, "%")
        yield Measured(f"dead_elements_{name}", float(np.count_nonzero(~alive)), "")


def _open_profiles(corrected: Corrected) -> dict[Channel, Floats]:
    """The open beam of each element, from the gain that was needed, where it was measured."""
    lines_are_rows = corrected.lines is Orientation.LINES_ARE_ROWS
    found = {}
    for channel, flat in corrected.flats.items():
        gain = (flat.columns if lines_are_rows else flat.rows)[1].astype(np.float64)
        if flat.measured:
            gain[list(flat.dead)] = np.nan
            found[channel] = 1 / np.where(gain > 0, gain, np.nan)
    return found


def _profile(open_beam: Floats) -> tuple[float, ...]:
    blocks = [float(np.nanmean(block)) for block in np.array_split(open_beam, min(_BLOCKS, len(open_beam)))]
    return tuple(round(block / float(np.nanmean(blocks)), 5) for block in blocks)


def _gain_change(now: dict[str, tuple[float, ...]], before: dict[str, tuple[float, ...]]) -> Iterator[Measured]:
    for name, profile in now.items():
        old = before.get(name, ())
        if len(old) == len(profile):
            change = float(np.nanmax(np.abs(np.array(profile) / np.array(old) - 1)))
            yield Measured(f"gain_change_{name}", change * 100, "%")


# -- parts of the piece ------------------------------------------------------------------------------------------------


def _wires(attenuation: Floats, plan: _Plan) -> Iterator[Measured]:
    seen = []
    for wire in plan.piece.wire:
        cnr = _wire(attenuation, wire, plan)
        yield Measured(f"wire_awg{wire.awg}_cnr", cnr, "", "" if cnr is not None else "its region is too small")
        if cnr is not None and cnr >= VISIBLE:
            seen.append(wire.awg)
    if plan.piece.wire:
        yield Measured("thinnest_wire_awg", float(max(seen)) if seen else None, "AWG", "" if seen else "none is seen")


def _wire(attenuation: Floats, wire: Wire, plan: _Plan) -> float | None:
    """Contrast to noise of a wire: a matched filter over the mean along its length.

    The filter is the wire's width seen with the pixel's; the noise is that of its answer beside the wire.
    """
    part = attenuation[plan.span(wire.region, margin=0.05)]
    across_rows = wire.region[2] * plan.pitch[1] > wire.region[3] * plan.pitch[0]
    profile = np.mean(part, axis=1 if across_rows else 0)
    pitch = plan.pitch_mm[0 if across_rows else 1] if plan.pitch_mm is not None else wire.diameter_mm
    width = max(round(wire.diameter_mm / pitch), 1)
    template = np.convolve(np.full(width, 1.0), [0.25, 0.5, 0.25])
    if len(profile) < 4 * len(template) + 8:
        return None
    answer = np.convolve(profile - np.median(profile), template / np.linalg.norm(template), mode="valid")
    third = len(answer) // 3
    at = third + int(np.argmax(answer[third : 2 * third + 1]))
    beside = np.delete(answer, slice(max(at - len(template), 0), at + len(template) + 1))
    noise = 1.4826 * float(np.median(np.abs(beside - np.median(beside))))
    return float((answer[at] - np.median(beside)) / max(noise, 1e-9))


def _penetration(attenuation: Floats, scan: Scan, plan: _Plan) -> Iterator[Measured]:
    cnrs: list[tuple[float, float]] = []
    for block in sorted(plan.piece.penetration, key=lambda block: block.steel_mm):
        behind, beside = (_means(attenuation[plan.span(r)]) for r in (block.lead, block.beside))
        if min(len(behind), len(beside)) < 4:
            yield Measured(f"lead_behind_{block.steel_mm:g}mm_cnr", None, "", "its regions are too small")
            continue
        noise = np.sqrt((behind.var(ddof=1) + beside.var(ddof=1)) / 2)
        cnr = float((np.median(behind) - np.median(beside)) / max(noise, 1e-6))
        cnrs.append((block.steel_mm, cnr))
        yield Measured(f"lead_behind_{block.steel_mm:g}mm_cnr", cnr)
    if cnrs:
        yield Measured("steel_penetration", _reaches(cnrs), "mm", "thickest steel before which lead is seen")
        thickest = max(plan.piece.penetration, key=lambda block: block.steel_mm)
        for name, counts in _channels(scan).items():
            dark = float(np.mean(counts[plan.span(thickest.lead)]))
            yield Measured(f"dark_{name}", dark, "counts", "behind lead and the thickest steel")


def _means(part: Floats) -> Floats:
    """Means of squares of 5 x 5 pixels: an eye does as much."""
    rows, columns = (size // _MIDDLE * _MIDDLE for size in part.shape)
    squares = part[:rows, :columns].reshape(rows // _MIDDLE, _MIDDLE, columns // _MIDDLE, _MIDDLE)
    return np.asarray(squares.mean(axis=(1, 3))).ravel()


def _reaches(cnrs: list[tuple[float, float]]) -> float:
    """The thickness at which the contrast falls under ``VISIBLE``, on a straight line between the two around it."""
    reached = 0.0
    for (thin, before), (thick, cnr) in zip([(0.0, np.inf), *cnrs], cnrs, strict=False):
        if cnr < VISIBLE:
            share = (before - VISIBLE) / (before - cnr) if np.isfinite(before) else 0.0
            return thin + share * (thick - thin)
        reached = thick
    return reached


def _wedges(attenuation: Floats, plan: _Plan) -> Iterator[Measured]:
    for wedge in plan.piece.wedge:
        steps = sorted(wedge.step, key=lambda step: step.thickness_mm)
        parts = [attenuation[plan.span(step.region)] for step in steps]
        means, noises = np.array([p.mean() for p in parts]), np.array([p.std() for p in parts])
        rises = np.diff(means)
        cnrs = rises / np.maximum(np.hypot(noises[1:], noises[:-1]) / np.sqrt(2), 1e-6)
        yield Measured(f"{wedge.material}_steps_rising", float(np.count_nonzero(rises > 0)), f"of {len(rises)}")
        if len(cnrs):
            yield Measured(f"{wedge.material}_least_step_cnr", float(cnrs.min()))


def _edges(corrected: Corrected, plan: _Plan) -> Iterator[Measured]:
    for edge in plan.piece.edge:
        part = corrected.high[plan.span(edge.region, margin=0.05)].astype(np.float64)
        frequency = mtf50(part if edge.across == "columns" else part.T)
        pitch = plan.pitch_mm[1 if edge.across == "columns" else 0] if plan.pitch_mm is not None else None
        name = f"mtf50_across_{edge.across}"
        if frequency is None:
            yield Measured(name, None, "", "no clean edge in its region")
        elif pitch is None:
            yield Measured(name, frequency, "1/pixel")
        else:
            yield Measured(name, frequency / pitch, "1/mm")


def _patches(low: Floats | None, high: Floats, plan: _Plan, calibration: Calibration) -> Iterator[Measured]:
    for patch in plan.piece.patch:
        name = f"patch_{patch.name}"
        if low is None:
            yield Measured(name, None, "%", "needs two energies")
            continue
        span = plan.span(patch.region)
        where = index(calibration, _means(low[span]), _means(high[span]))
        right = {"organic": where < 0.5, "inorganic": (where >= 0.5) & (where < 1.5), "metal": where >= 1.5}
        if len(where):
            yield Measured(name, float(np.mean(right[patch.material])) * 100, "%", f"called {patch.material}")


def _readings(corrected: Corrected, plan: _Plan) -> Iterator[Reading]:
    assert corrected.low is not None
    for wedge in plan.piece.wedge:
        for step in wedge.step:
            span = plan.span(step.region)
            low, high = (float(counts[span].mean()) / AIR for counts in (corrected.low, corrected.high))
            yield Reading(wedge.material, step.thickness_mm, low, high)
