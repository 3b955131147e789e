"""The card is found however it lies, its colours come out right, and light that cannot be trusted is refused."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.processing.colourtest.card import nominal_labs
from edge_agent.processing.colourtest.colour import ciede2000
from edge_agent.processing.colourtest.reading import Refused, read_test
from tests.processing.colourtest.scenes import CLEAR, COCAINE, ORANGE, picture


@pytest.mark.parametrize(("turn", "tilt", "fill"), [(0, 0, 0.9), (77, 25, 0.8), (180, 30, 0.7), (301, 10, 0.95)])
def test_a_colour_comes_out_right_however_the_card_lies(turn: float, tilt: float, fill: float) -> None:
    reading = read_test(picture(turn=turn, tilt=tilt, fill=fill))
    assert float(ciede2000(reading.sample.lab, ORANGE)) < 1
    assert reading.blank is not None
    assert float(ciede2000(reading.blank.lab, CLEAR)) < 1
    assert reading.quality.located.markers == 4


def test_a_tone_curve_of_the_camera_is_undone() -> None:
    reading = read_test(picture(curve=lambda light: light**1.25))
    assert float(ciede2000(reading.sample.lab, ORANGE)) < 1.5


def test_a_colour_outside_srgb_needs_16_bits() -> None:
    """The red of this blue is below zero in sRGB: cut off in 8 bits, and so all that it may have been is given."""
    eight = read_test(picture(COCAINE)).sample
    assert eight.cut_off
    assert float(ciede2000(eight.lab, COCAINE)) > 3
    assert float(ciede2000(eight.candidates, COCAINE).min()) < 1.5
    inside = read_test(picture((45.0, -10.0, -30.0))).sample
    assert not inside.cut_off
    assert len(inside.candidates) == 1


@pytest.mark.parametrize("exposure", [0.75, 0.1])
def test_16_bits_in_linear_light_are_read_as_such(exposure: float) -> None:
    reading = read_test(picture(raw=True, exposure=exposure, noise=0.003))
    assert reading.quality.bits == 16
    assert float(ciede2000(reading.sample.lab, ORANGE)) < 1


@pytest.mark.parametrize(
    ("code", "shot"),
    [
        ("too_dark", {"exposure": 0.02}),
        ("too_bright", {"exposure": 1.4}),
        ("shadow", {"shadow": 0.5}),
        ("shadow", {"glare": 0.4}),
        ("uneven_light", {"gradient": 1.3}),
        ("card_too_small", {"fill": 0.3, "width": 1400, "height": 1000}),
    ],
)
def test_light_that_cannot_be_trusted_is_refused(code: str, shot: dict) -> None:
    with pytest.raises(Refused) as refused:
        read_test(picture(**shot))
    assert refused.value.code == code
    assert ":" in str(refused.value)  # and what to do


def test_a_picture_without_a_card_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (600, 800, 3), dtype=np.uint8)
    with pytest.raises(Refused) as refused:
        read_test(noise)
    assert refused.value.code == "no_card"


def test_light_of_one_colour_only_is_refused() -> None:
    """Under a low-pressure sodium lamp everything is one yellow, brighter or darker."""
    grey = picture().astype(float).mean(axis=2, keepdims=True)
    yellow = np.round(grey * (0.15, 0.75, 0.98)).astype(np.uint8)
    with pytest.raises(Refused) as refused:
        read_test(yellow)
    assert refused.value.code == "light_unfit"


def test_a_covered_corner_does_not_matter_but_two_do() -> None:
    image = picture(fill=0.9).copy()
    image[-170:, -170:] = 90
    assert read_test(image).quality.located.markers == 3
    image[-170:, :170] = 90
    with pytest.raises(Refused):
        read_test(image)


def test_two_colours_in_one_ampoule_are_refused() -> None:
    image, split = picture(), picture(COCAINE)
    image = image.copy()
    image[:, 330:] = np.where(np.arange(330, 1000)[None, :, None] < 500, split[:, 330:], image[:, 330:])
    with pytest.raises(Refused) as refused:
        read_test(image)
    assert refused.value.code == "not_uniform"


def test_a_print_that_is_off_is_made_good_by_its_measurement() -> None:
    """The same picture, read with references that are all 6 lighter: the colour follows them."""
    references = {name: lab * (1, 0.9, 0.9) for name, lab in nominal_labs().items()}
    assert read_test(picture(), references).measured
    moved = read_test(picture(), references).sample.lab
    assert np.hypot(*moved[1:]) < 0.95 * np.hypot(*ORANGE[1:])
