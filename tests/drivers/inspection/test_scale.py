"""Scales on real pseudo terminals: loads, noise, overload, silence, and a cable that is pulled."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.inspection.scale import Scale, ScaleSettings
from edge_agent.driver import DriverError, Observation
from edge_agent.events.inspection import Weighed
from tests.drivers.wires import Wire

LOAD = b"ST,GS,+  4.876kg\r\n"
EMPTY = b"ST,GS,+  0.000kg\r\n"


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with Wire(tmp_path / "scale") as wire:
        yield wire


def driver(wire: Wire, **settings: Any) -> Scale:
    return Scale(ScaleSettings(port=str(wire.link), **settings))


def until(observations: Iterator[Observation | None], done: Callable[[Observation | None], bool]) -> Any:
    deadline = time.monotonic() + 10
    for observation in observations:
        if done(observation):
            return observation.data if observation is not None else None
        assert time.monotonic() < deadline, "it did not come"
    raise AssertionError("the driver ended")


def weight(observations: Iterator[Observation | None]) -> Weighed:
    found = until(observations, lambda observation: observation is not None)
    assert isinstance(found, Weighed)
    return found


def test_a_load_becomes_one_event_with_its_line(wire: Wire) -> None:
    observations = driver(wire).observe()
    next(observations)
    wire.send(EMPTY + b"US,GS,+  2.100kg\r\n" + LOAD * 5)
    found = weight(observations)
    assert (found.value, found.unit, found.shown, found.kilograms, found.net) == (4.876, "kg", "4.876", 4.876, False)
    assert (found.frame, found.protocol) == ("ST,GS,+  4.876kg", "and")
    wire.send(EMPTY * 2 + LOAD.replace(b"4.876", b"1.500") * 2)
    assert weight(observations).shown == "1.500"


def test_a_toledo_is_asked_and_answers(wire: Wire) -> None:
    scale = driver(wire, protocol="toledo-8217", unit="lb", poll_seconds=0.05)
    observations = scale.observe()
    answers = iter([b"\x02?\x01\r", b"\x02 2.50\r", b"\x02 2.50\r", b"\x02?\x00\r"])
    deadline = time.monotonic() + 10
    for observation in observations:
        if observation is not None:
            found = observation.data
            break
        assert time.monotonic() < deadline
        if _asked(wire):
            wire.send(next(answers, b"\x02?\x00\r"))
    assert isinstance(found, Weighed)
    assert (found.shown, found.unit, found.kilograms) == ("2.50", "lb", pytest.approx(1.133980925))
    assert found.frame == "\\x02 2.50"


def _asked(wire: Wire) -> bool:
    master = wire._master
    assert master is not None
    return bool(select.select([master], [], [], 0)[0]) and b"W" in os.read(master, 64)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"OL,GS,+9999999kg\r\n", "overloaded"),
        (b"OL,GS,-9999999kg\r\n", "set it to zero"),
        (b"\x55\xaa" * 300, "compare protocol, baud"),
        (b"", "said nothing for 0.2 s"),
    ],
)
def test_what_is_wrong_with_it_is_said_while_it_lasts(wire: Wire, sent: bytes, said: str) -> None:
    scale = driver(wire, silence_seconds=0.2)
    observations = scale.observe()
    next(observations)
    wire.send(sent)
    until(observations, lambda _: said in scale.trouble)
    wire.send(EMPTY)
    until(observations, lambda _: scale.trouble == "")


def test_a_scale_that_is_unplugged_is_found_again_under_another_number(wire: Wire) -> None:
    observations = driver(wire).observe()
    next(observations)
    wire.unplug()
    with pytest.raises(DriverError, match="was it unplugged"):
        list(observations)
    again = driver(wire)
    observations = again.observe()
    next(observations)
    assert "plug it in" in again.trouble
    wire.plug()
    until(observations, lambda _: again.trouble == "")
    wire.send(LOAD * 2)
    assert weight(observations).shown == "4.876"


def test_probe_says_what_the_scale_shows(wire: Wire) -> None:
    wire.send(LOAD)
    assert driver(wire).probe() == f"{wire.link}: the scale says 4.876 kg"
