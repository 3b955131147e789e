from __future__ import annotations

import numpy as np
import pytest

from edge_agent.processing.colourtest.colour import ciede2000
from edge_agent.processing.colourtest.reaction import Moment, final, onset
from edge_agent.processing.colourtest.reading import Colour
from tests.processing.colourtest.scenes import CLEAR, ORANGE

BROWN = (20.2, 19.1, 7.8)


def film(until: float, *, drop: float = 10, speed: float = 8, end: tuple = BROWN) -> list[Moment]:
    """A drop that turns orange at once and then, with a time constant of ``speed`` seconds, to its end."""
    rng = np.random.default_rng(0)
    moments = []
    for seconds in np.arange(0, until, 2.0):
        lab = np.array(CLEAR)
        if seconds >= drop:
            far = 1 - np.exp(-(seconds - drop) / speed)
            lab = np.array(ORANGE) * (1 - far) + np.array(end) * far
        lab = lab + rng.normal(0, 0.3, 3)
        moments.append(Moment(float(seconds), Colour(lab, lab[None], 1.2, 16, cut_off=False), None))
    return moments


def test_the_drop_is_seen_to_fall() -> None:
    assert onset(film(60)) == 10
    assert onset(film(9)) is None


def test_the_final_colour_is_read_in_the_window_and_not_an_intermediate() -> None:
    found = final(film(150))
    assert found.findings == ()
    assert found.reaction_seconds is not None
    assert 60 <= found.reaction_seconds <= 120
    assert float(ciede2000(found.moment.sample.lab, BROWN)) < 1.5


@pytest.mark.parametrize(
    ("moments", "finding"),
    [
        (film(50), "too_early"),
        (film(8), "no_drop"),
        (film(150, drop=0), "no_drop"),
        (film(150, speed=80), "still_changing"),
    ],
)
def test_a_film_that_does_not_show_a_final_colour_says_why(moments: list[Moment], finding: str) -> None:
    found = final(moments)
    assert found.findings == (finding,)
    assert ":" in found.problem
