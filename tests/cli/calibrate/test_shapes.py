from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.cli.calibrate.page.shapes import Area, FormError, Shapes, Stroke, edited, shapes_in

TRIANGLE = [(0.1, 0.1), (0.3, 0.1), (0.3, 0.4)]
HEAD = 'name = "gate"\ndriver = "cctv.onvif"\n[settings]\nhost = "h"  # the camera\n'


def shapes(*zones: str, **more: Any) -> Shapes:
    return Shapes(zones=[Area(name=name, polygon=TRIANGLE) for name in zones], **more)


def test_new_ones_come_at_the_end_and_the_rest_stays_as_it_is() -> None:
    text = HEAD + "[settings.health]\nmoved = 0.05 # a windy mast\n"
    line = Stroke(name="in", start=(0, 0.5), end=(1, 0.5))
    after = edited(text, shapes("a", lines=[line], masks=[Area(name="m", polygon=TRIANGLE)]))
    assert after.startswith(text)
    assert tomllib.loads(after)["settings"]["lines"] == [{"name": "in", "start": [0.0, 0.5], "end": [1.0, 0.5]}]
    assert shapes_in(after) == shapes("a", lines=[line], masks=[Area(name="m", polygon=TRIANGLE)])


def test_nothing_is_rewritten_where_nothing_has_changed() -> None:
    text = HEAD + "[[settings.zones]]\nname = 'a'\npolygon = [ [0.1, 0.1],\n  [0.3, 0.1], # the kerb\n  [0.3, 0.4] ]\n"
    assert edited(text, shapes("a")) == text
    assert edited(text.replace("\n", "\r\n"), shapes("a")) == text.replace("\n", "\r\n")


def test_one_that_is_gone_goes_with_its_own_lines_only() -> None:
    block = '[[settings.zones]]\nname = "{}"\npolygon = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.4]]\n'
    text = HEAD + "# first\n" + block.format("a") + "# second\n" + block.format("b") + "# last\n[settings.health]\n"
    after = edited(text, shapes("b"))
    assert after == HEAD + "# first\n# second\n" + block.format("b") + "# last\n[settings.health]\n"


def test_a_list_on_one_line_becomes_tables_with_all_they_had() -> None:
    text = HEAD + 'zones = [{ name = "a", polygon = [[0, 0], [1, 0], [1, 1]], leave_seconds = 9 }]\n# end\n'
    after = edited(text, shapes("a", "b"))
    zones = tomllib.loads(after)["settings"]["zones"]
    assert [zone["name"] for zone in zones] == ["a", "b"]
    assert zones[0]["leave_seconds"] == 9
    assert "# end" in after
    assert "# the camera" in after


def test_a_file_with_mistakes_is_not_touched() -> None:
    with pytest.raises(FormError, match="has mistakes"):
        edited("name = \n" + HEAD, shapes("a"))


corner = st.tuples(st.floats(0, 1), st.floats(0, 1))
areas = st.lists(
    st.builds(Area, name=st.sampled_from(["a", "b", "c-1"]), polygon=st.lists(corner, min_size=3, max_size=5)),
    max_size=3,
    unique_by=lambda area: area.name,
)


@settings(max_examples=40)
@given(areas, areas, areas)
def test_whatever_is_drawn_is_what_is_read_again(first: list[Area], second: list[Area], masks: list[Area]) -> None:
    text = HEAD + "# a remark\n[settings.health]\nmoved = 0.1\n"
    once = edited(text, Shapes(zones=first, masks=masks))
    again = edited(once, Shapes(zones=second, masks=masks))
    read = shapes_in(again)
    assert {zone.name for zone in read.zones} == {zone.name for zone in second}
    for wanted in second:
        (found,) = [zone for zone in read.zones if zone.name == wanted.name]
        assert found.polygon == [(round(x, 4), round(y, 4)) for x, y in wanted.polygon]
    assert "# a remark" in again
    assert "# the camera" in again
    assert edited(again, read) == again
