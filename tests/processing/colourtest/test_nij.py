"""The table of NIJ 0604.01: whole, and its colours are those of its notations."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edge_agent.processing.colourtest.colour import ciede2000
from edge_agent.processing.colourtest.nij import FILE, SAME_COLOUR, groups, reagents

SHARED = Path(__file__).parents[4] / "shared" / "data" / "drugkit" / "nij_0604_01_table1.csv"


def table() -> list[dict[str, str]]:
    with FILE.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_every_row_of_the_standard_is_there() -> None:
    rows = table()
    assert len(rows) == 152
    assert sum(row["usual"] == "1" for row in rows) == 53
    assert len({row["reagent"] for row in rows}) == len(reagents()) == 12
    assert [row["analyte"] for row in rows if not row["L"]] == ["MDA HCl"]  # 'Black'
    assert sum(row["outside_srgb"] == "1" for row in rows) == 39
    assert Counter(row["reagent"] for row in rows if row["outside_srgb"] == "1")["A.1"] == 16
    assert sum(len(each.rows) for each in reagents().values()) == 150  # two rows are ranges of two lines


@pytest.mark.skipif(not SHARED.exists(), reason="the excerpt of the standard is not here")
def test_the_rows_are_those_of_the_standard() -> None:
    with SHARED.open(newline="") as opened:
        original = list(csv.DictReader(opened))
    same = {"reagent": "reagent", "analyte": "analyte", "usual": "usual_kit_reagent", "munsell": "munsell"}
    for row, source in zip(table(), original, strict=True):
        assert {name: row[name] for name in same} == {name: source[other] for name, other in same.items()}
        assert row["limit_ug"] == source["detection_limit_ug"]


@pytest.mark.slow
def test_the_colours_are_within_a_twentieth_of_those_of_colour_science() -> None:
    pytest.importorskip("colour")
    from benchmarks.drugkit_nij import lab_of_munsell

    rows = [row for row in table() if row["L"]]
    assert len(rows) == 151
    apart = [float(ciede2000([float(row[name]) for name in "Lab"], lab_of_munsell(row["munsell"]))) for row in rows]
    assert max(apart) < 0.05


def test_a_range_is_kept_with_both_its_ends() -> None:
    (row,) = [row for row in reagents()["A.5"].rows if row.substance == "d-Methamphetamine HCl"]
    assert row.munsell == ("10R 4/12", "7.5R 2/4")
    assert float(row.distance(row.colours[0])) == float(row.distance(row.colours[-1])) == 0
    middle = (row.colours[0] + row.colours[-1]) / 2
    assert float(row.distance(middle)) < 0.5


def test_black_is_dark_and_without_a_hue() -> None:
    (row,) = [row for row in reagents()["A.5"].rows if row.substance == "MDA HCl"]
    assert float(row.distance(np.array((8.0, 0.0, 0.0)))) == 0
    assert float(row.distance(np.array((60.0, 0.0, 0.0)))) > 30
    assert float(row.distance(np.array((20.0, 30.0, 10.0)))) > 15


@pytest.mark.parametrize("code", reagents())
def test_groups_hold_every_row_once_and_none_that_can_be_told_apart(code: str) -> None:
    rows = reagents()[code].rows
    found = groups(rows)
    assert sorted(id(row) for group in found for row in group.rows) == sorted(map(id, rows))
    for group in found:
        colours = [row.colours for row in group.rows if len(row.colours) == 1]
        assert all(ciede2000(one[0], other[0]) <= SAME_COLOUR for one in colours for other in colours)


def test_cocaine_is_never_alone_with_cobalt_thiocyanate() -> None:
    (group,) = [group for group in groups(reagents()["A.1"].rows) if "Cocaine HCl" in group.substances]
    assert {"Procaine HCl", "Pseudoephedrine HCl", "Phencyclidine HCl"} <= set(group.substances)
