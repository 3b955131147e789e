"""From a guess to a zone: the guess is straightened at full resolution, its lines and character cells are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.pyramid import Pyramid
from edge_agent.processing.mrz.locate.zone import Zone, turned

Array = NDArray[np.float64]
Strip = NDArray[np.float32]

SPACING: Final = 24
"""From line to line in the straightened strip, in pixels; a character is then 8 to 14 pixels wide."""
_MARGIN: Final = 22
"""Pixels above the middle of the first line and below that of the last."""
_REACH: Final = 60
"""Pixels beyond the ends of the guess."""
_STROKES: Final = 9
_BLOCK: Final = 40
"""Columns of the strip over which the place of a line is averaged."""
COLUMNS: Final = {2: (44, 36), 3: (30,)}
_PITCHES: Final = np.geomspace(6.5, 18.0, 80)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The grid of cells that suits the lines best, along the strip."""

    columns: int
    start: float
    pitch: float
    full: float
    """Mean presence of text inside the grid in the emptiest line, 0 to 1."""
    beyond: float
    """Mean presence of text just outside, 0 to 1."""
    rhythm: float
    """How far the spacing of the cells stands out of the spectrum of the ink, 0 to 1."""


def fit(pyramid: Pyramid, lines: Array) -> Zone | None:
    """Measure the zone that a guess points at; None if it is none.

    ``lines`` has shape (2 or 3, 2, 2): the ends of each line's middle in pixels of the full picture.
    """
    level = _level(lines)
    picture = pyramid.halved(level)
    placed = (lines + 0.5) / 2**level - 0.5
    count = len(lines)
    for _ in range(2):
        spacing = float(np.hypot(*np.diff(placed.mean(axis=1), axis=0).T).mean())
        length = float(np.hypot(*(placed[:, 1] - placed[:, 0]).T).mean()) * SPACING / max(spacing, 1e-3)
        if not 4 * SPACING < length < 40 * SPACING:
            return None
        to_picture = _rectangle(placed[[0, -1]], length, count)
        ink = _ink(picture, to_picture, length, count)
        centres = _centres(ink, count)
        if centres is None:
            return None
        # The same lines, each where its ink is.
        ends = np.array([_REACH, _REACH + length])
        corrected = np.stack([np.column_stack((ends, at + slope * ends)) for at, slope in centres])
        placed = cv2.perspectiveTransform(corrected.reshape(-1, 1, 2), to_picture).reshape(placed.shape)
    rows = _rows(ink, centres)
    if rows is None:
        return None
    top, base = rows
    presence, profiles = _profiles(ink, centres, top, base)
    cells = _cells(presence, profiles, base - top, count)
    if cells is None:
        return None
    plausibility = _plausibility(ink, centres, cells, top, base)
    ends = np.array([cells.start, cells.start + cells.columns * cells.pitch])
    quads = []
    for at, slope in centres:
        (left, right), (x0, x1) = at + slope * ends, ends
        corners = np.array([(x0, left + top), (x1, right + top), (x1, right + base), (x0, left + base)])
        quad = cv2.perspectiveTransform(corners[None], to_picture)[0]
        quads.append(((quad + 0.5) * 2**level - 0.5).astype(np.float32))
    upright = _fillers(ink, centres, cells, top, base)
    ordered = tuple(quads) if upright >= 0 else turned(tuple(quads))
    return Zone(ordered, cells.columns, plausibility, abs(upright))


def _level(lines: Array) -> int:
    """How often the picture may be halved so that lines are still ``SPACING`` pixels apart."""
    spacing = float(np.hypot(*np.diff(lines.mean(axis=1), axis=0).T).mean())
    return max(0, int(np.log2(max(spacing, 1.0) / (0.9 * SPACING))))


def _rectangle(outer: Array, length: float, count: int) -> Array:
    """The homography from the strip to the picture; ``outer`` are the ends of the first and the last line."""
    bottom = _MARGIN + (count - 1) * SPACING
    strip = [(_REACH, _MARGIN), (_REACH + length, _MARGIN), (_REACH + length, bottom), (_REACH, bottom)]
    corners = np.array([outer[0, 0], outer[0, 1], outer[1, 1], outer[1, 0]])
    return cv2.getPerspectiveTransform(np.array(strip, np.float32), corners.astype(np.float32))


def _ink(picture: NDArray[np.uint8], to_picture: Array, length: float, count: int) -> Strip:
    """The straightened strip as ink, 0 to 1, whatever the light: dark strokes relative to the strokes around them."""
    size = (round(length) + 2 * _REACH, (count - 1) * SPACING + 2 * _MARGIN)
    strip = cv2.warpPerspective(
        picture, to_picture, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    dark = cv2.morphologyEx(strip, cv2.MORPH_BLACKHAT, np.ones((_STROKES, _STROKES), np.uint8)).astype(np.float32)
    around = cv2.blur(dark, (121, size[1]))
    typical = max(float(around.mean()), 1.0)
    return np.asarray(np.minimum(dark / (3.0 * np.maximum(around, 0.3 * typical)), 1.0), np.float32)


def _centres(ink: Strip, count: int) -> list[tuple[float, float]] | None:
    """Height at the left border and slope of the middle of each line."""
    width = ink.shape[1]
    blocks = max(2, round((width - 2 * _REACH) / _BLOCK))
    edges = np.linspace(_REACH, width - _REACH, blocks + 1)
    sums = np.cumsum(np.pad(ink, ((0, 0), (1, 0))), axis=1, dtype=np.float64)[:, np.round(edges).astype(int)]
    rows = np.diff(sums, axis=1)
    rows -= rows.min(axis=0)
    x = (edges[1:] + edges[:-1]) / 2
    heights = np.arange(len(ink), dtype=np.float64)[:, None]
    out = []
    for line in range(count):
        centre = np.full(blocks, float(_MARGIN + line * SPACING))
        # The window narrows to the line, and moves with it.
        for reach in (0.55, 0.4, 0.4):
            window = rows * np.clip((reach * SPACING + 1 - np.abs(heights - centre)), 0, 1)
            weight = window.sum(axis=0)
            moved = np.where(weight > 0, (window * heights).sum(axis=0) / np.maximum(weight, 1e-9), centre)
            slope, at = _straight(x, moved, weight)
            centre = at + slope * x
        out.append((at, slope))
    if any(below[0] - above[0] < 0.4 * SPACING for above, below in zip(out, out[1:], strict=False)):
        return None
    return out


def _straight(x: Array, y: Array, weight: Array) -> tuple[float, float]:
    """Slope and offset of the line through most of the points."""
    weight = np.maximum(weight, 1e-6)
    trust = weight
    slope, at = 0.0, 0.0
    for _ in range(3):
        total = trust.sum()
        mean_x, mean_y = (trust * x).sum() / total, (trust * y).sum() / total
        slope = (trust * (x - mean_x) * (y - mean_y)).sum() / (trust * (x - mean_x) ** 2).sum()
        at = mean_y - slope * mean_x
        trust = weight / (1 + (np.abs(y - at - slope * x) / 0.8) ** 2)
    return float(slope), float(at)


def _rows(ink: Strip, centres: list[tuple[float, float]]) -> tuple[float, float] | None:
    """Top of the capitals and base line, relative to the middle of a line, from the rows of all lines together."""
    width = ink.shape[1]
    profile = np.zeros(2 * _FINE + 1)
    offsets = np.arange(-_FINE, _FINE + 1) / 2
    inside = ink[:, _REACH : width - _REACH]
    for at, slope in centres:
        blocks = np.array_split(np.arange(inside.shape[1]), 8)
        for block in blocks:
            rows = inside[:, block[0] : block[-1] + 1].mean(axis=1)
            middle = at + slope * (_REACH + block.mean())
            profile += np.interp(middle + offsets, np.arange(len(rows)), rows)
    profile /= 8 * len(centres)
    low = np.sort(profile)[: len(profile) // 4].mean()
    high = np.sort(profile)[-len(profile) // 4 :].mean()
    if high - low < 0.02:
        return None
    level = low + 0.5 * (high - low)
    above = profile >= level
    middle = len(profile) // 2
    if not above[middle - 4 : middle + 5].any():
        return None
    start = middle - 4 + int(np.argmax(above[middle - 4 : middle + 5]))
    first, last = start, start
    while first > 0 and above[first - 1 : first].any():
        first -= 1
    while last < len(profile) - 1 and above[last + 1]:
        last += 1
    return float(_crossing(profile, first - 1, level, offsets)), float(_crossing(profile, last, level, offsets))


_FINE: Final = 24
"""Half rows to both sides in which the line's height is measured."""


def _crossing(profile: Array, i: int, level: float, offsets: Array) -> float:
    """Where the profile crosses the level between samples i and i + 1."""
    if i < 0 or i + 1 >= len(profile):
        return float(offsets[min(max(i, 0), len(profile) - 1)])
    rise = profile[i + 1] - profile[i]
    share = 0.5 if abs(rise) < 1e-9 else float(np.clip((level - profile[i]) / rise, 0, 1))
    return float(offsets[i] + share * (offsets[i + 1] - offsets[i]))


def _profiles(ink: Strip, centres: list[tuple[float, float]], top: float, base: float) -> tuple[Array, Array]:
    """For each line and column of the strip: presence of text (0 to 1, smooth over a character), and mean ink.

    Text is present where a line has more ink than the gaps beside it: a pattern of the paper darkens both.
    """
    width = ink.shape[1]
    columns = np.arange(width)
    sums = np.cumsum(np.pad(ink, ((1, 0), (0, 0))), axis=0, dtype=np.float64)

    def band(middle: Array, first: float, last: float) -> Array:
        begin = np.clip(np.round(middle + first).astype(int), 0, len(ink) - 1)
        end = np.clip(np.round(middle + last).astype(int), begin + 1, len(ink))
        return np.asarray((sums[end, columns] - sums[begin, columns]) / (end - begin))

    middles = [at + slope * columns for at, slope in centres]
    text = np.array([band(middle, top, base) for middle in middles])
    gap = np.mean([band(middle, base + 3, base + 3 + _GAP) for middle in middles], axis=0)
    gap = 0.5 * gap + 0.5 * np.mean([band(middle, top - 2 - _GAP, top - 2) for middle in middles], axis=0)
    kernel = max(3, round(1.5 * (base - top)))
    smooth = np.asarray(cv2.blur(text - gap, (kernel, 1), borderType=cv2.BORDER_REPLICATE))
    inside = smooth[:, _REACH : width - _REACH]
    return np.clip(smooth / (0.75 * np.maximum(np.median(inside, axis=1, keepdims=True), 0.02)), 0.0, 1.0), text


_GAP: Final = 5
"""Rows of the strip above and below a line in which there is no text."""


def _cells(presence: Array, profiles: Array, height: float, count: int) -> _Cells | None:
    """The grid of 30, 36 or 44 cells that covers the text and nothing else."""
    width = presence.shape[1]
    spectrum = _spectrum(profiles[:, _REACH : width - _REACH])
    total = np.cumsum(np.pad(presence - 0.5, ((0, 0), (1, 0))), axis=1)
    gain = total.sum(axis=0)
    # The windows may begin before the strip and end after it: there is no text there.
    pad = 2 * _REACH
    gain = np.pad(gain, (pad, pad), mode="edge")
    outside = 0.5 * np.concatenate((-np.arange(pad, 0, -1), np.zeros(len(gain) - 2 * pad), -np.arange(1, pad + 1)))
    gain = gain + count * np.where(np.arange(len(gain)) < pad, -outside, outside)
    best = (-np.inf, 0, 0.0, 0.0)
    for columns in COLUMNS[count]:
        for i, pitch in enumerate(_PITCHES):
            span = round(columns * pitch)
            if span >= len(gain) or not 0.6 < pitch / height < 1.7:
                continue
            score = (gain[span:] - gain[:-span]) / (count * width)
            at = int(np.argmax(score))
            value = score[at] + 0.35 * spectrum[i]
            if value > best[0]:
                best = (value, columns, float(at - pad), float(pitch))
    _, columns, start, pitch = best
    if not columns:
        return None
    first, last = (int(np.clip(round(x), 0, width)) for x in (start, start + columns * pitch))
    if last - first < 0.5 * columns * pitch:
        return None
    beside = np.concatenate(
        (presence[:, max(0, first - 30) : max(0, first - 6)], presence[:, last + 6 : last + 30]), axis=1
    )
    return _Cells(
        columns,
        start,
        pitch,
        float(presence[:, first:last].mean(axis=1).min()),
        float(beside.mean()) if beside.size else 0.0,
        float(np.interp(pitch, _PITCHES, spectrum)),
    )


_WINDOW: Final = 200
"""Columns of the strip, some 16 to 20 characters, over which the spacing is taken to be constant."""
_WAVES: Final = np.exp(-2j * np.pi * np.arange(_WINDOW)[:, None] / _PITCHES)


def _spectrum(profiles: Array) -> Array:
    """Strength of each spacing in ``_PITCHES`` among the gaps of the text, relative to the strongest; shape (80,)."""
    length = profiles.shape[1]
    starts = np.unique(np.linspace(0, max(length - _WINDOW, 0), 4).astype(int))
    window = np.hanning(min(_WINDOW, length))
    pieces = np.stack([profiles[:, s : s + _WINDOW] for s in starts]).reshape(-1, min(_WINDOW, length))
    pieces = (pieces - pieces.mean(axis=1, keepdims=True)) * window
    power = (np.abs(pieces @ _WAVES[: pieces.shape[1]]) ** 2).sum(axis=0)
    energy = (pieces**2).sum() * (window**2).sum()
    return np.asarray(power / max(energy, 1e-9) * 3)


def _plausibility(ink: Strip, centres: list[tuple[float, float]], cells: _Cells, top: float, base: float) -> float:
    """0 to 1: lines full of text, gaps between them empty, an even rhythm, and the proportions of OCR-B."""
    height = base - top
    first = int(np.clip(cells.start, 0, ink.shape[1] - 2))
    last = int(np.clip(cells.start + cells.columns * cells.pitch, first + 1, ink.shape[1]))
    part = ink[:, first:last]
    rows = part.mean(axis=1)
    middle = (first + last) / 2
    inside = np.zeros(len(rows), bool)
    near = np.zeros(len(rows), bool)
    offsets = np.arange(len(rows))
    for at, slope in centres:
        inside |= np.abs(offsets - at - slope * middle - (top + base) / 2) < 0.35 * height
        near |= np.abs(offsets - at - slope * middle - (top + base) / 2) < 0.65 * height
    text = float(rows[inside].mean())
    gap = float(rows[~near].mean()) if (~near).any() else 0.0
    contrast = np.clip(1 - gap / max(text, 1e-6), 0, 1)
    proportion = np.exp(-0.5 * (np.log(cells.pitch / height) / 0.3) ** 2)
    return float(contrast * cells.full * (1 - 0.5 * cells.beyond) * min(1.0, 0.3 + cells.rhythm) * proportion)


def _fillers(ink: Strip, centres: list[tuple[float, float]], cells: _Cells, top: float, base: float) -> float:
    """Which way the fillers point: positive if to the left, as in upright text; -1 to 1."""
    x0, x1 = cells.start, cells.start + cells.columns * cells.pitch
    score = 0.0
    for at, slope in centres:
        source = np.array(
            [(x0, at + slope * x0 + top), (x1, at + slope * x1 + top), (x0, at + slope * x0 + base)], np.float32
        )
        target = np.array([(0, 0), (cells.columns * 12, 0), (0, 16)], np.float32) - 0.5
        line = cv2.warpAffine(ink, cv2.getAffineTransform(source, target), (cells.columns * 12, 16))
        matched = [cv2.matchTemplate(line, template, cv2.TM_CCOEFF_NORMED)[0] for template in (_FILLER, _RELLIF)]
        score += float((np.maximum(matched[0] - 0.5, 0) - np.maximum(matched[1] - 0.5, 0)).sum())
    return float(np.tanh(score / 2))


def _drawn_filler() -> Strip:
    """The filler in a cell of 12 by 16 pixels: two strokes that meet on the left."""
    cell = np.zeros((16, 12), np.float32)
    points = np.array([(10, 2.5), (2, 8), (10, 13.5)]) * 16
    cv2.polylines(cell, [points.astype(np.int32)], False, [1.0], 2, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(cell, (0, 0), 1.0), np.float32)


_FILLER: Final = _drawn_filler()
_RELLIF: Final = np.ascontiguousarray(_FILLER[:, ::-1])
