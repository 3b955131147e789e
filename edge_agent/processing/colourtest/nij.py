"""NIJ Standard 0604.01 (July 2000), table 1: the final colours of twelve reagents, and which cannot be told apart.

The file beside this module is made by ``benchmarks/drugkit_nij.py``: 152 rows, CIELAB for D65.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from edge_agent.processing.colourtest.colour import Array, ciede2000

FILE: Final = Path(__file__).with_name("nij_0604_01.csv")
SAME_COLOUR: Final = 5.0
"""CIEDE2000 up to which the colours of a reagent are one group: about what a photograph can tell apart."""
_BLACK: Final = (20.5, 3.0)
"""'Black' has no Munsell notation: taken as value 2 or less with next to no chroma (L*, and C* in CIELAB)."""
_RANGE_STEPS: Final = 9


@dataclass(frozen=True, slots=True)
class Row:
    """A colour that a substance turns a reagent to. ``colours``, shape (n, 3), are CIELAB points along its range.

    Most rows have one point; empty where the table says only 'Black'. ``phase`` is the layer or step it is seen in.
    """

    reagent: str
    substance: str
    usual: bool
    phase: str
    name: str
    munsell: tuple[str, ...]
    limit_ug: float | None
    outside_srgb: bool
    colours: Array

    def distance(self, lab: Array) -> Array:
        """CIEDE2000 from colours, shape (..., 3), to the nearest point of this row, shape (...)."""
        if not len(self.colours):
            chroma = np.hypot(lab[..., 1], lab[..., 2])
            scale = np.minimum(1, _BLACK[1] / np.maximum(chroma, 1e-9))
            nearest = np.stack((np.minimum(lab[..., 0], _BLACK[0]), lab[..., 1] * scale, lab[..., 2] * scale), axis=-1)
            return ciede2000(lab, nearest)
        return np.asarray(ciede2000(lab[..., None, :], self.colours).min(axis=-1), np.float64)


@dataclass(frozen=True, slots=True)
class Reagent:
    """A reagent of the standard, with its rows."""

    code: str
    name: str
    rows: tuple[Row, ...]

    @property
    def substances(self) -> list[str]:
        """All of its table, in the order of the table."""
        return list(dict.fromkeys(row.substance for row in self.rows))


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of a reagent, none farther from another than ``SAME_COLOUR``."""

    rows: tuple[Row, ...]

    @property
    def substances(self) -> list[str]:
        """Who gives this colour."""
        return list(dict.fromkeys(row.substance for row in self.rows))

    def distance(self, lab: Array) -> Array:
        """CIEDE2000 from colours, shape (..., 3), to the nearest row."""
        return np.asarray(np.min([row.distance(lab) for row in self.rows], axis=0), np.float64)


@cache
def reagents() -> dict[str, Reagent]:
    """The reagents of the standard by their code, A.1 to A.12."""
    names: dict[str, str] = {}
    rows: dict[str, list[Row]] = {}
    with FILE.open(newline="") as opened:
        table = list(csv.DictReader(opened))
    for i, line in enumerate(table):
        if line["range_end"] == "to":
            continue
        ends = table[i : i + 2] if line["range_end"] == "from" else [line]
        names[line["reagent"]] = line["reagent_name"]
        rows.setdefault(line["reagent"], []).append(
            Row(
                reagent=line["reagent"],
                substance=line["analyte"],
                usual=line["usual"] == "1",
                phase=line["phase"],
                name=line["colour_name"],
                munsell=tuple(end["munsell"] for end in ends),
                limit_ug=float(line["limit_ug"]) if line["limit_ug"] else None,
                outside_srgb=any(end["outside_srgb"] == "1" for end in ends),
                colours=_points(ends),
            )
        )
    return {code: Reagent(code, names[code], tuple(found)) for code, found in rows.items()}


def _points(ends: list[dict[str, str]]) -> Array:
    if not ends[0]["L"]:
        return np.empty((0, 3))
    labs = np.array([[float(end[name]) for name in "Lab"] for end in ends])
    if len(labs) == 1:
        return labs
    along = np.linspace(0, 1, _RANGE_STEPS)[:, None]
    return np.asarray(labs[0] * (1 - along) + labs[1] * along, np.float64)


def groups(rows: tuple[Row, ...]) -> list[Group]:
    """Rows by colour: complete linkage, so that no two of a group differ by more than ``SAME_COLOUR``."""
    clusters = [[i] for i in range(len(rows))]
    apart = np.array([[_between(one, other) for other in rows] for one in rows])
    while True:
        widths = [
            (float(apart[np.ix_(a, b)].max()), i, i + 1 + j)
            for i, a in enumerate(clusters)
            for j, b in enumerate(clusters[i + 1 :])
        ]
        width, i, j = min(widths, default=(np.inf, 0, 0))
        if width > SAME_COLOUR:
            return [Group(tuple(rows[k] for k in cluster)) for cluster in clusters]
        clusters[i] = sorted(clusters[i] + clusters.pop(j))


def _between(one: Row, other: Row) -> float:
    """How far apart two rows are at most: ranges are one only with the same range."""
    if not (len(one.colours) and len(other.colours)):
        return 0.0 if len(one.colours) == len(other.colours) else np.inf
    return float(max(one.distance(other.colours).max(), other.distance(one.colours).max()))
