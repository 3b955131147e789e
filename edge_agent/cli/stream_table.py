"""A followed stream for people: a line an event, the state of agents and devices above.

Without ``full`` nothing that an event says of a person is shown: of a document its kind, its state and the verdict.
"""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from edge_agent.cli.stream import Arrival, Message, Stream
from edge_agent.events.device import InputRejected
from edge_agent.events.envelope import TYPE_PREFIX
from edge_agent.events.passport import PassportRead
from edge_agent.events.status import State
from edge_agent.events.topics import AGENT, Post
from edge_agent.events.xray import XrayQuality, XrayScan

LONGEST_SUMMARY = 120
DRAW_SECONDS = 0.1
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = {
    State.STARTING: "cyan",
    State.OK: "green",
    State.DEGRADED: "yellow",
    State.FAILED: "red",
    State.OFFLINE: "red",
}
_VERDICTS = {"valid": "green", "doubtful": "yellow", "unreadable": "red"}
_NOTES = {Arrival.NEW: "", Arrival.LATE: "was missing", Arrival.DUPLICATE: "again"}

Say = Callable[[dict[str, Any]], Text]


def clean(text: object) -> str:
    """Text as one line that cannot do anything to a terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", " ".join(str(text).split()))


@dataclass(frozen=True, slots=True)
class Line:
    """An event as it is shown. ``latency`` is in seconds from the device to here, None if it cannot be told."""

    received: datetime
    post: str
    device: str
    event: str
    sequence: int
    latency: float | None
    summary: Text
    note: str

    def cells(self) -> tuple[str | Text, ...]:
        """What stands in the columns of ``COLUMNS``."""
        late = "" if self.latency is None else f"{self.latency * 1000:.0f} ms" if self.latency < 10 else "> 10 s"
        when = self.received.astimezone().strftime("%H:%M:%S.%f")[:-3]
        summary = Text.assemble(self.summary, (f"  ({self.note})", "dim") if self.note else "")
        return when, self.post, self.device, self.event, str(self.sequence), late, summary

    def plain(self) -> str:
        """The same as one line of text, for a file or a pipe."""
        return "  ".join(str(cell) for cell in self.cells() if str(cell))


COLUMNS = ("time", "post", "device", "event", "number", "after", "")


def line(message: Message, arrival: Arrival, received: datetime, *, full: bool = False) -> Line:
    """How an event is shown."""
    event = message.content
    kind = str(event.get("type", "")).removeprefix(f"{TYPE_PREFIX}.")
    return Line(
        received=received,
        post=clean(f"{message.post.country}/{message.post.bcp}"),
        device=clean(message.device),
        event=clean(kind),
        sequence=int(event["sequence"]),
        latency=_latency(event.get("time"), received),
        summary=summary(event, full=full),
        note=_NOTES[arrival],
    )


def _latency(observed: object, received: datetime) -> float | None:
    try:
        return (received - datetime.fromisoformat(str(observed))).total_seconds()
    except (ValueError, TypeError):
        return None


def summary(event: dict[str, Any], *, full: bool = False) -> Text:
    """What an event says, on one line; personal data only if ``full``."""
    data = event.get("data")
    if full or not isinstance(data, dict):
        return Text(clean(json.dumps(data, ensure_ascii=False)))
    say = _SUMMARIES.get(str(event.get("type")))
    if say is not None:
        return say(data)
    if event.get("dataclassification") != "operational":
        return Text("personal data, see --full", "dim")
    words = [f"{name}={said}" for name, each in data.items() if (said := _said(each))]
    return Text(_short(clean(", ".join(words))))


def _said(value: object) -> str:
    """A number or text of an event, or a list of texts; empty for what is not shown."""
    match value:
        case float():
            return f"{value:g}"
        case str() | int():
            return str(value)
        case [str(), *_]:
            return " / ".join(map(str, value))
        case _:
            return ""


def _passport(data: dict[str, Any]) -> Text:
    fields = data.get("fields")
    fields = fields if isinstance(fields, dict) else {}
    document = " ".join(clean(fields.get(name) or "") for name in ("document_code", "issuing_state")).strip()
    verdict = clean(data.get("verdict", "?"))
    return Text.assemble(f"{document or 'document'} ", (verdict, _VERDICTS.get(verdict, "")))


def _rejected(data: dict[str, Any]) -> Text:
    return Text(clean(data.get("message", "")), "yellow")


def _scan(data: dict[str, Any]) -> Text:
    kinds = [clean(each["kind"]).replace("_", " ") for each in _tables(data.get("proposals")) if "kind" in each]
    return Text(
        _short(f"{len(kinds)} proposals: {', '.join(kinds)}") if kinds else "no proposals", "yellow" * bool(kinds)
    )


def _quality(data: dict[str, Any]) -> Text:
    worse = [f for f in _tables(data.get("figures")) if f.get("state") in {"drifting", "outside"}]
    named = ", ".join(f"{clean(f.get('name', '?'))} {f['state']}" for f in worse)
    return Text(_short(named) or clean(data.get("verdict", "?")), "red" * bool(named))


def _tables(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


_SUMMARIES: dict[str, Say] = {
    PassportRead.event_type(): _passport,
    InputRejected.event_type(): _rejected,
    XrayScan.event_type(): _scan,
    XrayQuality.event_type(): _quality,
}
"""Types of events whose summary is not simply what their data says."""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SUMMARY else f"{text[: LONGEST_SUMMARY - 1]}…"


class View:
    """The newest events and the statuses: a table that is drawn again and again on a terminal, elsewhere plain lines.

    Attributes:
        trouble: why nothing comes just now, else empty.

    """

    def __init__(self, stream: Stream, console: Console, where: str) -> None:
        self.trouble = ""
        self._stream = stream
        self._console = console
        self._where = where
        self._lines: deque[Line] = deque(maxlen=200)
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._drawn = 0.0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.update(self.draw(self._console.height), refresh=True)
            self._live.stop()

    def add(self, shown: Line) -> None:
        """One more event."""
        self._lines.append(shown)
        if self._live is None:
            print(shown.plain(), flush=True)
        self.refresh()

    def say(self, text: Text) -> None:
        """Something that the table shows anyway."""
        if self._live is None:
            print(text.plain, flush=True)
        self.refresh()

    def refresh(self) -> None:
        """Draw the table if that is due."""
        if self._live is not None and time.monotonic() - self._drawn > DRAW_SECONDS:
            self._live.update(self.draw(self._console.height), refresh=True)
            self._drawn = time.monotonic()

    def draw(self, height: int) -> RenderableType:
        """Everything, within so many lines of a terminal."""
        statuses = list(self._statuses())[: max(height // 2, 4)]
        table = Table(*COLUMNS, box=None, expand=True, header_style="dim", padding=(0, 1))
        for column in table.columns:
            column.no_wrap = True
        table.columns[4].justify = table.columns[5].justify = "right"
        table.columns[-1].ratio = 1
        room = max(height - len(statuses) - 5, 3)
        for shown in list(self._lines)[-room:]:
            table.add_row(*shown.cells())
        state = (self.trouble, "red") if self.trouble else (self._where, "dim")
        footer = Text.assemble(told(self._stream), "   ", state, no_wrap=True, overflow="ellipsis")
        return Group(*statuses, Text(), table, Text(), footer)

    def _statuses(self) -> Iterator[Text]:
        for followed in self._stream.posts.values():
            for device, said in sorted(followed.statuses.items(), key=lambda item: (item[0] != AGENT, item[0])):
                yield _status(followed.post, device, said)


def status(message: Message) -> Text:
    """The state of an agent or a device on one line."""
    return _status(message.post, message.device, message.content)


def _status(post: Post, device: str, said: dict[str, Any]) -> Text:
    state, waiting = State(said["state"]), said.get("undelivered")
    backlog = f"{waiting} events wait. " if isinstance(waiting, int) and waiting else ""
    name = f"{post.country}/{post.bcp}" if device == AGENT else f"  {device}"
    return Text.assemble(
        (f"{_clean_name(name):<28} ", "bold" if device == AGENT else ""),
        (f"{state:<9}", _COLOURS[state]),
        f" {backlog}{clean(said.get('reason') or '')}",
        no_wrap=True,
        overflow="ellipsis",
    )


def _clean_name(name: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", name)


def told(stream: Stream) -> str:
    """The totals in words, e.g. ``1042 events, 3 twice, none missing``."""
    totals, absent = stream.totals, sum(each.numbers.missing for each in stream.posts.values())
    parts = [f"{totals.received - totals.duplicates} events", f"{absent or 'none'} missing"]
    if totals.duplicates:
        parts.append(f"{totals.duplicates} came twice")
    if totals.filled:
        parts.append(f"{totals.filled} were missing and came after all")
    if totals.lost:
        parts.append(f"{totals.lost} lost by damage at the post")
    if totals.renumbered:
        parts.append(f"counting began anew {totals.renumbered} times")
    if totals.other:
        parts.append(f"{totals.other} messages that no post publishes")
    return ", ".join(parts)


def missing(stream: Stream, limit: int = 5) -> Iterator[Text]:
    """What is missing, a line for each post that misses anything, e.g. ``missing of kz/kordai: 12 to 15, 20``."""
    for followed in stream.posts.values():
        gaps = [
            str(gap.first) if gap.first == gap.last else f"{gap.first} to {gap.last}" for gap in followed.numbers.gaps
        ]
        if gaps:
            more = f" and {len(gaps) - limit} more" if len(gaps) > limit else ""
            name = f"{followed.post.country}/{followed.post.bcp}"
            yield Text(clean(f"missing of {name}: {', '.join(gaps[:limit])}{more}"))
