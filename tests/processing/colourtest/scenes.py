"""Pictures of tests for the tests."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from edge_agent.simulate.ampoule import (
    Shot,
    develop,
    develop_raw,
    lay_out,
    photograph_card,
    plain_colours,
    plain_liquid,
)

ORANGE = (60.98, 44.26, 46.47)
"""d-Amphetamine with Marquis, at first."""
COCAINE = (50.98, -28.75, -33.2)
"""With cobalt thiocyanate."""
CLEAR = (95.0, 0.0, 3.0)
CAST = (1.0, 0.85, 0.7)
SMALL = {"width": 1000, "height": 750}


WIDE = np.array(((0.7, 0.25, 0.05), (0.15, 0.75, 0.1), (0.05, 0.2, 0.75)))
"""From linear sRGB to a sensor's own colours, none of which is below zero."""


@cache
def card(sample: tuple[float, float, float], blank: tuple[float, float, float], *, raw: bool) -> Any:
    colours, liquids = plain_colours(), (plain_liquid(sample), plain_liquid(blank))
    seen = (lambda rgb: WIDE @ rgb * CAST) if raw else (lambda rgb: rgb * CAST)
    return lay_out({name: seen(rgb) for name, rgb in colours.items()}, *map(seen, liquids))


@cache
def picture(
    sample: tuple[float, float, float] = ORANGE,
    blank: tuple[float, float, float] = CLEAR,
    *,
    raw: bool = False,
    seed: int = 0,
    curve: Any = None,
    **shot: Any,
) -> Any:
    light = photograph_card(card(sample, blank, raw=raw), np.random.default_rng(seed), Shot(**(SMALL | shot)))
    if raw:
        return develop_raw(light)
    return develop(light, curve) if curve else develop(light)
