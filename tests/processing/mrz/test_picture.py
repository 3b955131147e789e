"""A page at several sizes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_agent.processing.mrz.picture import Picture


@pytest.mark.parametrize("shape", [(301, 400, 3), (64, 37, 3), (1, 5, 3), (2, 1, 3)])
def test_the_half_of_a_colour_picture_is_that_of_its_grey(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    for times in range(4):
        colour, plain = (Picture(pixels).halved(times).astype(int) for pixels in (image, grey))
        assert np.abs(colour - plain).max() <= 2  # grey was rounded before it was halved, by weights 0.005 off


def test_the_mean_grey_of_four_pixels_is_exact() -> None:
    image = np.random.default_rng(1).integers(0, 256, (12, 30, 3), dtype=np.uint8)
    sums = image.reshape(6, 2, 15, 2, 3).astype(int).sum(axis=(1, 3)) @ (7, 38, 19)
    assert (Picture(image).halved(1) == (sums + 128) >> 8).all()
    assert (Picture(np.full((4, 4, 3), 255, np.uint8)).halved(1) == 255).all()


def test_a_size_comes_with_its_scale() -> None:
    page = Picture(np.zeros((900, 1600, 3), np.uint8))
    for longest in (400, 410, 560, 1600, 2000):
        reduced, scale = page.sized(longest)
        assert max(reduced.shape) * scale == pytest.approx(1600)
        assert max(reduced.shape) == pytest.approx(longest, rel=0.06)


def test_only_the_part_around_some_points_is_made_at_full_size() -> None:
    image = np.random.default_rng(2).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    points = np.array(((-8.0, 31.5), (70.2, 50.0), (40.0, 60.9)))
    part, matrix = Picture(image).around(points, 0)
    x, y = (matrix @ (30, 40, 1))[:2].astype(int)
    assert part[y, x] == grey[40, 30]
    assert (part == grey[29:64, :74]).all()
    part, matrix = Picture(image).around(points, 1)
    assert part.shape == (45, 60)
    assert (matrix @ (1, 1, 1))[:2] == pytest.approx((0.25, 0.25))
    part, _ = Picture(image).around(points + 500, 0)
    assert part.shape == (1, 1)


def test_a_negative_is_dark_where_the_picture_is_light() -> None:
    assert (Picture(np.full((30, 40, 3), 250, np.uint8)).negative().halved(1) == 5).all()
