"""Opening the journal whatever happened to it: a damaged one is set aside, and what can be read of it is saved."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

from edge_agent.daemon.journal import Journal, JournalDamagedError, checksum
from edge_agent.events.evidence import sha256

SKIP = 1_000_000
"""Where a number may have been given to an event that is lost, numbering goes on at the next multiple of this."""
PAGE = 200
CHECKED_BYTES = 256 * 1024**2
"""A larger journal is not read through at the start: that would take too long, and each event has its checksum."""


@dataclass(frozen=True, slots=True)
class Salvage:
    """What became of a damaged journal."""

    aside: Path
    reason: str
    saved: int
    first_new: int

    def __str__(self) -> str:
        return (
            f"The journal was damaged ({self.reason}). It was set aside as {self.aside}; {self.saved} events were"
            f" saved from it, and new events are numbered from {self.first_new}."
        )


def open_journal(path: Path) -> tuple[Journal, Salvage | None]:
    """Open the journal for writing, create it if there is none, replace it if it is damaged.

    Raises:
        JournalUnwritableError: the disk is full or refuses.

    """
    try:
        journal = Journal(path, create=True)
        try:
            if journal.size() <= CHECKED_BYTES:
                journal.check()
            journal.stand()
        except BaseException:
            journal.close()
            raise
    except (JournalDamagedError, sqlite3.OperationalError) as error:
        return set_aside(path, str(error))
    return journal, None


def set_aside(path: Path, reason: str) -> tuple[Journal, Salvage]:
    """Move a damaged journal out of the way and start a new one with all that can be read of the old."""
    aside = _free_name(path)
    aside.mkdir()
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(aside / f"{path.name}{suffix}")
    journal = Journal(path, create=True)
    saved, highest, delivered = 0, 0, 0
    for old in _readable(aside / path.name):
        with contextlib.closing(old):
            for page in _pages(_rows(old, "events", "sequence, recorded, topic, key, body, crc"), PAGE):
                highest = max(highest, *(row[0] for row in page))
                sound = [row for row in page if _is_sound(row)]
                if sound:
                    journal.restore("events", sound)
                saved += len(sound)
            for page in _pages(_rows(old, "evidence", "topic, sequence, media_type, delivered, body"), 1):
                if str(page[0][0]).endswith(sha256(page[0][4])):
                    journal.restore("evidence", page)
            with contextlib.suppress(sqlite3.Error, ValueError, TypeError):
                state = dict(old.execute("SELECT name, value FROM state").fetchall())
                highest = max(highest, int(state["numbered_through"]))
                refused = old.execute("SELECT sequence, at, reason FROM refused").fetchall()
                if refused:
                    journal.restore("refused", refused)
                delivered = int(state["delivered_through"])  # if any of this is lost, everything is published again
    resumed = (highest // SKIP + 1) * SKIP
    journal.resume(last_sequence=resumed, delivered_through=delivered)
    return journal, Salvage(aside, reason, saved, resumed + 1)


def _pages(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while page := list(islice(rows, size)):
        yield page


def _is_sound(row: tuple[Any, ...]) -> bool:
    """Whether an event is what was recorded: what is not sure is not published."""
    sequence, _, topic, _, body, crc = row
    return isinstance(topic, str) and isinstance(body, bytes) and checksum(sequence, topic, body) == crc


def _free_name(path: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    extras = chain([""], (f"-{number}" for number in count(2)))
    names = (path.with_name(f"{path.stem}.damaged-{stamp}{extra}") for extra in extras)
    return next(name for name in names if not name.exists())


def _readable(path: Path) -> Iterator[sqlite3.Connection]:
    """The old database, if SQLite opens it at all."""
    try:
        old = sqlite3.connect(path)
        old.execute("PRAGMA query_only=1")
        old.execute("PRAGMA cell_size_check=1")
        old.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error:
        return
    yield old


def _rows(old: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[object, ...]]:
    """Every row that can still be read: forwards to the damage, then backwards to it, then one by one between."""
    low, high = 0, 2**62
    source = f"FROM {table} NOT INDEXED WHERE rowid"
    for order, beyond in (("ASC", ">"), ("DESC", "<")):
        position = low if order == "ASC" else high
        statement = f"SELECT rowid, {columns} {source} {beyond} ? ORDER BY rowid {order} LIMIT 1"
        while True:
            try:
                row = old.execute(statement, (position,)).fetchone()
            except sqlite3.Error:
                break
            if row is None or not low < row[0] < high:
                return
            position = row[0]
            yield row[1:]
        if order == "ASC":
            low = position
        else:
            high = position
    for rowid in range(low + 1, min(high, low + SKIP)):
        with contextlib.suppress(sqlite3.Error):
            row = old.execute(f"SELECT {columns} {source} = ?", (rowid,)).fetchone()
            if row is not None:
                yield row
