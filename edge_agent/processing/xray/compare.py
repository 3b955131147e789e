"""A vehicle's scan against its own earlier one: brought to cover each other, then subtracted.

Change detection as it is usual on cargo images: register, level the intensities, subtract, judge by rules. Only a
vehicle's own earlier scan is compared, never a template of its model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.calibration import Calibration
from edge_agent.processing.xray.decompose import peel
from edge_agent.processing.xray.maps import Map, Maps, grow, shrink, spots
from edge_agent.processing.xray.physics import PMMA
from edge_agent.processing.xray.rules import Proposal, make, mean, uncertainty
from edge_agent.processing.xray.scan import Orientation
from edge_agent.processing.xray.tables import CLASSES

Floats = NDArray[np.float64]

_SCALES: Final = np.arange(0.92, 1.0801, 0.005)
"""Of one drive's speed to the other's."""
_CLIP: Final = 4.0
"""Attenuation from which one dark is like another for the registration."""
_SOFT: Final = 0.8
"""Standard deviation in cells of the smoothing of a difference; it leaves 0.36 of the noise of cells."""


@dataclass(frozen=True, slots=True)
class Change:
    """From which size and strength on a change is proposed.

    Attributes:
        cm2: Area.
        attenuation: Change of -ln(T).
        share: Change of -ln(T), relative to what was there before.
        shift_cells: How far, in cells, the registration may be off.

    """

    cm2: float = 8.0
    attenuation: float = 0.1
    share: float = 0.03
    shift_cells: float = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What differs between two scans of one vehicle.

    Attributes:
        proposals: The most urgent first, in pixels of the later scan.
        alike: Correlation of both scans after registration, -1 to 1; below 0.8 it is hardly the same vehicle, and
            nothing is proposed.
        shift_mm: How far the earlier scan had to be moved in the middle: down, and to the right.
        scale: Length of the vehicle in the earlier scan divided by that in the later one.
        earlier: Attenuation of the earlier scan's high channel, registered; shape as the maps of the later one.

    """

    proposals: tuple[Proposal, ...]
    alike: float
    shift_mm: tuple[float, float]
    scale: float
    earlier: Map


_ONWARD: Final = 0.65
"""Share of what is allowed, from which cells beside one that is beyond it belong to the change."""
LEAST_ALIKE: Final = 0.8


def compare(
    maps: Maps,
    earlier: Maps,
    calibration: Calibration,
    *,
    lines: Orientation = Orientation.LINES_ARE_COLUMNS,
    change: Change | None = None,
) -> Comparison:
    """Find what has changed since an earlier scan of the same vehicle.

    Args:
        maps: Of the later scan, see ``Analysis.maps``.
        earlier: Of the earlier scan, with cells of about the same size.
        calibration: Of the scanner.
        lines: How the detector's lines lie: the vehicle drives across them.
        change: From which size on a change is proposed.

    """
    rule = change or Change()
    flip = lines is Orientation.LINES_ARE_ROWS
    now = [np.ascontiguousarray(m.T if flip else m) for m in (maps.low, maps.high, maps.sigma)]
    then = [np.ascontiguousarray(m.T if flip else m) for m in (earlier.low, earlier.high, earlier.sigma)]
    across, down, scale = register(now[1], then[1])
    low, high, sigma = (
        np.asarray(cv2.remap(m, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
        for m in then
    )
    inside = (across >= 0) & (across <= then[1].shape[1] - 1) & (down >= 0) & (down <= then[1].shape[0] - 1)
    a, b = np.minimum(now[1], _CLIP), np.minimum(high, _CLIP)
    alike = float(np.corrcoef(a[::2, ::2].ravel(), b[::2, ::2].ravel())[0, 1])
    middle = (a.shape[0] // 2, a.shape[1] // 2)
    shift = (float(down[middle]) - middle[0], float(across[middle]) - middle[1])
    pitch = maps.pitch_mm[::-1] if flip else maps.pitch_mm
    moved = (-shift[0] * pitch[0], -shift[1] * pitch[1])
    proposals: list[Proposal] = []
    if alike >= LEAST_ALIKE:
        darkest = np.float32(calibration.opaque - 0.5)
        difference = _difference(np.minimum(now[1], darkest), np.minimum(high, darkest), now[2], sigma, rule) * inside
        if flip:
            difference, low, high = (np.ascontiguousarray(m.T) for m in (difference, low, high))
        proposals = _proposals(maps, low, high, difference, calibration, rule)
    elif flip:
        high = np.ascontiguousarray(high.T)
    return Comparison(tuple(proposals), alike, moved[::-1] if flip else moved, scale, high)


def register(now: Map, then: Map) -> tuple[Map, Map, float]:
    """Where each cell of ``now`` lies in ``then``: columns and rows, shape as ``now``; and the scale along the drive.

    First speed and shift from the profile along the drive, then strips one by one, to a smooth curve: vehicles are not
    driven evenly. Up and down they move as a whole, and nod a little.
    """
    a, b = np.minimum(now, _CLIP), np.minimum(then, _CLIP)
    scale, offset = _profile(a, b)
    rows, columns = a.shape
    x = np.arange(columns, dtype=np.float64)
    along = x * scale + offset
    up = np.zeros(columns)
    for strip in (max(columns // parts, 24) for parts in (4, 10, 16)):
        across, down = _grid(along, up, rows)
        warped = np.asarray(cv2.remap(b, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
        at, dx, dy, weight = _strips(a, warped, strip)
        if len(at) < 2:
            break
        along = along + _curve(at, dx, weight, x)
        up = up + _curve(at, dy, weight, x)
    across, down = _grid(along, up, rows)
    return across, down, scale


def _grid(along: Floats, up: Floats, rows: int) -> tuple[Map, Map]:
    across = np.broadcast_to(along, (rows, along.size)).astype(np.float32)
    down = (np.arange(rows)[:, None] + up).astype(np.float32)
    return np.ascontiguousarray(across), np.ascontiguousarray(down)


def _profile(a: Map, b: Map) -> tuple[float, float]:
    """Scale and offset along the drive: columns of ``a`` lie at ``x * scale + offset`` in ``b``."""

    def edges(m: Map) -> Floats:
        # Rows by rows the change along the drive, so that what stands at different heights counts apart.
        bands = cv2.resize(m, (m.shape[1], 8), interpolation=cv2.INTER_AREA)
        return np.asarray(np.diff(bands, axis=1, append=bands[:, -1:]), np.float64)

    first, second = edges(a), edges(b)
    size = 1 << int(np.ceil(np.log2(2 * max(first.shape[1], second.shape[1]))))
    spectrum = np.fft.rfft(first, size)
    x = np.arange(first.shape[1])
    best = (-np.inf, 1.0, 0.0)
    places = np.arange(second.shape[1])
    for scale in _SCALES:
        stretched = np.stack([np.interp(x * scale, places, row, right=0) for row in second])
        correlation = np.fft.irfft((np.conj(np.fft.rfft(stretched, size)) * spectrum).sum(axis=0), size)
        lag = int(np.argmax(correlation))
        strength = float(correlation[lag] / (np.linalg.norm(stretched) + 1e-9))
        if strength > best[0]:
            lag = lag - size if lag > size // 2 else lag
            best = (strength, float(scale), -lag * float(scale))
    return best[1], best[2]


def _strips(a: Map, b: Map, strip: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Shift of strips of ``b`` against ``a``: their middles, shifts in x and y, and how sure each is."""
    out = []
    edge_a, edge_b = _edge(a), _edge(b)
    for start in range(0, a.shape[1] - strip + 1, max(strip // 2, 1)):
        part_a, part_b = edge_a[:, start : start + strip], edge_b[:, start : start + strip]
        if min(part_a.std(), part_b.std()) < 0.01:
            continue
        window = cv2.createHanningWindow((strip, a.shape[0]), cv2.CV_32F)
        (dx, dy), response = cv2.phaseCorrelate(
            np.ascontiguousarray(part_a), np.ascontiguousarray(part_b), window.astype(np.float32)
        )
        if response > 0.05 and abs(dx) < strip / 4 and abs(dy) < a.shape[0] / 8:
            out.append((start + strip / 2 - 0.5, dx, dy, response))
    table = np.array(out, np.float64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]


def _edge(m: Map) -> Map:
    soft = cv2.GaussianBlur(m, (0, 0), 1.0)
    return np.asarray(np.abs(cv2.Sobel(soft, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(soft, cv2.CV_32F, 0, 1)), np.float32)


def _curve(at: Floats, value: Floats, weight: Floats, x: Floats) -> Floats:
    """A smooth curve through the shifts of strips, without those far from their neighbours."""
    middle = np.array([np.median(value[max(i - 2, 0) : i + 3]) for i in range(len(value))])
    keep = np.abs(value - middle) <= 1.5
    if keep.sum() < 2:
        return np.full_like(x, float(np.median(value)))
    degree = min(5, int(keep.sum()) // 3)
    centre, half = x.mean(), x.size / 2
    fitted = np.polynomial.polynomial.polyfit((at[keep] - centre) / half, value[keep], degree, w=np.sqrt(weight[keep]))
    # Beyond the outermost strips the curve goes on level: a polynomial would run away.
    inside = np.clip(x, at[keep].min(), at[keep].max())
    return np.asarray(np.polynomial.polynomial.polyval((inside - centre) / half, fitted), np.float64)


def _difference(a: Map, b: Map, sigma_a: Map, sigma_b: Map, rule: Change) -> Map:
    """Change of attenuation, 0 where it is not beyond what noise and registration explain."""
    difference = np.asarray(cv2.GaussianBlur(a - b, (0, 0), _SOFT), np.float32)
    calm = (a > 0.2) & (a < 3)
    if calm.sum() > 100:
        # Beam and detector may have drifted by some percent: a level change of all, not of one place.
        difference -= np.float32(np.median(difference[calm]))
    # What stands in both scans leaves edges where the registration is off; what is new has edges in one of them only.
    steep = np.minimum(*(_steepest(m) for m in (a, b)))
    noise = np.sqrt(sigma_a**2 + sigma_b**2)
    allowed = rule.attenuation + rule.share * np.minimum(a, b) + 4.5 * 0.36 * noise + rule.shift_cells * steep
    # What is beyond doubt somewhere counts as far as it goes on.
    strong, loose = np.abs(difference) > allowed, np.abs(difference) > _ONWARD * allowed
    out = np.zeros_like(difference)
    for spot in spots(loose, 1):
        if strong[spot.window][spot.mask].any():
            out[spot.window][spot.mask] = difference[spot.window][spot.mask]
    return out


def _steepest(m: Map) -> Map:
    """Largest change of attenuation between neighbours, within two cells."""
    gradient = cv2.morphologyEx(m, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.dilate(gradient, np.ones((3, 3), np.uint8)), np.float32)


def _proposals(
    maps: Maps, low: Map, high: Map, difference: Map, calibration: Calibration, rule: Change
) -> list[Proposal]:
    out = []
    for sign in (1, -1):
        mask = np.ascontiguousarray(sign * difference > 0)
        for spot in spots(mask, max(0.4 * rule.cm2 / maps.cell_cm2, 2)):
            padded = np.pad(spot.mask, 1)
            compact = shrink(grow(padded, 1), 1)
            cells = int(compact.sum())
            box_cells = spot.mask.size
            if cells < 0.35 * box_cells or min(spot.mask.shape) < 2:
                continue
            area = cells * maps.cell_cm2
            if area < rule.cm2:
                continue
            now_low, now_high = (mean(m[spot.window], spot.mask) for m in (maps.low, maps.high))
            then_low, then_high = (mean(m[spot.window], spot.mask) for m in (low, high))
            front, total = (then_low, then_high), (now_low, now_high)
            if sign < 0:
                front, total = total, front
            material, what = "", "something"
            mass = None
            if maps.dual and max(now_high, then_high) < calibration.opaque - 0.5:
                found = peel(calibration, *((np.array([pair[0]]), np.array([pair[1]])) for pair in (front, total)))
                doubt = 1.5 * uncertainty(maps.low[spot.window], maps.high[spot.window], spot.mask)
                doubt /= max(float(found.apart[0]), 1e-6)
                index, limits = float(found.index[0]), (0.5, 1.5)
                if min(abs(index - limit) for limit in limits) > doubt:
                    material = CLASSES[1 + sum(index > limit for limit in limits)]
                    what = f"{material}-like material"
                density = float(found.plastic_mm[0]) / 10 * PMMA.density
                if material == "organic":
                    mass = density * area
            reason = (
                f"{'New' if sign > 0 else 'Gone'} since the earlier scan: {what} on {area:.0f} cm2,"
                f" attenuation {then_high:.2f} then and {now_high:.2f} now."
            )
            score = float(1 - 0.5 * rule.attenuation / max(abs(now_high - then_high), rule.attenuation))
            out.append(
                make(maps, calibration, "changed", reason, spot, material, mass, score * (1 if sign > 0 else 0.9))
            )
    return sorted(out, key=lambda proposal: -proposal.score)
