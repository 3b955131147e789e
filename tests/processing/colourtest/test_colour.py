from __future__ import annotations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000

from edge_agent.processing.colourtest.colour import (
    D50,
    D65,
    adapt,
    ciede2000,
    decode_srgb,
    encode_srgb,
    lab_of_xyz,
    srgb_of_xyz,
    xyz_of_lab,
    xyz_of_srgb,
)


def test_ciede2000_is_that_of_scikit_image_on_100_000_pairs() -> None:
    rng = np.random.default_rng(0)
    low, high = (0, -128, -128), (100, 128, 128)
    one, other = rng.uniform(low, high, (100_000, 3)), rng.uniform(low, high, (100_000, 3))
    other[:20_000] = one[:20_000] + rng.normal(0, 1, (20_000, 3))
    other[:100, 1:] = 0  # greys have no hue
    assert np.abs(ciede2000(one, other) - deltaE_ciede2000(one, other)).max() < 1e-9


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # of the pairs of Sharma, Wu and Dalal (2005): hues on both sides of 0, and mean hues half a turn apart
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_of_published_pairs(one: tuple, other: tuple, expected: float) -> None:
    assert float(ciede2000(one, other)) == pytest.approx(expected, abs=1e-4)
    assert float(ciede2000(other, one)) == pytest.approx(expected, abs=1e-4)


def test_conversions_undo_each_other() -> None:
    linear = np.random.default_rng(1).random((1000, 3))
    xyz = xyz_of_srgb(linear)
    assert np.allclose(srgb_of_xyz(xyz), linear)
    assert np.allclose(decode_srgb(encode_srgb(linear)), linear)
    assert np.allclose(xyz_of_lab(lab_of_xyz(xyz)), xyz)
    assert np.allclose(adapt(adapt(xyz, D65, D50), D50, D65), xyz)
    assert np.allclose(adapt(D50, D50), D65)
