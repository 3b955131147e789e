"""From raw counts to corrected ones: dark level, gain of each element, drift of the beam, dead elements."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray import kernels
from edge_agent.processing.xray.kernels import AIR
from edge_agent.processing.xray.scan import Channel, Orientation, Scan, ScanError
from edge_agent.processing.xray.tables import logarithms

Counts = NDArray[np.uint16]
Floats = NDArray[np.float64]

_DEAD: Final = 0.2
"""Gain, as a share of the median gain, below which an element is dead."""
_MOST_DEAD: Final = 4
"""Elements side by side; where more see nothing, something stands before them, such as the belt's edge."""
_LEAST_LINES: Final = 8
"""Lines of open beam before or behind the object that make a flat field."""
_MOST_LINES: Final = 64
_TOGETHER: Final = 16
"""Neighbouring elements that are looked at together."""
_OPEN: Final = 0.01
"""Share of the open beam that they may lack on an open line."""


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """How one channel's raw counts become corrected ones; rows and columns as in the scan.

    Attributes:
        rows: Dark level and gain of each row, shape (2, rows); gains of row and column multiply, darks add.
        columns: Dark level and gain of each column, shape (2, columns).
        dead: Elements that see nothing: columns or rows, as the scan lies.
        measured: Whether the open beam was seen in the scan itself, element by element.

    """

    rows: NDArray[np.float32]
    columns: NDArray[np.float32]
    dead: tuple[int, ...] = ()
    measured: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """Channels in counts that mean the same everywhere: ``AIR`` for the open beam, 0 for no radiation.

    Attributes:
        high: Of the high-energy channel, or of the only one; shape (rows, columns).
        low: Of the low-energy channel; None where there is none.
        flats: How they were made, by channel (low and high, or the only one as high).
        noise: Variance of a count divided by the count, of low and high.
        pitch_mm: Of rows and columns; None if the scanner did not say.
        lines: How the detector's lines lie.
        remarks: What is odd about the counts, in a technician's words.

    """

    high: Counts
    low: Counts | None
    flats: dict[Channel, Flat]
    noise: tuple[float, float]
    pitch_mm: tuple[float, float] | None = None
    lines: Orientation = Orientation.LINES_ARE_ROWS
    remarks: tuple[str, ...] = field(default=())


def correct(scan: Scan) -> Corrected:
    """Correct the channels of a scan.

    Raises:
        ScanError: ``no-channels`` (a picture only), ``channels-differ`` (in size) or ``no-signal``.
    """
    high = scan.high if scan.high is not None else scan.single
    low = scan.low if scan.high is not None else None
    if high is None:
        high = scan.low
    if high is None:
        raise ScanError("no-channels", "This scan is a picture only: nothing can be measured on it.")
    if low is not None and low.shape != high.shape:
        raise ScanError("channels-differ", f"The channels differ in size: {low.shape} and {high.shape} pixels.")
    remarks: list[str] = []
    name = Channel.HIGH if scan.high is not None else Channel.SINGLE if scan.single is not None else Channel.LOW
    flats = {Channel.HIGH: flat_field(high, scan, name)}
    corrected = _apply(high, flats[Channel.HIGH], scan.orientation)
    corrected_low = None
    if low is not None:
        flats[Channel.LOW] = flat_field(low, scan, Channel.LOW)
        corrected_low = _apply(low, flats[Channel.LOW], scan.orientation)
        if _swapped(corrected_low, corrected):
            corrected_low, corrected = corrected, corrected_low
            flats = {Channel.HIGH: flats[Channel.LOW], Channel.LOW: flats[Channel.HIGH]}
            remarks.append("The low-energy and the high-energy channel are swapped: they were taken the other way.")
    remarks += _remarks(scan, flats, high)
    noise = (_noise(corrected_low) if corrected_low is not None else 1.0, _noise(corrected))
    return Corrected(corrected, corrected_low, flats, noise, scan.pitch_mm, scan.orientation, tuple(remarks))


def flat_field(counts: Counts, scan: Scan, channel: Channel) -> Flat:
    """Dark level and gain of a channel, from its own lines of open beam, else from the levels that the scanner said.

    Raises:
        ScanError: there is no signal.
    """
    by_line = counts if scan.orientation is Orientation.LINES_ARE_ROWS else counts.T
    dark = float(scan.dark.get(channel, 0.0))
    brightest = float(np.percentile(_some(by_line), 99.5))
    if brightest <= dark + 1:
        raise ScanError("no-signal", "No radiation arrived: all pixels of a channel are dark.")
    level = scan.air.get(channel)
    least = 0.8 * max(brightest, level or 0) - dark
    head, tail = (_open_lines(lines, dark, least) for lines in (by_line, by_line[::-1]))
    lines, elements = by_line.shape
    along = np.ones(lines)
    dead: tuple[int, ...] = ()
    measured = False
    if head is not None or tail is not None:
        measured = True
        ends = [end for end in (head, tail) if end is not None]
        air = np.mean(ends, axis=0)
        alive = air > _DEAD * np.median(air)
        dead = _dead(alive)
        gain = AIR / np.where(alive, air, np.median(air[alive]))
        if len(ends) == 2:
            mean = float(air[alive].mean())
            start, end = (float(e[alive].mean()) / mean for e in ends)
            along = 1 / np.linspace(start, end, lines)
    else:
        gain = np.full(elements, AIR / max((float(level) if level else brightest) - dark, 1))
    line = np.stack([np.zeros(lines), along]).astype(np.float32)
    element = np.stack([np.full(elements, dark), gain]).astype(np.float32)
    if scan.orientation is Orientation.LINES_ARE_ROWS:
        return Flat(line, element, dead, measured)
    return Flat(element, line, dead, measured)


def _dead(alive: NDArray[np.bool_]) -> tuple[int, ...]:
    """Elements that see nothing although their neighbours do."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], alive, [True]]).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return tuple(element for first, end in runs if end - first <= _MOST_DEAD for element in range(first, end))


def _open_lines(by_line: Counts, dark: float, least: float) -> Floats | None:
    """Mean of the open beam of each element over the lines before an object comes; None if it comes at once."""
    lead = by_line[:_MOST_LINES].astype(np.float32) - np.float32(dark)
    if len(lead) < _LEAST_LINES:
        return None
    first = np.sort(lead[:_LEAST_LINES], axis=0)[_LEAST_LINES // 2 - 1 : _LEAST_LINES // 2 + 1].mean(axis=0)
    alive = first > _DEAD * np.percentile(first, 90)
    # An object that lies in the beam from the first line on has no smooth profile across the elements.
    level = float(np.percentile(first[alive], 90)) if alive.any() else 0.0
    if level < least or alive.mean() < 0.9 or np.mean(first[alive] > 0.7 * level) < 0.98:
        return None
    # Something thin weakens the beam less than noise moves one element: look at neighbours together.
    ratio = lead[:, alive] / first[alive]
    ratio = ratio[:, : ratio.shape[1] // _TOGETHER * _TOGETHER].reshape(len(lead), -1, _TOGETHER)
    if not ratio.size:
        return None
    noise = float(ratio[:_LEAST_LINES].std()) / _TOGETHER**0.5
    sure = ratio.mean(axis=2).min(axis=1) > 1 - max(_OPEN, 5 * noise)
    end = len(sure) if sure.all() else int(np.argmin(sure))
    if end < _LEAST_LINES:
        return None
    if end < len(sure):
        end = max(end - 2, _LEAST_LINES)
    return np.asarray(lead[:end].mean(axis=0, dtype=np.float64))


def _apply(raw: Counts, flat: Flat, lines: Orientation) -> Counts:
    out = np.empty(raw.shape, np.uint16)
    raw = np.ascontiguousarray(raw)
    kernels.correct(raw, flat.rows[0], flat.columns[0], flat.rows[1], flat.columns[1], out)
    view = out if lines is Orientation.LINES_ARE_ROWS else out.T
    alive = np.setdiff1d(np.arange(out.shape[1 if view is out else 0]), np.array(flat.dead, np.intp))
    for element in flat.dead:
        at = int(np.searchsorted(alive, element))
        beside = alive[[max(at - 1, 0), min(at, len(alive) - 1)]]
        view[:, element] = view[:, beside].mean(axis=1)
    return out


def _some(counts: Counts) -> Counts:
    """Enough pixels to judge by, spread over all."""
    return counts[:: max(counts.shape[0] // 200, 1), :: max(counts.shape[1] // 200, 1)]


def _swapped(low: Counts, high: Counts) -> bool:
    """Whether the channel that is called low is the one that is weakened less, where there is something."""
    table = logarithms()
    low_log, high_log = table[_some(low)], table[_some(high)]
    there = (low_log + high_log > 0.2) & (low_log < 6) & (high_log < 6)
    return bool(there.sum() > 20 and np.median(low_log[there] - high_log[there]) < 0)


def _noise(counts: Counts) -> float:
    """Variance of a count divided by the count, from neighbouring rows: most neighbours see the same."""
    some = (slice(None, None, max(counts.shape[0] // 128, 1)), slice(None, None, max(counts.shape[1] // 256, 1)))
    a, b = counts[:-1][some].astype(np.float32), counts[1:][some].astype(np.float32)
    bright = (a > 2000) & (b > 2000)
    if bright.sum() < 100:
        return 5.0
    share = (a[bright] - b[bright]) ** 2 / (a[bright] + b[bright])
    return float(np.clip(np.median(share) / 0.455, 0.05, 200))  # 0.455: the median of chi-square with one degree


def _remarks(scan: Scan, flats: dict[Channel, Flat], high: Counts) -> list[str]:
    out = []
    dead = sorted({element for flat in flats.values() for element in flat.dead})
    if dead:
        some = ", ".join(map(str, dead[:8])) + ("..." if len(dead) > 8 else "")
        out.append(f"{len(dead)} dead detector elements ({some}): filled in from their neighbours.")
    if not all(flat.measured for flat in flats.values()) and not scan.air:
        out.append("The open beam was not seen before or behind the object: its level is a guess.")
    saturated = float(np.mean(_some(high) == 65535))
    if saturated > 0.001:
        out.append(f"{saturated:.1%} of the pixels are saturated: thin things cannot be told there.")
    return out


def binned(corrected: Corrected, factor: int) -> Corrected:
    """Means of ``factor`` by ``factor`` pixels: less noise, and less to do for what is large."""
    if factor == 1:
        return corrected

    def shrink(counts: Counts) -> Counts:
        out = np.empty((counts.shape[0] // factor, counts.shape[1] // factor), np.uint16)
        kernels.bin_means(counts, factor, out)
        return out

    pitch = corrected.pitch_mm
    return replace(
        corrected,
        high=shrink(corrected.high),
        low=shrink(corrected.low) if corrected.low is not None else None,
        noise=(corrected.noise[0] / factor**2, corrected.noise[1] / factor**2),
        pitch_mm=(pitch[0] * factor, pitch[1] * factor) if pitch else None,
    )
