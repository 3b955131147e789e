"""The kernels of the fit against plain references."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.fit import kernels
from edge_agent.processing.mrz.locate.strip.kernels import bands
from tests.processing.mrz.locate.strips import Floats, blocks_of, strip


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


@pytest.mark.parametrize("height", [7.3, 10.0])
def test_presence(height: float) -> None:
    ink, lines = strip(4, height=height)
    gap = sum(
        bands(ink, lines, *rows).mean(axis=0) / 2
        for rows in ((height / 2 + 3, height / 2 + 8), (-height / 2 - 7, -height / 2 - 2))
    )
    text = bands(ink, lines, -height / 2, height / 2) - gap
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
