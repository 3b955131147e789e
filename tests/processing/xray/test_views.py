"""The operator's views: what is seen in each, and that palettes are data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_agent.processing.xray.calibration import nominal
from edge_agent.processing.xray.correct import Corrected, correct
from edge_agent.processing.xray.scan import Scan
from edge_agent.processing.xray.views import PALETTES, VIEWS, composite, palette, palette_from, view
from edge_agent.simulate.xray.scanner import Scanner

PLACES = {"pmma": (60, 40), "aluminium": (60, 120), "steel": (60, 200), "lead": (160, 40)}


@pytest.fixture(scope="module")
def scan() -> Scan:
    phantom = {name: np.zeros((240, 280), np.float32) for name in PLACES}
    for (name, (row, column)), thickness in zip(PLACES.items(), (50, 10, 3, 20), strict=True):
        phantom[name][row : row + 60, column : column + 60] = thickness
    return Scanner().scan(phantom, 1)


@pytest.fixture(scope="module")
def corrected(scan: Scan) -> Corrected:
    return correct(scan)


def colour(picture: np.ndarray, name: str) -> np.ndarray:
    row, column = PLACES[name]
    return picture[row + 10 : row + 50, column + 10 : column + 50].mean(axis=(0, 1))


def test_organic_is_orange_light_metal_green_metal_blue_and_lead_black(corrected: Corrected) -> None:
    picture = view(corrected, "composite")
    red, green, blue = colour(picture, "pmma")
    assert red > green > blue
    red, green, blue = colour(picture, "aluminium")
    assert green > max(red, blue)
    red, green, blue = colour(picture, "steel")
    assert blue > max(red, green)
    assert colour(picture, "lead").max() < 30
    assert picture[:20].mean() > 250


def test_conventions_differ_and_palettes_are_data(corrected: Corrected) -> None:
    red, green, blue = colour(view(corrected, "composite", "light-metal-blue"), "aluminium")
    assert blue > max(red, green)
    own = palette_from({"background": [0, 0, 0], "opaque": [255, 0, 0], "stops": [{"index": 0, "colour": [1, 2, 300]}]})
    assert own.stops[0][1] == (1, 2, 255)
    assert colour(view(corrected, "composite", own), "lead") == pytest.approx([255, 0, 0], abs=1)
    assert set(PALETTES) >= {"standard", "light-metal-blue", "contrast"}
    with pytest.raises(ValueError, match="no palette"):
        palette("pink")


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_is_a_picture_of_its_size_with_one_energy_too(corrected: Corrected, name: str) -> None:
    for channels in (corrected, replace(corrected, low=None)):
        picture = view(channels, name)
        assert picture.shape == (240, 280, 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 5


def test_nine_views_and_no_other(corrected: Corrected) -> None:
    assert len(VIEWS) == 9
    with pytest.raises(ValueError, match="no view"):
        view(corrected, "x-ray vision")


def test_stripping_leaves_the_rest(corrected: Corrected) -> None:
    whole = view(corrected, "composite")
    without_organic, without_metal = view(corrected, "organic-stripped"), view(corrected, "metal-stripped")
    assert np.ptp(colour(without_organic, "pmma")) < 12  # pale grey
    assert colour(without_organic, "steel") == pytest.approx(colour(whole, "steel"), abs=3)
    assert np.ptp(colour(without_metal, "steel")) < 12
    assert colour(without_metal, "pmma") == pytest.approx(colour(whole, "pmma"), abs=3)


def test_grey_and_its_inverse_and_the_two_ends_of_penetration(corrected: Corrected) -> None:
    grey, inverse = view(corrected, "grey").astype(int), view(corrected, "inverse").astype(int)
    assert np.abs(grey + inverse - 255).max() <= 1
    high, low = view(corrected, "high-penetration"), view(corrected, "low-penetration")
    assert colour(high, "pmma")[0] == 255  # thin is all white
    assert colour(low, "steel")[0] == 0  # thick is all black


def test_the_fast_path_shows_the_same(scan: Scan, corrected: Corrected) -> None:
    room = np.empty(corrected.high.shape, np.uint32)
    fast = composite(scan, corrected, nominal(), palette("standard"), room)
    slow = view(corrected)
    assert np.abs(fast[..., :3].astype(int) - slow).mean() < 1
