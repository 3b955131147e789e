"""Whether the light is a sodium lamp's, by the way in which the card's colours do not come out right.

Their size alone does not tell: a bulb before a poor camera leaves as much. The file beside this module is made by
``benchmarks/drugkit_sodium.py`` from rendered cards.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from edge_agent.processing.colourtest.colour import Array

FILE: Final = Path(__file__).with_name("sodium.csv")


def like_sodium(errors: Mapping[str, Array]) -> float:
    """Positive for a sodium lamp.

    Args:
        errors: of the patches by name, each of shape (3,): reference less fit along lightness, chroma and hue, in units
            of CIEDE2000. A patch that is missing says nothing.
    """
    weights = _weights()
    bias = float(weights["bias"][0])
    return bias + sum(float(weights[name] @ wrong) for name, wrong in errors.items() if name in weights)


@cache
def _weights() -> dict[str, Array]:
    with FILE.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    return {row["patch"]: np.array([float(row[name]) for name in ("lightness", "chroma", "hue")]) for row in rows}
