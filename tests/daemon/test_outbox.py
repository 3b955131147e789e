"""What goes out next, and what counts as delivered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.daemon.intake import Outcomes
from edge_agent.daemon.journal import Entry, EvidenceItem, Journal
from edge_agent.daemon.outbox import Kind, Message, Outbox, Retained
from edge_agent.events.evidence import sha256


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", create=True) as journal:
        yield journal


def entries(count: int, topic: str = "blo/event", picture: bytes | None = None) -> list[Entry]:
    evidence = () if picture is None else (EvidenceItem(f"blo/evidence/{sha256(picture)}", "image/jpeg", picture),)
    return [Entry(topic, b'{"a":%d' % number, evidence=evidence) for number in range(count)]


def settle_all(journal: Journal, outcomes: Outcomes) -> None:
    """What the intake does once a second."""
    journal.settle(
        delivered_through=outcomes.delivered_through,
        refused=list(outcomes.refused),
        accepted=list(outcomes.accepted),
        evidence=list(outcomes.evidence),
        replayed=list(outcomes.replayed),
    )
    for waiting in (outcomes.refused, outcomes.accepted, outcomes.evidence, outcomes.replayed):
        waiting.clear()


def drain(outbox: Outbox, *, refuse: str | None = None) -> list[Message]:
    """Everything that waits; the broker takes it all, except topics that begin with ``refuse``."""
    sent = []
    while (message := outbox.next()) is not None:
        sent.append(message)
        outbox.settle(message, "Not authorized" if refuse and message.topic.startswith(refuse) else None)
    return sent


def following(outbox: Outbox) -> Message:
    message = outbox.next()
    assert message is not None
    return message


def test_statuses_go_first_then_events_then_replays_then_evidence(journal: Journal) -> None:
    journal.append(entries(3, picture=b"jpeg"))
    journal.settle(delivered_through=1, replays=[(1, 1)])
    retained = Retained()
    retained.set("blo/status", b"{}")
    sent = drain(Outbox(journal, Outcomes(), retained))
    assert [message.kind for message in sent] == [Kind.STATUS, Kind.EVENT, Kind.EVENT, Kind.REPLAY, Kind.EVIDENCE]
    assert [message.sequence for message in sent if message.kind is Kind.EVENT] == [2, 3]


def test_delivered_is_only_the_unbroken_run(journal: Journal) -> None:
    journal.append(entries(4))
    outcomes = Outcomes()
    outbox = Outbox(journal, outcomes, Retained())
    one, two, three, four = (following(outbox) for _ in range(4))
    outbox.settle(two, None)
    outbox.settle(four, None)
    assert outcomes.delivered_through == 0
    outbox.settle(one, None)
    assert outcomes.delivered_through == 2
    outbox.settle(three, None)
    assert outcomes.delivered_through == 4


def test_what_was_not_acknowledged_comes_again_on_the_next_connection(journal: Journal) -> None:
    journal.append(entries(3))
    outcomes = Outcomes()
    first = Outbox(journal, outcomes, Retained())
    one, two = following(first), following(first)
    first.settle(one, None)
    again = drain(Outbox(journal, outcomes, Retained()))
    assert [message.sequence for message in again] == [2, 3]
    assert again[0].payload == two.payload


def test_a_refused_event_does_not_hold_up_the_others_and_is_tried_again(journal: Journal) -> None:
    journal.append([*entries(2, "blo/lane-1"), *entries(2, "blo/lane-2")])
    outcomes = Outcomes()
    drain(Outbox(journal, outcomes, Retained()), refuse="blo/lane-1")
    settle_all(journal, outcomes)
    assert outcomes.delivered_through == 4
    assert journal.stand().undelivered == 2
    drain(Outbox(journal, outcomes, Retained()))
    settle_all(journal, outcomes)
    assert journal.stand().undelivered == 0


def test_a_topic_that_is_refused_once_is_not_tried_with_all_its_events(journal: Journal) -> None:
    journal.append(entries(50, "blo/lane-1"))
    outcomes = Outcomes()
    outbox = Outbox(journal, outcomes, Retained())
    drain(outbox, refuse="blo/lane-1")
    settle_all(journal, outcomes)
    outbox.look(everywhere=True)
    retries = drain(outbox, refuse="blo/lane-1")
    assert len(retries) <= 1


def test_nothing_is_read_when_there_is_nothing_new(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = Outbox(journal, Outcomes(), Retained())
    assert outbox.next() is None
    monkeypatch.setattr(journal, "rows", lambda **_: pytest.fail("the journal was read"))
    assert outbox.next() is None


def test_evidence_is_not_starved_by_a_stream_of_events(journal: Journal) -> None:
    journal.append(entries(1, picture=b"jpeg"))
    journal.append(entries(500))
    kinds = [message.kind for message in drain(Outbox(journal, Outcomes(), Retained()))]
    assert kinds.index(Kind.EVIDENCE) < 150


def test_a_status_is_published_once_until_it_changes() -> None:
    retained = Retained()
    assert retained.set("blo/status", b"1")
    assert not retained.set("blo/status", b"1")
    assert retained.set("blo/status", b"2")
    message = retained.take()
    assert message is not None
    assert message.payload == b"2"
    assert retained.take() is None
    retained.all_again()
    assert retained.take() is not None
