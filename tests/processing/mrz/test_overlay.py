"""The picture of a reading."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.processing.mrz.overlay import confidence_colour, overlay
from edge_agent.processing.mrz.page import PageReading, read_page
from edge_agent.processing.mrz.parse import parse
from edge_agent.simulate.documents import specimen
from edge_agent.simulate.render import render


def test_the_zone_is_marked_where_it_is_and_the_checks_stand_below() -> None:
    rng = np.random.default_rng(5)
    made = specimen(rng)
    page = render(made, rng, dpi=200)
    reading = read_page(page.image)
    drawn = overlay(page.image, reading, parse(reading.lines))
    scale = drawn.shape[1] / page.image.shape[1]
    assert drawn.shape[0] > page.image.shape[0] * scale
    x, y = (page.quads[1].mean(axis=0) * scale).astype(int)
    blue, green, red = drawn[y - 5 : y + 5, x - 60 : x + 60].reshape(-1, 3).mean(axis=0)
    assert green > red
    assert green > blue, "sure characters are green"


def test_doubt_is_red() -> None:
    sure, fair, doubtful = (confidence_colour(p) for p in (0.999, 0.9, 0.4))
    assert sure[1] > sure[2]
    assert fair[1] == fair[2]
    assert doubtful[2] > doubtful[1]


@pytest.mark.parametrize("shape", [(50, 80), (50, 80, 3), (1, 1)])
def test_a_page_without_a_zone_is_shown_with_the_reason(shape: tuple[int, ...]) -> None:
    image = np.zeros(shape, np.uint8)
    drawn = overlay(image, PageReading((), 0.0, problem="Nothing."), parse(""))
    assert drawn.shape[1] == 1200
    assert drawn[-60:].max() > 100
