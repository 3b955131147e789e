"""What goes out next: reads the journal for the publisher, and writes down what became of each message."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from threading import Lock

from edge_agent.daemon.intake import Outcomes
from edge_agent.daemon.journal import Journal, Row
from edge_agent.events.envelope import CONTENT_TYPE

log = logging.getLogger(__name__)

PAGE = 100
EVIDENCE_EVERY = 100
"""While events wait, one piece of evidence goes out after so many of them."""
FIRST_RETRY, LONGEST_RETRY = 5.0, 300.0
"""Seconds between two rounds through the events that the broker refused."""


class Kind(Enum):
    """Why a message goes out, which decides what its acknowledgement means."""

    STATUS = auto()
    EVENT = auto()
    RETRY = auto()
    REPLAY = auto()
    EVIDENCE = auto()


@dataclass(frozen=True, slots=True)
class Message:
    """Something to publish with QoS 1; retained if it is a status."""

    kind: Kind
    topic: str
    payload: bytes
    media_type: str = CONTENT_TYPE
    sequence: int = 0


class Retained:
    """The retained messages as they ought to be at the broker: set by the supervisor, published by the publisher."""

    def __init__(self) -> None:
        self._payloads: dict[str, bytes] = {}
        self._changed: dict[str, None] = {}
        self._lock = Lock()

    def set(self, topic: str, payload: bytes) -> bool:
        """Whether that is news."""
        with self._lock:
            if self._payloads.get(topic) == payload:
                return False
            self._payloads[topic] = payload
            self._changed[topic] = None
            return True

    def all_again(self) -> None:
        """After a reconnection, everything is published once more."""
        with self._lock:
            self._changed = dict.fromkeys(self._payloads)

    def again(self, topics: Iterable[str]) -> None:
        """Publish these once more."""
        with self._lock:
            self._changed |= dict.fromkeys(topics)

    def take(self) -> Message | None:
        """One message that is not at the broker yet; an empty payload removes it there."""
        if not self._changed:
            return None
        with self._lock:
            topic = next(iter(self._changed))
            del self._changed[topic]
            return Message(Kind.STATUS, topic, self._payloads[topic], "application/json")


@dataclass(slots=True)
class _Replay:
    """A range that is being published again."""

    number: int
    first: int
    last: int
    page: deque[Row] = field(default_factory=deque)
    read: bool = False
    unsettled: int = 0
    after: int = 0

    def __post_init__(self) -> None:
        self.after = self.first - 1


class Outbox:
    """Hands out messages in order of urgency: a status, events in order, refused events, replays, evidence.

    Made anew for each connection: what an earlier one did not see acknowledged comes again, under the same id.
    """

    def __init__(self, journal: Journal, outcomes: Outcomes, retained: Retained) -> None:
        self._journal = journal
        self._outcomes = outcomes
        self._retained = retained
        self._cursor = max(journal.stand().delivered_through, outcomes.delivered_through)
        self._page: deque[Row] = deque()
        self._unsettled: dict[int, None] = {}
        self._since_evidence = 0
        self._evidence_page: deque[tuple[int, str]] = deque()
        self._evidence_cursor = 0
        self._retries: Iterator[tuple[int, str]] = iter(())
        self._retry_at = 0.0
        self._retry_pause = FIRST_RETRY
        self._denied: set[str] = set()
        self._denied_status: set[str] = set()
        self._replay: _Replay | None = None
        self._news = self._side_news = True
        retained.all_again()

    def look(self, *, everywhere: bool = False) -> None:
        """There may be new events; ``everywhere``: also replays, refused events and evidence."""
        self._news = True
        self._side_news = self._side_news or everywhere

    def next(self, *, only_status: bool = False) -> Message | None:
        """The most urgent message, None when nothing waits."""
        message = self._retained.take()
        if message is not None or only_status:
            return message
        if self._since_evidence >= EVIDENCE_EVERY:
            self._since_evidence = 0
            self._side_news = True
            message = self._next_evidence()
        return message or self._next_event() or self._next_retry() or self._next_replay() or self._next_evidence()

    def settle(self, message: Message, refusal: str | None) -> None:
        """The broker has acknowledged a message, or refused it with a reason."""
        match message.kind:
            case Kind.EVENT:
                self._settle_event(message, refusal)
            case Kind.RETRY if refusal is None:
                self._outcomes.accepted.append(message.sequence)
                self._retry_pause = FIRST_RETRY
            case Kind.RETRY:
                self._denied.add(message.topic)
            case Kind.STATUS if refusal is not None:
                self._denied_status.add(message.topic)
                log.warning("the broker refuses %s (%s)", message.topic, refusal)
            case Kind.REPLAY:
                if self._replay is not None:
                    self._replay.unsettled -= 1
            case Kind.EVIDENCE if refusal is None:
                self._outcomes.evidence.append(message.topic)
            case _:
                if refusal is not None:
                    log.warning("the broker refuses %s (%s)", message.topic, refusal)

    def _settle_event(self, message: Message, refusal: str | None) -> None:
        if refusal is not None:
            self._outcomes.refused.append((message.sequence, refusal))
        self._unsettled.pop(message.sequence, None)
        self._outcomes.delivered_through = next(iter(self._unsettled), self._cursor + 1) - 1

    def _next_event(self) -> Message | None:
        if not self._page:
            if not self._news:
                return None
            self._page.extend(self._journal.rows(after=self._cursor, limit=PAGE))
            self._news = bool(self._page)
            if not self._page:
                return None
        row = self._page.popleft()
        self._cursor = row.sequence
        self._unsettled[row.sequence] = None
        self._since_evidence += 1
        return Message(Kind.EVENT, row.topic, row.body, sequence=row.sequence)

    def _next_retry(self) -> Message | None:
        for sequence, _ in self._retries:
            rows = self._journal.rows(after=sequence - 1, last=sequence)
            if not rows:
                self._outcomes.accepted.append(sequence)
            elif rows[0].topic not in self._denied:
                return Message(Kind.RETRY, rows[0].topic, rows[0].body, sequence=sequence)
        now = time.monotonic()
        if self._side_news and now >= self._retry_at:
            self._retry_at = now + self._retry_pause
            self._retry_pause = min(self._retry_pause * 2, LONGEST_RETRY)
            self._denied.clear()
            self._retained.again(self._denied_status)
            self._denied_status.clear()
            refused = self._journal.refused()
            if refused:
                self._retries = iter(refused)
                return self._next_retry()
            self._retry_pause = FIRST_RETRY
        return None

    def _next_replay(self) -> Message | None:
        if self._replay is None and self._side_news:
            done = set(self._outcomes.replayed)
            waiting = (_Replay(*row) for row in self._journal.replays() if row[0] not in done)
            self._replay = next(waiting, None)
        replay = self._replay
        if replay is None:
            return None
        if not replay.page and not replay.read:
            replay.page.extend(self._journal.rows(after=replay.after, last=replay.last, limit=PAGE))
            replay.read = not replay.page
        if replay.page:
            row = replay.page.popleft()
            replay.after = row.sequence
            replay.unsettled += 1
            return Message(Kind.REPLAY, row.topic, row.body, sequence=row.sequence)
        if not replay.unsettled:
            self._outcomes.replayed.append(replay.number)
            self._replay = None
        return None

    def _next_evidence(self) -> Message | None:
        if not self._evidence_page and self._side_news:
            self._evidence_page.extend(self._journal.waiting_evidence(after=self._evidence_cursor))
            self._side_news = bool(self._evidence_page)
        while self._evidence_page:
            self._evidence_cursor, topic = self._evidence_page.popleft()
            item = self._journal.evidence(topic)
            if item is not None:
                return Message(Kind.EVIDENCE, item.topic, item.body, item.media_type)
        return None
