"""Readings that come within a few seconds: what becomes one event, what stays two, and what is acknowledged when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from drivers.passport.event import passport_read
from drivers.passport.pairing import Pairing
from edge_agent.driver import Evidence, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.passport import Disagreement, PassportRead, Source, Verdict
from edge_agent.processing.mrz.parse import parse
from tests.processing.mrz.test_agreement import TD3, TWINS, with_

PAGE, SWIPE, CAMERA = Source.PAGE, Source.SWIPE, Source.CAMERA
NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Desk:
    """A pairing with a clock, and a list of what was acknowledged."""

    def __init__(self, *sources: Source) -> None:
        self.pairing = Pairing(2.0, frozenset(sources or (PAGE, SWIPE)))
        self.acknowledged: list[str] = []

    def see(self, source: Source, lines: tuple[str, ...] | str, now: float, name: str = "") -> None:
        picture = (Evidence(name.encode(), "image/jpeg", "page"),) if source is PAGE else ()
        read = passport_read(parse(lines), source=source, engine="test", milliseconds=1)
        self.pairing.add(
            Observation(
                read,
                picture,
                acknowledge=lambda: self.acknowledged.append(name),
                key=name if source is PAGE else None,
                observed=NOW + timedelta(seconds=now),
            ),
            now,
        )

    def at(self, now: float) -> list[Observation]:
        return list(self.pairing.release(now))

    def one(self, now: float) -> PassportRead:
        (observation,) = self.at(now)
        assert isinstance(observation.data, PassportRead)
        return observation.data


@pytest.mark.parametrize("order", [(PAGE, SWIPE), (SWIPE, PAGE)])
def test_page_and_swipe_are_one_event_at_once_and_both_are_acknowledged_after_it(order: tuple[Source, Source]) -> None:
    desk = Desk()
    desk.see(order[0], TD3, 10.0, order[0].value)
    assert desk.at(10.5) == []
    desk.see(order[1], TD3, 11.0, order[1].value)
    (observation,) = desk.at(11.0)
    read = observation.data
    assert isinstance(read, PassportRead)
    assert (read.source, read.sources, read.disagreements, read.valid) == (order[0], list(order), [], True)
    assert (observation.key, observation.observed) == ("page", NOW + timedelta(seconds=10))
    assert [evidence.data for evidence in observation.evidence] == [b"page"]
    assert desk.acknowledged == []
    assert observation.acknowledge is not None
    observation.acknowledge()
    assert sorted(desk.acknowledged) == ["page", "swipe"]


def test_a_reading_without_a_partner_goes_out_as_it_is_after_a_while() -> None:
    desk = Desk()
    desk.see(SWIPE, TD3, 0.0)
    assert desk.at(1.9) == []
    read = desk.one(2.0)
    assert (read.source, read.sources) == (SWIPE, [])
    assert desk.at(inf) == []


def test_two_frames_of_one_scanner_are_one_event() -> None:
    desk = Desk()
    desk.see(PAGE, with_(2, 15, "5"), 0.0, "white light")
    desk.see(PAGE, TD3, 0.4, "infrared")
    assert desk.at(1.0) == []
    read = desk.one(2.0)
    assert (read.sources, read.valid, read.lines) == ([PAGE, PAGE], True, list(TD3))
    assert read.disagreements == [Disagreement(line=2, column=15, values=["4", "5"])]


def test_where_a_check_digit_decides_the_valid_reading_stays_valid() -> None:
    desk = Desk()
    desk.see(PAGE, with_(2, 15, "5"), 0.0)
    desk.see(SWIPE, TD3, 0.1)
    read = desk.one(0.1)
    assert (read.verdict, read.source, read.sources, read.problem) == (Verdict.VALID, SWIPE, [SWIPE, PAGE], "")
    assert read.fields.birth_date == "1974-08-12"
    assert read.disagreements == [Disagreement(line=2, column=15, values=["4", "5"])]


def test_where_no_check_digit_decides_it_is_doubtful_and_says_where() -> None:
    desk = Desk()
    desk.see(PAGE, with_(1, 6, "F"), 0.0)
    desk.see(SWIPE, TD3, 0.1)
    read = desk.one(0.1)
    assert (read.verdict, read.valid) == (Verdict.DOUBTFUL, False)
    assert read.disagreements == [Disagreement(line=1, column=6, values=["F", "E"])]
    assert "disagree at line 1 character 6: compare with the document" in read.problem


def test_the_documents_of_twins_are_two_events() -> None:
    desk = Desk()
    desk.see(PAGE, TWINS[0], 0.0)
    desk.see(SWIPE, TWINS[1], 0.1)
    assert desk.at(1.0) == []
    assert [observation.data.sources for observation in desk.at(2.5)] == [[], []]  # type: ignore[attr-defined]


def test_two_travellers_in_a_hurry_are_two_events_of_two_sources() -> None:
    desk = Desk()
    desk.see(PAGE, TWINS[0], 0.0)
    desk.see(PAGE, TWINS[1], 0.1)
    desk.see(SWIPE, TWINS[1], 0.2)
    desk.see(SWIPE, TWINS[0], 0.3)
    seen = [observation.data for observation in desk.at(0.3)]
    assert [(read.lines, read.sources) for read in seen] == [  # type: ignore[attr-defined]
        (list(TWINS[0]), [PAGE, SWIPE]),
        (list(TWINS[1]), [PAGE, SWIPE]),
    ]


def test_the_same_document_later_is_another_event() -> None:
    desk = Desk()
    desk.see(PAGE, TD3, 0.0)
    assert desk.one(2.0).sources == []
    desk.see(SWIPE, TD3, 2.1)
    assert desk.one(4.2).sources == []


def test_what_is_no_document_is_not_held_back() -> None:
    desk = Desk()
    desk.see(PAGE, "nothing of the kind", 0.0)
    desk.pairing.add(Observation(InputRejected(reason="half-document", message="Swipe it again.")), 0.0)
    assert [type(observation.data) for observation in desk.at(0.0)] == [PassportRead, InputRejected]
