"""A scanner's folder and a swipe reader on a pseudo terminal, as one desk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.folder import Content
from drivers.passport.desk import Desk, DeskSettings
from drivers.passport.event import passport_read
from drivers.passport.page import PageFolder, PageSettings
from drivers.passport.swipe import SwipeSettings
from edge_agent.driver import DriverError, Observation
from edge_agent.events.passport import PassportRead, Source
from edge_agent.processing.mrz.framing import FRAMINGS
from edge_agent.processing.mrz.parse import parse
from tests.drivers.passport.test_swipe import TD1, TD3
from tests.drivers.wires import Wire

ACCESS_IS = FRAMINGS[0]


@pytest.fixture(autouse=True)
def _pages_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are text here: that pictures can be read is shown elsewhere."""

    def examine(_: PageFolder, data: bytes) -> Content:
        return Content(passport_read(parse(data.decode()), source=Source.PAGE, engine="test", milliseconds=1))

    monkeypatch.setattr(PageFolder, "examine", examine)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with Wire(tmp_path / "reader") as wire:
        yield wire


def watch(tmp_path: Path, wire: Wire, pair_seconds: float = 1.0) -> Iterator[Observation | None]:
    (tmp_path / "inbox").mkdir(exist_ok=True)
    desk = Desk(
        DeskSettings(
            pair_seconds=pair_seconds,
            pages=PageSettings(folder=tmp_path / "inbox", settle_seconds=0),
            swipe=SwipeSettings(port=str(wire.link)),
        )
    )
    observations = desk.observe()
    assert next(observations) is None
    return observations


def lay(tmp_path: Path, lines: tuple[str, ...], name: str = "page.txt") -> None:
    (tmp_path / "inbox" / name).write_text("\n".join(lines))


def next_of(observations: Iterator[Observation | None], seconds: float = 5) -> Any:
    """The next reading, durable and acknowledged."""
    deadline = time.monotonic() + seconds
    for observation in observations:
        if observation is not None:
            assert isinstance(observation.data, PassportRead)
            if observation.acknowledge is not None:
                observation.acknowledge()
            return observation.data
        assert time.monotonic() < deadline, "nothing was observed"
    raise AssertionError("the driver ended")


def test_a_document_that_both_see_is_one_event(tmp_path: Path, wire: Wire) -> None:
    observations = watch(tmp_path, wire)
    wire.send(ACCESS_IS.wrap(TD3))
    lay(tmp_path, TD3)
    read = next_of(observations)
    assert (sorted(read.sources), read.disagreements, read.valid) == (["page", "swipe"], [], True)
    assert (tmp_path / "inbox" / "processed" / "page.txt").exists()
    wire.send(ACCESS_IS.wrap(TD1))
    assert (next_of(observations).source, next(observations)) == (Source.SWIPE, None)


def test_a_page_stays_where_it_is_until_the_event_is_durable(tmp_path: Path, wire: Wire) -> None:
    observations = watch(tmp_path, wire, pair_seconds=0.3)
    lay(tmp_path, TD3)
    observation = next(each for each in observations if each is not None)
    assert (tmp_path / "inbox" / "page.txt").exists()
    assert observation.acknowledge is not None
    observation.acknowledge()
    assert not (tmp_path / "inbox" / "page.txt").exists()


def test_several_pages_are_held_at_the_same_time(tmp_path: Path, wire: Wire) -> None:
    observations = watch(tmp_path, wire, pair_seconds=1.0)
    lay(tmp_path, TD3, "1.txt")
    lay(tmp_path, TD1, "2.txt")
    started = time.monotonic()
    assert {next_of(observations).format, next_of(observations).format} == {"TD3", "TD1"}
    assert time.monotonic() - started < 1.9


def test_a_cable_that_is_pulled_takes_no_reading_with_it(tmp_path: Path, wire: Wire) -> None:
    observations = watch(tmp_path, wire, pair_seconds=30)
    lay(tmp_path, TD3)
    for _ in range(5):
        assert next(observations) is None
    wire.unplug()
    assert next_of(observations).source is Source.PAGE
    with pytest.raises(DriverError, match="unplugged"):
        next(observations)


def test_pages_are_read_on_without_the_swipe_reader_which_is_found_when_it_comes(tmp_path: Path, wire: Wire) -> None:
    wire.unplug()
    observations = watch(tmp_path, wire, pair_seconds=0.2)
    lay(tmp_path, TD3)
    assert next_of(observations).source is Source.PAGE
    wire.plug()
    assert [next(observations), next(observations)] == [None, None]  # in the second turn the port is open
    wire.send(ACCESS_IS.wrap(TD1))
    assert next_of(observations).source is Source.SWIPE


def test_a_swipe_reader_that_is_not_there_is_told(tmp_path: Path, wire: Wire) -> None:
    wire.unplug()
    desk = Desk(DeskSettings(pages=PageSettings(folder=tmp_path / "inbox"), swipe=SwipeSettings(port=str(wire.link))))
    (tmp_path / "inbox").mkdir(exist_ok=True)
    observations = desk.observe()
    assert next(observations) is None
    assert "plug it in" in desk.trouble
    wire.plug()
    assert next(observations) is None
    assert desk.trouble == ""
