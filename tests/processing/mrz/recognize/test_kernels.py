"""Each compiled kernel against what NumPy says."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest

from edge_agent.processing.mrz.recognize import kernels
from edge_agent.processing.mrz.recognize.straighten import HEIGHT, MIDDLE, band


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_straight_band_is_sampled_as_opencv_warps_a_perspective() -> None:
    picture = cv2.GaussianBlur(_rng().integers(0, 256, (90, 400), dtype=np.uint8), (0, 0), 2)
    line = band(np.array(((20, 30), (370, 36), (372, 55), (19, 50)), np.float32), 20)
    strip = np.empty((HEIGHT, line.width), np.float32)
    kernels.sample(picture, line.matrix, line.curve, MIDDLE, strip)
    expected = cv2.warpPerspective(
        picture.astype(np.float32),
        line.matrix,
        (line.width, HEIGHT),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    assert np.abs(strip - expected).max() < 2


def test_a_curved_band_is_sampled_where_the_band_says_it_lies() -> None:
    y, x = np.mgrid[:120, :500]
    picture = (x * 0.4 + y * 0.3).astype(np.uint8)  # its grey levels tell the place
    straight = band(np.array(((40, 50), (420, 50), (420, 68), (40, 68)), np.float32), 24)
    line = type(straight)(straight.matrix, 24, np.array((2, -3, 5, -1, 1, -4, 3, 0.1, -0.2, 0.2, -0.3)))
    strip = np.empty((HEIGHT, line.width), np.float32)
    kernels.sample(picture, line.matrix, line.curve, MIDDLE, strip)
    rows, columns = np.mgrid[4:28:6, 60:400:40]
    points = line.to_picture(np.column_stack((columns.ravel(), rows.ravel())).astype(float))
    assert strip[rows.ravel(), columns.ravel()] == pytest.approx(points @ (0.4, 0.3), abs=1.1)


def test_outside_of_the_picture_its_edge_goes_on() -> None:
    picture = np.full((30, 60), 77, np.uint8)
    line = band(np.array(((-90, -20), (200, -20), (200, 0), (-90, 0)), np.float32), 12)
    strip = np.empty((HEIGHT, line.width), np.float32)
    kernels.sample(picture, line.matrix, line.curve, MIDDLE, strip)
    assert (strip == 77).all()


def test_light_is_evened_out_in_a_window_about_each_column() -> None:
    strip = (_rng(1).random((HEIGHT, 230)) * 200 + np.linspace(0, 50, 230)).astype(np.float32)
    expected = np.empty_like(strip)
    for x in range(strip.shape[1]):
        window = strip[:, max(0, x - kernels.NORMALIZED_OVER) : x + kernels.NORMALIZED_OVER + 1]
        expected[:, x] = (strip[:, x] - window.mean()) / (window.std() + 3)
    kernels.normalize(strip)
    assert strip == pytest.approx(expected, abs=1e-3)


def test_the_best_row_of_characters_is_found() -> None:
    odds = _rng(4).normal(-1, 2, 24).astype(np.float32)
    scores, steps = np.zeros((6, 24), np.float32), np.zeros((6, 24), np.int8)
    kernels.march(odds, 4.0, 5, scores, steps)
    for n in (2, 4, 5):
        best = -np.inf
        for start in range(24):
            for gaps in product((3, 4, 5), repeat=n - 1):
                at = start + np.cumsum((0, *gaps))
                if at[-1] < 24:
                    best = max(best, odds[at].sum() - 0.5 * sum((gap - 4.0) ** 2 for gap in gaps))
        assert scores[n].max() == pytest.approx(best, abs=1e-4)
        at = kernels.path(steps, n, int(scores[n].argmax()))
        assert odds[at].sum() - 0.5 * ((np.diff(at) - 4.0) ** 2).sum() == pytest.approx(best, abs=1e-4)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_curve_is_fitted_to_what_lies_on_it(degree: int) -> None:
    rng = _rng(6)
    powers = np.linspace(-1, 1, 44)[:, None] ** np.arange(degree + 1.0)
    values, weights = powers @ rng.normal(0, 5, degree + 1) + rng.normal(0, 0.1, 44), rng.random(44)
    values[7] += 40
    fit, trust = np.empty(44), weights + 1e-6
    for _ in range(2):
        expected = powers @ np.linalg.solve(
            (powers.T * trust) @ powers + 1e-9 * np.eye(degree + 1), powers.T @ (trust * values)
        )
        off = np.abs(values - expected)
        trust = (weights + 1e-6) / (1 + (off / (1.5 * off.mean() + 1e-3)) ** 2)
    kernels.even(powers, values, weights, fit)
    assert fit == pytest.approx(expected, abs=1e-6)


def test_points_of_a_curved_band_lie_in_the_picture_where_it_is_sampled() -> None:
    rng = _rng(5)
    points, curve = rng.uniform(0, (500, 32), (9, 2)), rng.normal(0, 0.3, kernels.CURVE)
    matrix = np.array(((1.2, 0.1, 30), (-0.1, 0.9, 50), (1e-4, 2e-4, 1)))
    t = points[:, 0] / 500
    down = (points[:, 1] - MIDDLE) * (1 + curve[7] + curve[8] * t)
    x = points[:, 0] + np.polyval(curve[3::-1], t) + down * (curve[9] + curve[10] * t)
    y = MIDDLE + down + np.polyval(curve[6:3:-1], t)
    expected = cv2.perspectiveTransform(np.column_stack((x, y))[None], matrix)[0]
    assert kernels.placed(points, matrix, curve, MIDDLE, 500) == pytest.approx(expected)


def test_centres_are_told_to_fractions_of_a_step() -> None:
    odds = _rng(6).normal(0, 3, 60).astype(np.float32)
    at = np.arange(0, 60, 4)
    around = np.clip(at[:, None] + np.array((-1, 0, 1)), 0, 59)
    weights = 1 / (1 + np.exp(-odds[around].astype(float)))
    places, plain = np.empty((2, len(at)))
    kernels.centroids(odds, at, places, plain)
    assert places == pytest.approx((weights * around).sum(axis=1) / weights.sum(axis=1))
    assert plain == pytest.approx(np.minimum(weights.sum(axis=1), 1))


def test_between_steps_values_are_interpolated() -> None:
    values = _rng(7).normal(size=(20, 3)).astype(np.float32)
    places = np.array((-2.0, 0.0, 3.25, 18.5, 19.0, 40.0))
    out = np.empty((6, 3), np.float32)
    kernels.between(values, places, out)
    expected = np.column_stack([np.interp(places, np.arange(20), column) for column in values.T])
    assert out == pytest.approx(expected, abs=1e-2)
