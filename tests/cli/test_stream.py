from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from edge_agent.cli.stream import LOST_AFTER, SETTLE_SECONDS, Arrival, Kind, Numbers, Stream, parse
from edge_agent.cli.stream_table import View, clean, missing, status, summary, told
from edge_agent.events.topics import Post

KORDAI = Post("kz", "kordai")


def event(number: int, recorded: int | None = None, **members: Any) -> bytes:
    return json.dumps(
        {
            "type": "org.blo.edge.trial.load.v1",
            "sequence": f"{number:015}",
            "recordedtime": f"2026-11-24T08:00:00.{number if recorded is None else recorded:06}Z",
            **members,
        }
    ).encode()


def take(stream: Stream, number: int, now: float = 0.0, recorded: int | None = None, **members: Any) -> Arrival | None:
    return stream.take(parse("blo/v1/kz/kordai/lane-1/trial/load", event(number, recorded, **members)), now)


def say(stream: Stream, now: float = 0.0, **status: Any) -> None:
    stream.take(parse("blo/v1/kz/kordai/agent/status", json.dumps({"state": "ok", **status}).encode()), now)


def asked(stream: Stream, now: float) -> list[tuple[int, int]]:
    replies = [(topic, json.loads(payload)) for topic, payload in stream.replies("office", now)]
    return [(said["first"], said["last"]) for topic, said in replies if topic.endswith("agent/replay/office")]


def confirmed(stream: Stream, now: float) -> list[int]:
    replies = [(topic, json.loads(payload)) for topic, payload in stream.replies("office", now)]
    return [said["through"] for topic, said in replies if topic == "blo/v1/kz/kordai/agent/receipt/office"]


@given(st.lists(st.integers(1, 40), max_size=80))
def test_numbers_agree_with_a_set_that_remembers_everything(numbers: list[int]) -> None:
    followed, seen = Numbers(), set[int]()
    for number in numbers:
        first = followed.first or number
        known = number in seen or number < first
        arrival = followed.add(number, 0.0)
        expected = Arrival.DUPLICATE if known else Arrival.LATE if number < max(seen, default=0) else Arrival.NEW
        assert arrival is expected
        seen.add(number)
    if seen:
        absent = set(range(followed.first, max(seen))) - seen
        assert {each for gap in followed.gaps for each in range(gap.first, gap.last + 1)} == absent
        assert followed.missing == len(absent)
        assert followed.through == min(absent, default=max(seen) + 1) - 1
        assert followed.gaps == sorted(followed.gaps, key=lambda gap: gap.first)


@given(st.text() | st.just("blo/v1/kz/kordai/lane-1/trial/load"), st.binary() | st.text().map(str.encode))
def test_no_message_is_too_strange(topic: str, payload: bytes) -> None:
    stream = Stream()
    stream.take(parse(topic, payload), 0.0)
    assert stream.totals.received == 0
    told(stream)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("state", "reason", "last_sequence", "undelivered", "data", "type", "time"), _JSON),
    ),
    st.sampled_from(["agent/status", "lane-1/status", "agent/birth", "lane-1/trial/load", "agent/agent/salvaged"]),
    st.booleans(),
)
def test_no_content_is_too_strange_and_all_of_it_can_be_shown(said: dict[str, Any], where: str, full: bool) -> None:
    stream = Stream()
    take(stream, 1)
    payload = json.dumps({**json.loads(event(2)), **said}).encode()
    message = parse(f"blo/v1/kz/kordai/{where}", payload)
    stream.take(message, 0.0)
    if message.kind is Kind.EVENT:
        assert "\n" not in summary(message.content, full=full).plain
    if message.kind is Kind.STATUS:
        assert "\n" not in status(message).plain
    console = Console(width=80, height=20, force_terminal=True)
    with console.capture():
        console.print(View(stream, console, "broker").draw(20))


@pytest.mark.parametrize("sequence", ["1", "0" * 15, 1042, "\N{FULLWIDTH DIGIT NINE}" * 15, "9" * 5000, None])
def test_what_has_no_number_is_no_event(sequence: object) -> None:
    stream = Stream()
    assert take(stream, 1, sequence=sequence) is None
    assert (stream.totals.received, stream.totals.other) == (0, 1)


def test_a_gap_is_asked_for_only_after_a_while_and_then_less_and_less_often() -> None:
    stream = Stream()
    for number in (7, 8, 12):
        take(stream, number, now=10.0)
    assert asked(stream, 10.0 + SETTLE_SECONDS / 2) == []
    times = [now / 10 for now in range(100, 10_000) if asked(stream, now / 10)]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert times[0] == pytest.approx(10 + SETTLE_SECONDS)
    assert pauses[:4] == pytest.approx([4, 8, 16, 32])
    assert max(pauses) == pytest.approx(300)


def test_what_comes_late_is_no_longer_asked_for() -> None:
    stream = Stream()
    take(stream, 7)
    take(stream, 12)
    assert take(stream, 9) is Arrival.LATE
    assert asked(stream, 100.0) == [(8, 8), (10, 11)]
    assert [take(stream, number) for number in (8, 10, 11, 9)] == [Arrival.LATE] * 3 + [Arrival.DUPLICATE]
    assert asked(stream, 1000.0) == []
    assert (stream.totals.gaps, stream.totals.filled, stream.totals.duplicates) == (1, 4, 1)


def test_a_receipt_confirms_the_unbroken_run_only_and_not_too_often() -> None:
    stream = Stream()
    assert confirmed(stream, 0.0) == []
    take(stream, 7)
    assert confirmed(stream, 1.0) == [7]
    for number in (8, 9, 11):
        take(stream, number)
    assert confirmed(stream, 1.5) == []
    assert confirmed(stream, 2.5) == [9]
    take(stream, 10)
    assert confirmed(stream, 4.0) == [11]
    assert confirmed(stream, 9.0) == []


def test_a_tail_that_never_came_is_noticed_by_the_status_of_the_agent() -> None:
    stream = Stream()
    say(stream, last_sequence=500, undelivered=0)  # what was before us is not missing
    take(stream, 501)
    say(stream, last_sequence=505, undelivered=4)  # on its way
    assert asked(stream, 100.0) == []
    say(stream, last_sequence=505, undelivered=0)
    assert asked(stream, 200.0) == [(502, 505)]


def test_what_a_damaged_journal_lost_is_given_up_after_asking_in_vain() -> None:
    stream = Stream()
    take(stream, 90)
    take(stream, 100, type="org.blo.edge.agent.salvaged.v1", data={"saved": 80, "resumed": 100, "reason": "malformed"})
    asked_for = [each for now in range(0, 200, 2) for each in asked(stream, float(now))]
    assert asked_for == [(91, 99)] * (LOST_AFTER + 1)
    assert stream.totals.lost == 9
    assert stream.summary()["posts"]["kz/kordai"]["through"] == 100


def test_a_post_that_lost_its_journal_counts_anew() -> None:
    stream = Stream()
    for number in (90, 91, 92):
        take(stream, number)
    assert take(stream, 91) is Arrival.DUPLICATE
    assert take(stream, 1, recorded=500) is Arrival.NEW
    assert take(stream, 2, recorded=501) is Arrival.NEW
    assert (stream.totals.renumbered, stream.totals.duplicates) == (1, 1)
    assert stream.summary()["posts"]["kz/kordai"] == {"first": 1, "through": 2, "highest": 2, "missing": []}


def test_each_post_is_followed_by_itself() -> None:
    stream = Stream()
    take(stream, 1)
    stream.take(parse("blo/v1/kz/karasu/lane-1/trial/load", event(9)), 0.0)
    take(stream, 2)
    assert stream.summary()["missing"] == 0
    assert set(stream.summary()["posts"]) == {"kz/kordai", "kz/karasu"}


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ("agent/receipt/office", Kind.COMMAND),
        ("agent/replay/office", Kind.COMMAND),
        ("lane-1/evidence/00ff", Kind.EVIDENCE),
        ("lane-1/receipt/read", Kind.EVENT),
        ("agent/birth", Kind.BIRTH),
        ("lane-1/status", Kind.STATUS),
        ("lane-1/trial/load/more", Kind.OTHER),
        ("lane-1", Kind.OTHER),
    ],
)
def test_a_topic_says_what_a_message_is(rest: str, kind: Kind) -> None:
    payload = json.dumps({"state": "ok", **json.loads(event(1))}).encode()
    message = parse(f"blo/v1/kz/kordai/{rest}", payload)
    assert message.kind is kind


PASSPORT = {
    "type": "org.blo.edge.passport.read.v1",
    "dataclassification": "personal",
    "data": {
        "verdict": "doubtful",
        "problem": "'H' where M, F, X or < belongs",
        "lines": ["P<UTOERIKSSON<<ANNA<MARIA"],
        "fields": {"document_code": "P", "issuing_state": "UTO", "surname": "ERIKSSON", "document_number": "L898902C3"},
    },
}


def test_of_a_document_only_kind_state_and_verdict_are_shown() -> None:
    assert summary(PASSPORT).plain == "P UTO doubtful"
    assert "ERIKSSON" in summary(PASSPORT, full=True).plain


def test_personal_data_of_an_unknown_event_is_not_shown() -> None:
    told_of = summary({"type": "x", "dataclassification": "personal", "data": {"name": "ERIKSSON"}}).plain
    assert "ERIKSSON" not in told_of
    assert "--full" in told_of
    assert "ERIKSSON" not in summary({"type": "x", "data": {"name": "ERIKSSON"}}).plain, "not classified at all"


def test_operational_data_is_shown_briefly() -> None:
    event = {"type": "x", "dataclassification": "operational", "data": {"reason": "dark", "size": 3, "deep": {"a": 1}}}
    assert summary(event).plain == "reason=dark, size=3"
    assert len(summary({**event, "data": {"reason": "x" * 500}}).plain) == 120


def test_of_a_rejected_input_the_advice_is_shown() -> None:
    data = {"reason": "truncated-image", "message": "The file ends early: scan again."}
    assert summary({"type": "org.blo.edge.device.rejected.v1", "data": data}).plain == data["message"]


def test_nothing_that_comes_over_the_wire_reaches_the_terminal_as_a_command() -> None:
    assert clean("a\x1b[2Jb\u202ec\nd") == "a\ufffd[2Jb\ufffdc d"


def test_the_totals_are_words() -> None:
    stream = Stream()
    for number in (1, 2, 2, 5, 9):
        take(stream, number)
    assert told(stream) == "4 events, 5 missing, 1 came twice"
    assert [text.plain for text in missing(stream)] == ["missing of kz/kordai: 3 to 4, 6 to 8"]
    assert [text.plain for text in missing(stream, 1)] == ["missing of kz/kordai: 3 to 4 and 1 more"]
