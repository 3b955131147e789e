"""What posts publish, followed: which events came, which are missing, and what to tell the posts. No I/O, no clock.

A post numbers its events without a gap, so whoever follows it can tell a missing one by the numbers alone. The times
given to the methods are those of any clock that never goes back, in seconds.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from edge_agent.events.envelope import SEQUENCE_DIGITS
from edge_agent.events.status import Receipt, ReplayRequest, State
from edge_agent.events.topics import AGENT, PREFIX, Post

SETTLE_SECONDS = 2.0
"""A number that is missing for so long is asked for; until then it may only be late."""
LONGEST_WAIT = 300.0
"""Between two requests for the same numbers: doubled each time."""
LOST_AFTER = 3
"""So many requests in vain, below a number at which the post says that it went on after damage, and it is lost."""
RECEIPT_SECONDS = 1.0


class Kind(Enum):
    """What a message is, by its topic and content."""

    EVENT = auto()
    STATUS = auto()
    BIRTH = auto()
    EVIDENCE = auto()
    COMMAND = auto()  # a receipt or replay request, of us or another consumer
    OTHER = auto()  # nothing that a post publishes


@dataclass(frozen=True, slots=True)
class Message:
    """A message with its place: ``device`` is ``agent`` for the post's own. ``content`` is what its JSON says."""

    kind: Kind
    topic: str
    post: Post
    device: str
    content: Any = None


class Arrival(Enum):
    """What the number of an event says."""

    NEW = auto()
    LATE = auto()  # it was missing
    DUPLICATE = auto()


def parse(topic: str, payload: bytes) -> Message:
    """A message by its topic and its bytes; whatever is wrong with it makes it ``Kind.OTHER``."""
    parts = topic.removeprefix(f"{PREFIX}/").split("/")
    if not topic.startswith(f"{PREFIX}/") or len(parts) not in {4, 5}:
        return Message(Kind.OTHER, topic, Post("", ""), "")
    post, device, rest = Post(parts[0], parts[1]), parts[2], parts[3:]
    if len(rest) == 2 and rest[0] == "evidence":
        return Message(Kind.EVIDENCE, topic, post, device)
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        return Message(Kind.OTHER, topic, post, device)
    return Message(_kind(device, rest, content), topic, post, device, content)


def _kind(device: str, rest: list[str], content: Any) -> Kind:
    if not isinstance(content, dict):
        return Kind.OTHER
    match rest:
        case ["status"]:
            return Kind.STATUS if content.get("state") in list(State) else Kind.OTHER
        case ["birth"]:
            return Kind.BIRTH
        case ["receipt" | "replay", _] if device == AGENT:
            return Kind.COMMAND
        case [_, _]:
            return Kind.EVENT if _is_event(content) else Kind.OTHER
    return Kind.OTHER


def _is_event(content: dict[str, Any]) -> bool:
    sequence = content.get("sequence")
    return (
        isinstance(sequence, str)
        and re.fullmatch(f"[0-9]{{{SEQUENCE_DIGITS}}}", sequence) is not None
        and int(sequence) > 0
        and isinstance(content.get("recordedtime"), str)
    )


@dataclass(slots=True)
class Gap:
    """Numbers that did not come, and when they are to be asked for."""

    first: int
    last: int
    ask_at: float
    asked: int = 0


class Numbers:
    """The sequence numbers of one post, from the first that was seen.

    Attributes:
        highest: the largest that was seen or is known to exist; 0 before the first.
        gaps: what is missing below it, in order.

    """

    def __init__(self) -> None:
        self.highest = 0
        self.first = 0
        self.gaps: list[Gap] = []

    @property
    def through(self) -> int:
        """The end of the unbroken run from the first on; 0 before the first."""
        return self.gaps[0].first - 1 if self.gaps else self.highest

    @property
    def missing(self) -> int:
        """How many are missing."""
        return sum(gap.last - gap.first + 1 for gap in self.gaps)

    def add(self, number: int, now: float) -> Arrival:
        """An event with this number came."""
        if not self.first:
            self.first = self.highest = number
            return Arrival.NEW
        if number > self.highest:
            self.expect(number - 1, now)
            self.highest = number
            return Arrival.NEW
        index = bisect_left(self.gaps, number, key=lambda gap: gap.last)
        if index == len(self.gaps) or number < self.gaps[index].first:
            return Arrival.DUPLICATE
        self._fill(index, number)
        return Arrival.LATE

    def expect(self, number: int, now: float) -> None:
        """Everything up to this number exists, as the post says; nothing is known before its first event came."""
        if self.first and number > self.highest:
            self.gaps.append(Gap(self.highest + 1, number, now + SETTLE_SECONDS))
            self.highest = number

    def _fill(self, index: int, number: int) -> None:
        gap = self.gaps[index]
        rest = [Gap(gap.first, number - 1, gap.ask_at, gap.asked), Gap(number + 1, gap.last, gap.ask_at, gap.asked)]
        self.gaps[index : index + 1] = [each for each in rest if each.first <= each.last]

    def due(self, now: float) -> Iterator[Gap]:
        """The gaps that are to be asked for now; each comes again, later and later, until it is filled."""
        for gap in self.gaps:
            if now >= gap.ask_at:
                gap.asked += 1
                gap.ask_at = now + min(SETTLE_SECONDS * 2**gap.asked, LONGEST_WAIT)
                yield gap

    def give_up(self, below: int) -> int:
        """Drop what is missing below a number and was asked for in vain; return how many those are."""
        lost = [gap for gap in self.gaps if gap.last < below and gap.asked > LOST_AFTER]
        self.gaps = [gap for gap in self.gaps if gap not in lost]
        return sum(gap.last - gap.first + 1 for gap in lost)


@dataclass(slots=True)
class Followed:
    """One post: its numbers, and the latest that it said of itself and of its devices."""

    post: Post
    numbers: Numbers = field(default_factory=Numbers)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    newest: str = ""
    """The newest ``recordedtime``."""
    resumed: int = 0
    """Numbers below this that do not come are lost: the post's journal was damaged."""
    told: int = 0
    told_at: float = float("-inf")


@dataclass(slots=True)
class Totals:
    """What came, over all posts."""

    received: int = 0
    """Events, duplicates included."""
    duplicates: int = 0
    gaps: int = 0
    """How often numbers were skipped."""
    filled: int = 0
    """Events that were missing and came after all."""
    lost: int = 0
    """Events that a post lost by damage to its journal."""
    renumbered: int = 0
    """How often a post began to count anew, with an empty journal."""
    replays: int = 0
    """Requests for a replay."""
    statuses: int = 0
    evidence: int = 0
    other: int = 0
    """Messages that are nothing a post publishes."""


class Stream:
    """Everything that comes from one or many posts, message by message."""

    def __init__(self) -> None:
        self.posts: dict[Post, Followed] = {}
        self.totals = Totals()

    def take(self, message: Message, now: float) -> Arrival | None:
        """Take note of a message; what the number of an event says, None for all other messages."""
        match message.kind:
            case Kind.EVENT:
                return self._event(self._followed(message.post), message.content, now)
            case Kind.STATUS:
                self.totals.statuses += 1
                self._status(self._followed(message.post), message)
                self._tail(self._followed(message.post), message, now)
            case Kind.EVIDENCE:
                self.totals.evidence += 1
            case Kind.OTHER:
                self.totals.other += 1
        return None

    def replies(self, consumer: str, now: float) -> Iterator[tuple[str, bytes]]:
        """What a consumer of this name has to publish now, as (topic, payload): replay requests and receipts."""
        for followed in self.posts.values():
            for gap in followed.numbers.due(now):
                self.totals.replays += 1
                wanted = ReplayRequest(first=gap.first, last=gap.last)
                yield followed.post.replay(consumer), wanted.model_dump_json().encode()
            self.totals.lost += followed.numbers.give_up(followed.resumed)
            through = followed.numbers.through
            if through > followed.told and now - followed.told_at >= RECEIPT_SECONDS:
                followed.told, followed.told_at = through, now
                yield followed.post.receipt(consumer), Receipt(through=through).model_dump_json().encode()

    def summary(self) -> dict[str, Any]:
        """Totals, and where each post stands, for programs."""
        return {
            **{name: getattr(self.totals, name) for name in Totals.__slots__},
            "missing": sum(followed.numbers.missing for followed in self.posts.values()),
            "posts": {
                f"{post.country}/{post.bcp}": {
                    "first": followed.numbers.first,
                    "through": followed.numbers.through,
                    "highest": followed.numbers.highest,
                    "missing": [[gap.first, gap.last] for gap in followed.numbers.gaps],
                }
                for post, followed in self.posts.items()
            },
        }

    def _followed(self, post: Post) -> Followed:
        return self.posts.setdefault(post, Followed(post))

    def _event(self, followed: Followed, event: dict[str, Any], now: float) -> Arrival:
        self.totals.received += 1
        gaps = len(followed.numbers.gaps)
        number, recorded = int(event["sequence"]), event["recordedtime"]
        highest = followed.numbers.highest
        arrival = followed.numbers.add(number, now)
        if arrival is Arrival.DUPLICATE and recorded > followed.newest:
            # a lower number that was recorded later than all before: the post has begun to count anew
            self.totals.renumbered += 1
            self.posts[followed.post] = followed = Followed(followed.post, statuses=followed.statuses)
            arrival = followed.numbers.add(number, now)
        elif arrival is Arrival.DUPLICATE:
            self.totals.duplicates += 1
        elif arrival is Arrival.LATE:
            self.totals.filled += 1
        elif number > highest and len(followed.numbers.gaps) > gaps:
            self.totals.gaps += 1
        followed.newest = max(followed.newest, recorded)
        if str(event.get("type", "")).endswith(".agent.salvaged.v1") and isinstance(event.get("data"), dict):
            resumed = event["data"].get("resumed")
            followed.resumed = max(followed.resumed, resumed if isinstance(resumed, int) else 0)
        return arrival

    def _status(self, followed: Followed, message: Message) -> None:
        followed.statuses[message.device] = message.content

    def _tail(self, followed: Followed, message: Message, now: float) -> None:
        """The agent says how far it is: with nothing left to deliver, all of that should be here."""
        last = message.content.get("last_sequence")
        if message.device != AGENT or not isinstance(last, int) or message.content.get("undelivered") != 0:
            return
        if followed.numbers.first and last > followed.numbers.highest:
            followed.numbers.expect(last, now)
            self.totals.gaps += 1
