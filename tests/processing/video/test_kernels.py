"""The kernels of the video pass against plain references, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_agent.processing.video import kernels

Ints = NDArray[np.int64]
SHAPES = [(1, 1), (7, 9), (36, 50)]


def around(values: NDArray[np.generic], radius: int = 1) -> Ints:
    """The square around each pixel, borders repeated: shape (side, side, h, w)."""
    h, w = values.shape
    padded = np.pad(values.astype(np.int64), radius, mode="edge")
    side = 2 * radius + 1
    return np.array([[padded[y : y + h, x : x + w] for x in range(side)] for y in range(side)])


def levels(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.int16]:
    return rng.integers(0, 255 * kernels.LEVEL + 1, shape, dtype=np.int16)


def smoothed(grey: NDArray[np.uint8]) -> Ints:
    weights = np.array([1, 2, 1])
    wanted: Ints = np.einsum("i,j,ijhw->hw", weights, weights, around(grey)) * 8
    return wanted


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("least", [0, 1280, 12000])
@pytest.mark.parametrize("extreme", [False, True])
def test_compare(shape: tuple[int, int], least: int, extreme: bool) -> None:
    rng = np.random.default_rng(2)
    grey = rng.choice([0, 255], shape).astype(np.uint8) if extreme else rng.integers(0, 256, shape, dtype=np.uint8)
    mean = levels(rng, shape)
    deviation = rng.integers(0, kernels.MOST + 1, shape, dtype=np.int16)
    level, out = np.empty(shape, np.int16), np.empty(shape, np.uint8)
    kernels.compare(grey, mean, deviation, least, level, out)
    np.testing.assert_array_equal(level, smoothed(grey))
    squares = around(mean)
    beyond = np.maximum(squares.min((0, 1)) - smoothed(grey), smoothed(grey) - squares.max((0, 1)))
    allowed = np.maximum(2 * deviation.astype(np.int64) + deviation // 2, least)
    np.testing.assert_array_equal(out, beyond > allowed)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_spread_and_shrink(shape: tuple[int, int], share: float) -> None:
    marked = (np.random.default_rng(8).random(shape) < share).astype(np.uint8)
    out = np.empty(shape, np.uint8)
    kernels.spread(marked, out)
    np.testing.assert_array_equal(out, around(marked, 3).max((0, 1)))
    kernels.shrink(marked, out)
    np.testing.assert_array_equal(out, around(marked, 3).min((0, 1)))


def test_profiles_and_mismatches() -> None:
    rng = np.random.default_rng(9)
    level, mean = levels(rng, (70, 90)), levels(rng, (70, 90))
    now, then = kernels.profiles(level), kernels.profiles(mean)
    for axis in (0, 1):
        np.testing.assert_array_equal(now[axis], level.sum(axis, dtype=np.int64))
        steps, before = np.diff(now[axis]).astype(np.int64), np.diff(then[axis]).astype(np.int64)
        count = len(before) - 16
        wanted = [np.abs(steps[k : k + count] - before[8:-8]).sum() for k in range(17)]
        np.testing.assert_array_equal(kernels.mismatches(now[axis], then[axis], 8), wanted)


@pytest.mark.parametrize("shape", [*SHAPES, (37, 68)])
@pytest.mark.parametrize("fewest", [1, 4, 100])
def test_gain(shape: tuple[int, int], fewest: int) -> None:
    rng = np.random.default_rng(6)
    grey, mean = rng.integers(0, 256, shape, dtype=np.uint8), levels(rng, shape)
    now, then = smoothed(grey)[4::16, 4::16].astype(float), mean[4::16, 4::16].astype(float)
    usable = (then > 3000) & (then < 30000) & (now < 30000)
    wanted = np.median(now[usable] / then[usable]) if usable.sum() >= fewest else 1.0
    assert kernels.gain(grey, mean, 3000, 30000, fewest) == wanted


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("shift", "blink"), [(1, 0), (5, 50), (8, 128)])
def test_adapt(shape: tuple[int, int], shift: int, blink: int) -> None:
    rng = np.random.default_rng(3)
    level, mean = levels(rng, shape), levels(rng, shape)
    deviation = rng.integers(0, kernels.MOST + 1, shape, dtype=np.int16)
    moving, raw, before = (rng.integers(0, 2, shape, dtype=np.uint8) for _ in range(3))
    still = moving == 0
    off = level.astype(np.int64) - mean
    wanted_mean = mean + np.where(still, (off + (1 << (shift - 1))) >> shift, 0)
    beyond = (np.abs(off) - deviation + 16) >> 5
    wanted_deviation = deviation + np.where(still, beyond, 0) + np.where(raw != before, blink, 0)
    kernels.adapt(level, mean, deviation, moving, raw, before, shift, blink)
    np.testing.assert_array_equal(mean, wanted_mean)
    np.testing.assert_array_equal(deviation, np.minimum(wanted_deviation, kernels.MOST))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("least", [1, 13, 25])
def test_majority(shape: tuple[int, int], least: int) -> None:
    rng = np.random.default_rng(4)
    marked = (rng.random(shape) < 0.5).astype(np.uint8)
    out = np.empty(shape, np.uint8)
    kernels.majority(marked, out, least)
    rows = np.pad(np.pad(marked, ((2, 2), (0, 0)), mode="edge"), ((0, 0), (2, 2)))
    h, w = shape
    total = sum(rows[y : y + h, x : x + w].astype(int) for y in range(5) for x in range(5))
    np.testing.assert_array_equal(out, total >= least)


@pytest.mark.parametrize("shape", SHAPES)
def test_shade(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    mean = (rng.integers(60, 200, shape) * kernels.LEVEL).astype(np.int16)
    factor = np.repeat(np.repeat(rng.choice([0.3, 0.7, 1.0, 1.1, 1.5], (3, 4)), 16, 0), 16, 1)[: shape[0], : shape[1]]
    level = np.clip(1000 + (mean - 1000.0) * factor + rng.normal(0, 60, shape), 0, 255 * kernels.LEVEL).astype(np.int16)
    marked = (rng.random(shape) < 0.8).astype(np.uint8)
    out = np.empty(shape, np.uint8)
    black, darkest, brightest, rough = 1000.0, 0.5, 1.15, 256.0
    kernels.shade(level, mean, marked, out, black, darkest, brightest, rough)
    wanted = marked.copy()
    h, w = shape
    for top in range(0, h, 4):
        for left in range(0, w, 4):
            window = (slice(max(top - 2, 0), min(top + 6, h), 2), slice(max(left - 2, 0), min(left + 6, w), 2))
            now = (level[window].astype(np.float64) - black).ravel()
            then = (mean[window].astype(np.float64) - black).ravel()
            lit, unlit = now.sum(), max(then.sum(), 1.0)
            wrong = np.abs(now - lit / unlit * then).sum()
            limit = now.size * rough + lit / 32
            assert abs(wrong - limit) > 1e-3 * limit, "a case that rounding decides says nothing"
            if darkest * unlit <= lit <= brightest * unlit and wrong < limit:
                wanted[top : top + 4, left : left + 4] = 0
    np.testing.assert_array_equal(out, wanted)
    if shape == SHAPES[-1]:
        assert 0 < wanted.sum() < marked.sum()


@given(st.integers(0, 40), st.integers(16, 50), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_texture(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    grey, before = (rng.integers(0, 256, (height, width), dtype=np.uint8) for _ in range(2))
    rows, columns = height // 16, width // 16
    out = np.empty((rows, columns, 4), np.int32)
    kernels.texture(grey, before, out)
    for i in range(rows):
        for j in range(columns):
            cell = grey[16 * i : 16 * i + 16, 16 * j : 16 * j + 16].astype(int)
            then = before[16 * i : 16 * i + 16, 16 * j : 16 * j + 16].astype(int)
            wanted = [
                cell.sum(),
                (np.diff(cell, axis=1) ** 2).sum(),
                ((cell[:, 4:] - cell[:, :-4]) ** 2).sum(),
                np.abs(cell - then).sum(),
            ]
            assert out[i, j].tolist() == wanted


@given(st.integers(1, 20), st.integers(1, 30), st.floats(0.2, 1), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_valley(height: int, width: int, share: float, seed: int) -> None:
    cells = np.random.default_rng(seed).random((height, width)) < share
    heights = cells.sum(axis=0)
    lower = np.minimum(np.maximum.accumulate(heights), np.maximum.accumulate(heights[::-1])[::-1])
    depth = np.where((lower >= 0.6 * height) & (lower > 0), heights / np.maximum(lower, 1), np.inf)
    wanted = int(np.argmin(depth)) if depth.min() <= 0.6 else -1
    assert kernels.valley(cells, 0.6, 0.6) == wanted
