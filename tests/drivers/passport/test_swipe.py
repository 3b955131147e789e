"""Swipe readers on real pseudo terminals: documents, half ones, babble, silence, and a cable that is pulled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.passport.swipe import SwipeReader, SwipeSettings
from edge_agent.driver import DriverError, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.passport import PassportRead, Source, Verdict
from edge_agent.processing.mrz.framing import FRAMINGS, Framing
from tests.drivers.wires import Wire
from tests.processing.mrz.zones import GOOD

TD3 = tuple(GOOD["TD3 of Doc 9303 part 4"].split())
TD1 = tuple(GOOD["TD1 of Doc 9303 part 5"].split())
ACCESS_IS = FRAMINGS[0]


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with Wire(tmp_path / "reader") as wire:
        yield wire


def listen(wire: Wire, **values: Any) -> Iterator[Observation | None]:
    """A driver that has opened its port."""
    settings = {"gap_seconds": 0.1, "patience_seconds": 0.3, **values}
    observations = SwipeReader(SwipeSettings(port=str(wire.link), **settings)).observe()
    assert next(observations) is None
    return observations


def next_of(observations: Iterator[Observation | None], seconds: float = 5) -> Any:
    deadline = time.monotonic() + seconds
    for observation in observations:
        if observation is not None:
            return observation.data
        assert time.monotonic() < deadline, "nothing was observed"
    raise AssertionError("the driver ended")


@pytest.mark.parametrize("framed", FRAMINGS, ids=lambda framed: framed.name)
def test_documents_become_events(wire: Wire, framed: Framing) -> None:
    observations = listen(wire)
    for lines, name in ((TD3, "TD3"), (TD1, "TD1")):
        wire.send(framed.wrap(lines))
        read = next_of(observations)
        assert isinstance(read, PassportRead)
        assert (read.verdict, read.source, read.format) == (Verdict.VALID, Source.SWIPE, name)
        assert (tuple(read.lines), read.confidence, read.findings) == (lines, None, ["expired"])


def test_two_documents_in_one_go_are_two_events(wire: Wire) -> None:
    observations = listen(wire)
    wire.send(ACCESS_IS.wrap(TD3) + ACCESS_IS.wrap(TD1))
    assert [next_of(observations).format, next_of(observations).format] == ["TD3", "TD1"]


def test_a_misread_document_is_doubtful_with_the_reason(wire: Wire) -> None:
    observations = listen(wire)
    wire.send(ACCESS_IS.wrap((TD3[0], TD3[1].replace("740812", "740813"))))
    read = next_of(observations)
    assert (read.verdict, read.valid) == (Verdict.DOUBTFUL, False)
    assert "check digit of the birth date" in read.problem


def test_half_a_document_is_rejected_without_saying_whose(wire: Wire) -> None:
    observations = listen(wire)
    wire.send(ACCESS_IS.wrap(TD3)[:50])
    rejected = next_of(observations)
    assert isinstance(rejected, InputRejected)
    assert (rejected.reason, rejected.sha256) == ("half-document", None)
    assert "ERIKSSON" not in rejected.model_dump_json()


def test_a_pause_of_ours_is_no_pause_of_the_reader(wire: Wire) -> None:
    """While an event is made durable the rest of the next document waits in the kernel, however long that takes."""
    observations = listen(wire)
    sent = ACCESS_IS.wrap(TD1)
    wire.send(ACCESS_IS.wrap(TD3) + sent[:40])
    assert next_of(observations).format == "TD3"
    time.sleep(0.5)
    wire.send(sent[40:])
    assert next_of(observations).format == "TD1"


def test_a_reader_that_babbles_is_called_so(wire: Wire) -> None:
    observations = listen(wire)
    wire.send(b"\x55\xaa" * 1500)
    with pytest.raises(DriverError, match=r"babbles.*set up as the device's file says"):
        list(observations)


def test_a_reader_that_is_silent_is_reported_where_that_is_wanted(wire: Wire) -> None:
    with pytest.raises(DriverError, match=r"has sent nothing for 0\.3 s"):
        list(listen(wire, silence_seconds=0.3))


def test_a_reader_that_is_unplugged_is_found_again_under_another_number(wire: Wire) -> None:
    observations = listen(wire)
    number = wire.link.readlink()
    wire.unplug()
    with pytest.raises(DriverError, match="unplugged"):
        list(observations)
    with Wire(wire.link.with_name("keeps the number busy")):
        observations = listen(wire)  # the process that the supervisor starts: it waits for the port
        wire.plug()
        assert wire.link.readlink() != number
        assert [next(observations), next(observations)] == [None, None]  # now it is open
        wire.send(ACCESS_IS.wrap(TD3))
        assert next_of(observations).format == "TD3"


def test_a_reader_that_is_not_there_is_told_and_waited_for(tmp_path: Path) -> None:
    reader = SwipeReader(SwipeSettings(port=str(tmp_path / "nothing")))
    observations = reader.observe()
    assert [next(observations), next(observations)] == [None, None]
    assert "plug it in" in reader.trouble
    with pytest.raises(DriverError, match="plug it in"):
        reader.probe()


def test_probe_opens_the_port(wire: Wire) -> None:
    found = SwipeReader(SwipeSettings(port=str(wire.link))).probe()
    assert found == f"{wire.link} can be opened with 9600 baud; swipe a document to see more"


def test_the_port_is_free_again_when_the_driver_is_closed(wire: Wire) -> None:
    observations = SwipeReader(SwipeSettings(port=str(wire.link))).observe()
    next(observations)
    observations.close()  # type: ignore[attr-defined]  # it is a generator, and the worker closes it
    assert SwipeReader(SwipeSettings(port=str(wire.link))).probe()
