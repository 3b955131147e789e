"""The kernels of the fit against plain references."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.fit import kernels

Floats = NDArray[np.float64]


def strip(seed: int, *, width: int = 400, height: float = 10.0) -> tuple[NDArray[np.float32], Floats]:
    """Two lines of blots, their middles as row at column 0 and rows per column."""
    rng = np.random.default_rng(seed)
    lines = np.array([(22.0 + rng.uniform(-2, 2), rng.uniform(-0.01, 0.01)) for _ in range(2)])
    lines[1, 0] += 24
    rows, columns = np.indices((68, width))
    ink = rng.uniform(0, 0.1, (68, width))
    for at, slope in lines:
        inside = np.clip(height / 2 + 0.5 - np.abs(rows - at - slope * columns), 0, 1)
        ink += inside * (columns % 10 < 7) * (columns > 60) * (columns < width - 60)
    return ink.astype(np.float32), lines


def blocks_of(ink: NDArray[np.float32], reach: int, blocks: int) -> tuple[Floats, list[NDArray[np.float32]]]:
    edges = reach + np.arange(blocks + 1) * (ink.shape[1] - 2 * reach) // blocks
    return (edges[:-1] + edges[1:] - 1) / 2, [ink[:, a:b] for a, b in itertools.pairwise(edges)]


def reference_middles(
    ink: NDArray[np.float32], count: int, first: float, spacing: float, reach: int, block: int
) -> Floats:
    x, parts = blocks_of(ink, reach, max(2, round((ink.shape[1] - 2 * reach) / block)))
    rows = np.array([part.sum(axis=1, dtype=float) for part in parts])
    rows -= rows.min(axis=1, keepdims=True)
    heights = np.arange(len(ink))
    out = []
    for line in range(count):
        fit = np.array([0.0, first + line * spacing])
        for window in (0.55, 0.4, 0.4):
            share = np.clip(window * spacing + 1 - np.abs(heights - np.polyval(fit, x)[:, None]), 0, 1) * rows
            weight = share.sum(axis=1)
            moved = (share * heights).sum(axis=1) / weight
            trust = weight
            for _ in range(3):
                fit = np.polyfit(x, moved, 1, w=np.sqrt(trust))
                trust = weight / (1 + ((moved - np.polyval(fit, x)) / 0.8) ** 2)
        out.append(fit[::-1])
    return np.array(out)


@pytest.mark.parametrize("seed", range(5))
def test_middles(seed: int) -> None:
    ink, truth = strip(seed)
    lines, x, below, weights = kernels.middles(ink, 2, 22.0, 24.0, 60, 40)
    assert lines == pytest.approx(reference_middles(ink, 2, 22.0, 24.0, 60, 40), abs=1e-4)
    ends = np.array([[1, 60], [1, 340]])
    assert lines @ ends.T == pytest.approx(truth @ ends.T, abs=0.4)
    assert np.abs(below).max() < 0.5
    assert below.shape == weights.shape == (2, len(x))


def reference_edges(
    ink: NDArray[np.float32], lines: Floats, reach: int, shortest: float, tallest: float
) -> tuple[Floats, float]:
    """The best of all heights, shifts and tilts, each scored by interpolation."""
    x, parts = blocks_of(ink, reach, 6)
    means = [part.mean(axis=1, dtype=float) for part in parts]
    offsets = np.arange(-40, 41) / 4

    def rise(line: int, b: int) -> Floats:
        rows = np.clip(lines[line, 0] + lines[line, 1] * x[b] + offsets, 0, len(ink) - 1.001)
        profile = np.interp(rows, np.arange(len(ink)), means[b])
        return np.pad(profile[8:] - profile[:-8], 4)

    def score(half: int, shift: int, tilt: int, line: int) -> float:
        at = [40 + shift + round(tilt * (x[b] / ink.shape[1] - 0.5) * 2) for b in range(6)]
        fits = [
            rises[line][b][at[b] - half] - rises[line][b][at[b] + half] for b in range(6) if half <= at[b] <= 80 - half
        ]
        return sum(fits) - 0.024 * (abs(shift) + abs(tilt)) / 4

    rises = [[rise(line, b) for b in range(6)] for line in range(len(lines))]
    tried = list(itertools.product(range(-14, 15), range(-8, 9, 2)))
    best = (-1.0, 0, [(0, 0)])
    for half in range(round(shortest * 2), round(shortest * 2) + round((tallest - shortest) * 2) + 1):
        chosen = [max(tried, key=lambda t: score(half, *t, line)) for line in range(len(lines))]
        total = sum(score(half, *t, line) for line, t in enumerate(chosen))
        if total > best[0]:
            best = total, half, chosen
    moves = np.array([((shift - tilt) / 4, tilt / 2 / ink.shape[1]) for shift, tilt in best[2]])
    return lines + moves, best[1] / 2


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("height", [8.0, 11.0])
def test_edges(seed: int, height: float) -> None:
    ink, truth = strip(seed, height=height)
    off = truth + np.array([(1.2, 0.0), (-0.8, 0.002)])
    lines, found, contrast = kernels.edges(ink, off, 60, 6.0, 16.0)
    wanted, tall = reference_edges(ink, off, 60, 6.0, 16.0)
    assert lines == pytest.approx(wanted, abs=1e-6)
    assert found == tall == pytest.approx(height, abs=1.0)
    assert contrast > 0.5
    middle = np.array([1, 200])
    assert lines @ middle == pytest.approx(truth @ middle, abs=0.5)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rows", [(-5.0, 5.0), (8.0, 13.0), (-40.0, -30.0), (30.0, 60.0)])
def test_bands(seed: int, rows: tuple[float, float]) -> None:
    ink, lines = strip(seed)
    wanted = np.empty((2, ink.shape[1]))
    for line, x in itertools.product(range(2), range(ink.shape[1])):
        middle = lines[line, 0] + lines[line, 1] * x
        first = min(max(round(middle + rows[0]), 0), len(ink) - 1)
        last = min(max(round(middle + rows[1]), first + 1), len(ink))
        wanted[line, x] = ink[first:last, x].mean(dtype=float)
    assert kernels.bands(ink, lines, *rows) == pytest.approx(wanted, abs=1e-5)


def reference_grid(presence: Floats, pitches: Floats, rhythm: Floats, columns: int, pad: int) -> float:
    """The best score of all, each summed over its cells."""
    count, width = presence.shape
    padded = np.pad(presence, ((0, 0), (pad, pad + 2))) - kernels.FAINT
    best = -np.inf
    for pitch, welcome in zip(pitches, rhythm, strict=True):
        length = columns * pitch
        for start in range(-pad, int(width + pad - length) + 1):
            end = start + length
            stop = round(end) if end <= width else width
            total = padded[:, max(start, 0) + pad : stop + pad].sum()
            outside = max(-start, 0) + max(end - width, 0)
            best = max(best, (total - kernels.FAINT * count * outside) / (count * width) + welcome)
    return float(best)


@pytest.mark.parametrize("seed", range(4))
def test_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    presence = rng.uniform(0, 0.3, (2, 420))
    start = int(rng.integers(0, 60))
    presence[:, start : start + 360] = 1
    pitches = np.linspace(9.5, 10.5, 5)
    rhythm = np.array([0, 0.01, 0.02, 0.01, 0])
    score, first, pitch = kernels.grid(presence, pitches, rhythm, 36, 120)
    assert score == pytest.approx(reference_grid(presence, pitches, rhythm, 36, 120))
    assert pitch == pytest.approx(10.0)
    assert first == pytest.approx(start, abs=2)


@pytest.mark.parametrize("count", [2, 3])
def test_extent(count: int) -> None:
    lines = np.random.default_rng(count).uniform(0, 500, (count, 2, 2))
    spacing = np.hypot(*np.diff(lines.mean(axis=1), axis=0).T).mean()
    length = np.hypot(*(lines[:, 1] - lines[:, 0]).T).mean()
    assert kernels.extent(lines) == pytest.approx((spacing, length))


def test_bent() -> None:
    bend = np.linspace(-3, 5, 40) ** 2
    matrix = np.array(((1.5, 0.2, 30), (-0.1, 1.4, 90), (2e-4, 1e-4, 1)))
    x, y = np.meshgrid(np.arange(40.0), np.arange(12.0))
    expected = cv2.perspectiveTransform(np.dstack((x, y + bend)), matrix)
    assert kernels.bent(matrix, bend, 12) == pytest.approx(expected.transpose(2, 0, 1), abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_relief(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dark = rng.integers(0, 60, (68, 300)).astype(np.uint8)
    dark[20:30, 80:] = 40  # a stripe
    h, w = dark.shape
    change = np.zeros((h, w))
    change[:, 1:-1] = np.abs(np.diff(dark.astype(int))[:, 1:] + np.diff(dark.astype(int))[:, :-1])

    def mean(values: Floats, reach: int) -> Floats:
        return np.stack([values[..., max(0, x - reach) : x + reach + 1].mean(axis=-1) for x in range(w)], axis=-1)

    expected = dark * np.minimum(mean(change, 16) / (0.3 * mean(dark.astype(float), 16) + 1), 1)
    around = mean(expected.mean(axis=0), 60)
    expected = np.minimum(expected / (3 * np.maximum(around, 0.3 * max(around.mean(), 1))), 1)
    ink = kernels.relief(dark, 16, 60)
    assert ink == pytest.approx(expected, abs=1e-4)
    assert ink[22:28, 120:].max() < 0.05


@pytest.mark.parametrize(("seed", "noise", "agree"), [(0, 0.2, True), (1, 0.5, True), (2, 30.0, False)])
def test_bend(seed: int, noise: float, agree: bool) -> None:
    rng = np.random.default_rng(seed)
    width, columns = 520, 80.0 + 40 * np.arange(10)
    below = np.polyval(rng.normal(0, 20, 4), columns / width - 0.5) + rng.normal(0, noise, (2, 10))
    weights = rng.uniform(0.1, 3, (2, 10))
    weight = weights.sum(axis=0)
    fit = np.polyfit(
        columns / width - 0.5,
        (below * weights).sum(axis=0) / weight,
        3,
        w=np.sqrt(np.minimum(weight, np.median(weight))),
    )
    expected = np.polyval(fit, np.clip(np.arange(width), columns[0] - 40, columns[-1] + 40) / width - 0.5)
    if not agree:
        below[1] = -below[0]
    curve = kernels.bend(columns, below, weights, width, 40)
    assert curve == pytest.approx(expected, abs=1e-3) if agree else not curve.any()
    assert not kernels.bend(columns[:3], below[:, :3], weights[:, :3], width, 40).any()


@pytest.mark.parametrize("seed", range(3))
def test_beyond(seed: int) -> None:
    ink, lines = strip(seed)
    ink[:, :20] += ink[:, 100:120]  # the text goes on at the left
    text = kernels.bands(ink, lines, -4.0, 4.0) - kernels.bands(ink, lines, 9.0, 15.0)
    left, right = kernels.beyond(ink, lines, 24.0, 60)
    assert (left, right) == pytest.approx((text[:, :30].mean(), text[:, -30:].mean()) / text[:, 60:-60].mean())
    assert left > 0.4
    assert right < 0.2


@pytest.mark.parametrize("faint", [0.05, 0.5, 1.0])
def test_contrast(faint: float) -> None:
    ink, lines = strip(5)
    ink[40:] *= faint  # the second line
    text = kernels.bands(ink, lines, -4.0, 4.0)[:, 60:-60].mean(axis=1)
    gap = kernels.bands(ink, lines, 9.0, 15.0)[0, 60:-60].mean()
    found = kernels.contrast(ink, lines, 24.0, 60)
    assert found == pytest.approx(1 - gap / text.min())
    assert (found > 0.3) == (faint > 0.2)


@pytest.mark.parametrize("height", [7.3, 10.0])
def test_presence(height: float) -> None:
    ink, lines = strip(4, height=height)
    gap = sum(
        kernels.bands(ink, lines, *rows).mean(axis=0) / 2
        for rows in ((height / 2 + 3, height / 2 + 8), (-height / 2 - 7, -height / 2 - 2))
    )
    text = kernels.bands(ink, lines, -height / 2, height / 2) - gap
    smooth = cv2.blur(text, (max(3, round(1.5 * height)), 1), borderType=cv2.BORDER_REPLICATE)
    usual = np.sort(smooth[:, 60:-60], axis=1)[:, 140, None]
    assert kernels.presence(ink, lines, height, 60) == pytest.approx(np.clip(smooth / (0.75 * usual), 0, 1), abs=1e-6)


def test_alike() -> None:
    rng = np.random.default_rng(6)
    template = rng.random((12, 9)).astype(np.float32)
    lines = rng.random((2, 12, 200)).astype(np.float32)
    lines[0, :, 40:49] = 0.5 * template + 0.1
    lines[1, :, 90:120] = 0.3  # plain: correlates with nothing
    found = [cv2.matchTemplate(line, template, cv2.TM_CCOEFF_NORMED)[0] for line in lines]
    found[1][90:112] = 0
    expected = np.maximum(np.array(found) - 0.2, 0).sum()
    assert kernels.alike(lines, template, 0.2) == pytest.approx(expected, rel=1e-3)
    assert expected > 0.8
