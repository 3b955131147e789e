"""The kernels against plain NumPy references."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.processing.xray import kernels, tables
from edge_agent.processing.xray.calibration import nominal
from edge_agent.processing.xray.kernels import AIR
from edge_agent.processing.xray.views import palette, shade, table_of

Counts = NDArray[np.uint16]
Floats = NDArray[np.float32]


def pair(seed: int, shape: tuple[int, int] = (61, 83)) -> tuple[Counts, Counts]:
    """Corrected counts with flat places, edges and places where single photons are counted."""
    rng = np.random.default_rng(seed)
    depth = np.zeros(shape)
    depth[10:34, 12:40] = 5.5
    for _ in range(6):
        y, x = rng.integers(0, shape[0] - 20), rng.integers(0, shape[1] - 20)
        depth[y : y + rng.integers(5, 40), x : x + rng.integers(5, 40)] += rng.uniform(0.1, 3)
    low = 5.0 * rng.poisson(AIR * np.exp(-1.5 * depth) / 5.0)
    high = 15.0 * rng.poisson(AIR * np.exp(-depth) / 15.0)
    return np.minimum(low, 65535).astype(np.uint16), np.minimum(high, 65535).astype(np.uint16)


def test_correct() -> None:
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 65536, (40, 57)).astype(np.uint16)
    row_dark, column_dark = rng.uniform(0, 2000, 40).astype(np.float32), rng.uniform(0, 50, 57).astype(np.float32)
    row_gain, column_gain = rng.uniform(0.9, 1.1, 40).astype(np.float32), rng.uniform(0.8, 1.5, 57).astype(np.float32)
    out = np.empty_like(raw)
    kernels.correct(raw, row_dark, column_dark, row_gain, column_gain, out)
    wanted = (raw.astype(np.float32) - (row_dark[:, None] + column_dark)) * (row_gain[:, None] * column_gain)
    assert np.array_equal(out, np.clip(wanted + np.float32(0.5), 0, 65535).astype(np.uint16))
    assert out.min() == 0
    assert out.max() == 65535


def reference_denoise(low: Counts, high: Counts, noise: tuple[float, float], wide: float) -> tuple[Floats, Floats]:
    centre = [c.astype(np.float64) for c in (low, high)]
    out = [c.copy() for c in centre]
    for side in (3, 5, 9):
        mean = [cv2.blur(c, (side, side), borderType=cv2.BORDER_REPLICATE) for c in centre]
        agrees = np.ones(low.shape, bool)
        for c, m, n in zip(centre, mean, noise, strict=True):
            agrees &= (c - m) ** 2 <= wide**2 * n * m
        if side == 9:
            agrees &= mean[1] < kernels.DARK
        for o, m in zip(out, mean, strict=True):
            o[agrees] = m[agrees]
    return out[0].astype(np.float32), out[1].astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_denoise(seed: int) -> None:
    low, high = pair(seed)
    found = np.empty(low.shape, np.float32), np.empty(low.shape, np.float32)
    kernels.denoise(low, high, (5.0, 15.0), 4.0, *found)
    wanted = reference_denoise(low, high, (5.0, 15.0), 4.0)
    # Whether a pixel agrees may hang on the last bit of a float.
    off = sum((np.abs(f - w) > 1e-3 * w + 0.01).sum() for f, w in zip(found, wanted, strict=True))
    assert off <= 3
    assert (found[1] < kernels.DARK).any()


@pytest.mark.parametrize("seed", range(4))
def test_classify(seed: int) -> None:
    low, high = pair(seed)
    calibration, noise = nominal(), (5.0, 15.0)
    limits = tables.limits(calibration)
    out = np.empty(low.shape, np.uint8)
    kernels.classify(low, high, noise, 4.0, limits, 58_000.0, 60.0, out)
    l, h = np.empty(low.shape, np.float32), np.empty(low.shape, np.float32)  # noqa: E741
    kernels.denoise(low, high, noise, 4.0, l, h)
    mantissa, exponent = np.frexp(h.astype(np.float64))
    at = ((exponent - 1 + 7) * 2**kernels.BITS + np.floor((2 * mantissa - 1) * 2**kernels.BITS)).astype(int)
    at = np.clip(at, 0, kernels.SIZE - 1)
    wanted = 1 + (l < limits[at, 0]).astype(int) + (l < limits[at, 1])
    wanted[h < 60] = 4
    wanted[h >= 58_000] = 0
    assert np.array_equal(out, wanted)
    assert len(np.unique(out)) >= 4


@pytest.mark.parametrize("view", ["composite", "organic-stripped"])
def test_colour_is_the_exact_path_to_a_shade(view: str) -> None:
    low, high = pair(1)
    calibration, colours = nominal(), palette("standard")
    rows = np.stack([np.zeros(low.shape[0]), np.ones(low.shape[0])]).astype(np.float32)
    columns = np.stack([np.zeros(low.shape[1]), np.ones(low.shape[1])]).astype(np.float32)
    out = np.empty(low.shape, np.uint32)
    kernels.colour(low, high, rows, columns, rows, columns, table_of(view, colours, calibration), out)
    depths = [np.clip(-np.log(np.maximum(c, 0.5) / AIR), 0, tables.DARKEST) for c in (low, high)]
    wanted = shade(view, colours, calibration, *depths)
    found = out.view(np.uint8).reshape(*out.shape, 4)
    assert (found[..., 3] == 255).all()
    # Near a threshold of the view a pixel may fall to either side.
    error = np.abs(found[..., :3] - wanted)
    assert np.median(error) < 1
    assert error.mean() < (1.0 if view == "composite" else 4.0)


def test_each_step_of_colour_stands_for_the_attenuation_of_its_counts() -> None:
    counts = np.arange(1, AIR + 1, dtype=np.uint16)[None]
    rows = np.float32([[0.0], [1.0]])
    columns = np.float32([[0.0] * counts.size, [1.0] * counts.size])
    table = np.arange(kernels.STEPS**2, dtype=np.uint32).reshape(kernels.STEPS, -1)
    out = np.empty(counts.shape, np.uint32)
    kernels.colour(counts, counts, rows, columns, rows, columns, table, out)
    high, low = np.divmod(out[0].astype(int), kernels.STEPS)
    assert np.array_equal(high, low)
    assert (np.diff(high) <= 0).all()
    attenuation = -np.log(counts[0] / AIR)
    assert (np.abs(tables.attenuations()[high] - attenuation) < 0.006 * (attenuation + 0.4)).all()


def test_a_colour_needs_no_correction_of_its_own() -> None:
    """Raw counts with their gains give the same bytes as corrected counts without any."""
    low, high = pair(2)
    raw = [np.minimum(c.astype(np.float64) / 1.25 + 800, 65535).astype(np.uint16) for c in (low, high)]
    table = np.arange(kernels.STEPS**2, dtype=np.uint32).reshape(kernels.STEPS, -1)
    height, width = low.shape
    gains = np.float32([[800.0] * height, [1.25] * height]), np.float32([[0.0] * width, [1.0] * width])
    plain = np.float32([[0.0] * height, [1.0] * height]), np.float32([[0.0] * width, [1.0] * width])
    first, second = np.empty(low.shape, np.uint32), np.empty(low.shape, np.uint32)
    kernels.colour(*raw, gains[0], gains[1], gains[0], gains[1], table, first)
    corrected = [((r.astype(np.float32) - 800) * np.float32(1.25)).clip(0, 65535).astype(np.uint16) for r in raw]
    kernels.colour(*corrected, plain[0], plain[1], plain[0], plain[1], table, second)
    apart = [
        np.abs(f - s)
        for f, s in zip(
            np.divmod(first.astype(int), kernels.STEPS), np.divmod(second.astype(int), kernels.STEPS), strict=True
        )
    ]
    bright = np.minimum(*corrected) > 200
    assert max(a[bright].max() for a in apart) <= 1


@pytest.mark.parametrize("factor", [1, 3, 4, 16])
def test_bin_means_are_rounded_means_of_whole_cells(factor: int) -> None:
    counts = np.random.default_rng(factor).integers(0, 65536, (67, 101)).astype(np.uint16)
    out = np.empty((67 // factor, 101 // factor), np.uint16)
    kernels.bin_means(counts, factor, out)
    whole = counts[: out.shape[0] * factor, : out.shape[1] * factor].astype(np.int64)
    sums = whole.reshape(out.shape[0], factor, out.shape[1], factor).sum(axis=(1, 3))
    assert np.array_equal(out, (2 * sums + factor**2) // (2 * factor**2))


def test_histogram() -> None:
    classes = np.random.default_rng(0).integers(0, 5, (37, 41)).astype(np.uint8)
    assert np.array_equal(kernels.histogram(classes), np.bincount(classes.ravel(), minlength=6))
