"""The kernels of straightening against plain references."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.strip import kernels
from tests.processing.mrz.locate.strips import Floats, blocks_of, strip


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
