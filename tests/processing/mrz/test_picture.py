"""A page at several sizes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge_agent.processing.mrz import picture
from edge_agent.processing.mrz.picture import Picture


@pytest.mark.parametrize("shape", [(301, 400, 3), (64, 37, 3), (1, 5, 3), (2, 1, 3), (45, 46)])
def test_the_half_of_a_colour_picture_is_that_of_its_grey(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "_BAND", 5000)  # several bands, the last one lower
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    for times in range(4):
        assert (Picture(image).halved(times) == Picture(grey).halved(times)).all()


def test_a_size_comes_with_its_scale() -> None:
    page = Picture(np.zeros((900, 1600, 3), np.uint8))
    for longest in (400, 410, 560, 1600, 2000):
        reduced, scale = page.sized(longest)
        assert max(reduced.shape) * scale == pytest.approx(1600)
        assert max(reduced.shape) == pytest.approx(longest, rel=0.06)


def test_a_negative_is_dark_where_the_picture_is_light() -> None:
    assert (Picture(np.full((30, 40, 3), 250, np.uint8)).negative().halved(1) == 5).all()
