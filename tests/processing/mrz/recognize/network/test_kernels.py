"""The integer kernels against what NumPy says: exactly."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from edge_agent.processing.mrz.recognize.network import kernels
from edge_agent.processing.mrz.recognize.network.kernels import LANES, TOP


def _sums(x: np.ndarray, matrix: np.ndarray, high: int, wide: int, down: int, right: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.int64), (high, wide), axis=(1, 2))
    windows = windows[:, ::down, ::right].transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(*windows.shape[:3], -1) @ matrix


@pytest.mark.parametrize("vectors", [2, 3, 5, 7])
@pytest.mark.parametrize(
    ("high", "wide", "down", "right", "channels"), [(5, 4, 2, 2, 1), (3, 3, 2, 1, 4), (1, 1, 1, 1, 6), (2, 5, 1, 3, 2)]
)
@pytest.mark.parametrize("groups", [1, 2])
def test_sums_are_exact(vectors: int, high: int, wide: int, down: int, right: int, channels: int, groups: int) -> None:
    rng = np.random.default_rng(vectors)
    x = rng.integers(-TOP, TOP + 1, (2, 9, 40, channels)).astype(np.int16)
    count = groups * vectors * LANES
    matrix = rng.integers(-32768, 32768, (high * wide * channels, count))
    matrix[:, 1::2] //= 100
    expected = _sums(x, matrix, high, wide, down, right)
    weights = matrix.reshape(high, -1, 2, groups, vectors * LANES).transpose(3, 0, 1, 4, 2)
    out = np.empty(expected.shape, np.int32)
    kernels.convolve(x, np.ascontiguousarray(weights, np.int16), down, right, out)
    assert (out == expected.astype(np.int32)).all()  # both leave out what 32 bits cannot hold


def test_activations_are_rounded_and_kept_in_range() -> None:
    rng = np.random.default_rng(0)
    sums = rng.integers(-(2**31), 2**31, (2, 3, 5, 8)).astype(np.int32)
    factor = rng.uniform(1e-6, 1e-5, 8).astype(np.float32)
    bias = rng.uniform(-100, 100, 8).astype(np.float32)
    out = np.full((2, 6, 9, 8), -1, np.int16)
    kernels.activate(sums, factor, bias, 2, 3, out)
    inside = out[:, 2:5, 3:8]
    assert (inside == (sums.astype(np.float32) * factor + (bias + np.float32(0.5))).clip(0, TOP).astype(np.int16)).all()
    assert inside.max() == TOP
    assert (out.astype(int).sum() - inside.astype(int).sum()) == -(out.size - inside.size)


def test_grey_is_rounded_and_kept_in_range() -> None:
    values = np.random.default_rng(3).normal(0, 5000, (2, 4, 30)).astype(np.float32)
    out = np.zeros((2, 8, 34, 1), np.int16)
    kernels.whole(values, 0.77, 2, 1, out)
    exact = values * np.float32(0.77)
    assert np.abs(out[:, 2:6, 1:31, 0] - exact.clip(-TOP, TOP)).max() <= 0.501
    assert (np.abs(out) == TOP).any()
    assert not out[:, :2].any()


def test_a_layer_is_its_sums_activated() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, TOP + 1, (2, 9, 22, 4)).astype(np.int16)
    weights = rng.integers(-9999, 9999, (1, 3, 6, 3 * LANES, 2)).astype(np.int16)
    factor, bias = rng.uniform(1e-6, 1e-5, (2, 3 * LANES)).astype(np.float32)
    sums = np.empty((2, 4, 20, 3 * LANES), np.int32)
    kernels.convolve(x, weights, 2, 1, sums)
    expected, out = np.zeros((2, 2, 8, 26, 3 * LANES), np.int16)
    kernels.activate(sums, factor, bias, 2, 3, expected)
    kernels.layer(x, weights, 2, 1, factor, bias, 2, 3, out)
    assert (out == expected).all()


def test_a_cpu_without_the_instruction_gets_the_same_sums() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(-TOP, TOP + 1, (3, 20)).astype(np.int16)
    weights = rng.integers(-9999, 9999, (3, 4, 2 * LANES, 2)).astype(np.int16)
    plain, fast = (_summed(kernels._tile(2, paired=paired), x, weights) for paired in (False, kernels._PAIRED))
    expected = [
        (x[:, 2 * p : 2 * p + 8].reshape(3, 4, 1, 2).astype(int) * weights).sum(axis=(0, 1, 3)) for p in range(7)
    ]
    assert (plain == np.array(expected)).all()
    assert (fast == plain).all()


def _summed(tile: Any, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Seven positions, two numbers apart."""

    @numba.njit
    def run(x: Any, weights: Any, sums: Any) -> None:
        tile(x.ctypes.data, 4, 2 * x.shape[1], 3, 4, weights.ctypes.data, sums.ctypes.data, 8 * LANES)

    sums = np.empty((7, 2 * LANES), np.int32)
    run(x, weights, sums)
    return sums
