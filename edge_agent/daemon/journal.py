"""The journal: what makes an event durable before its device is told so, and keeps it until the office has it.

SQLite in WAL mode with ``synchronous=FULL``: when ``append`` returns, the events are on the disk. There is one writer
(the intake); the publisher and the command line read beside it. An event is *delivered* when the broker has
acknowledged it: all events up to ``delivered_through`` are, except those in ``refused``. Delivered events stay for the
retention time, since a broker's acknowledgement is not a promise that anything is on anybody's disk.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from edge_agent.events.envelope import seal, timestamp
from edge_agent.events.evidence import sha256

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,   -- without gaps, from 1
    recorded INTEGER NOT NULL,      -- microseconds since 1970, UTC
    topic TEXT NOT NULL,
    key BLOB,                       -- what the device would offer again after a crash, hashed
    body BLOB NOT NULL,             -- the CloudEvent as it is published
    crc INTEGER NOT NULL            -- CRC-32 of sequence, topic and body: SQLite itself notices no flipped bit
);
CREATE UNIQUE INDEX events_key ON events (key) WHERE key IS NOT NULL;
CREATE TABLE evidence (
    topic TEXT PRIMARY KEY,         -- ends in the SHA-256 of the body
    sequence INTEGER NOT NULL,      -- of the newest event that refers to it
    media_type TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL
);
CREATE INDEX evidence_waiting ON evidence (delivered) WHERE delivered = 0;
CREATE INDEX evidence_event ON evidence (sequence);
CREATE TABLE refused (              -- published, and refused by the broker with a reason
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE marks (                -- at this time, everything up to here had been delivered
    at INTEGER PRIMARY KEY,
    through INTEGER NOT NULL
);
CREATE TABLE receipts (             -- what each consumer says it holds durably
    consumer TEXT PRIMARY KEY,
    through INTEGER NOT NULL
);
CREATE TABLE replays (              -- ranges that somebody asked to see again
    number INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);
CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
);
INSERT INTO state VALUES
    ('delivered_through', 0),
    ('numbered_through', 0);        -- the next event is numbered above this and above all events
"""
_INSERT_EVIDENCE = """
INSERT INTO evidence (topic, sequence, media_type, body) VALUES (?, ?, ?, ?)
ON CONFLICT (topic) DO UPDATE SET sequence = excluded.sequence
"""
MARK_EVERY = 60_000_000  # microseconds between two rows of `marks`


class JournalUnwritableError(Exception):
    """The disk takes nothing more, or another program locks the file. Nothing was recorded; it may be tried again."""


class JournalDamagedError(Exception):
    """The database file cannot be read or written as a database."""


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """A piece of evidence on its way to its topic."""

    topic: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """What the intake hands to the journal: an event encoded up to its sequence number."""

    topic: str
    encoded: bytes
    key: bytes | None = None
    evidence: tuple[EvidenceItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A recorded event."""

    sequence: int
    recorded: int
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the journal stands: what ``edge-agent journal status`` and the agent's status message say."""

    first_sequence: int
    last_sequence: int
    delivered_through: int
    refused: int
    evidence_waiting: int
    bytes: int

    @property
    def undelivered(self) -> int:
        """Events that the broker has not acknowledged."""
        return self.last_sequence - self.delivered_through + self.refused


def checksum(sequence: int, topic: str, body: bytes) -> int:
    """What tells that a recorded event is still as it was."""
    return zlib.crc32(body, zlib.crc32(f"{sequence} {topic}".encode()))


def _now() -> int:
    return time.time_ns() // 1000


_DAMAGE = {sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}


_UNWRITABLE = {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),  # somebody has it open in a shell, say
}


def _translate(error: sqlite3.Error) -> Exception:
    """SQLite's error as one of ours where it is one, else the error itself."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or code in _DAMAGE:
        return JournalDamagedError(str(error))
    if code & 0xFF in _UNWRITABLE:
        return JournalUnwritableError(str(error))
    return error


class _translated:  # noqa: N801  (a context manager, read as a verb)
    """Raise SQLite's errors as the journal's own."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            translated = _translate(error)
            if translated is not error:
                raise translated from error


class Journal:
    """The journal in one file. Each thread and process opens its own; only the intake's may write events.

    Raises:
        JournalDamagedError: from any method, when the file is not a sound database.
        JournalUnwritableError: from any writing method, when the disk is full or refuses.
        FileNotFoundError: from the constructor, when ``create`` is false and there is none.

    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not create and not path.exists():
            raise FileNotFoundError(f"{path}: there is no journal yet; it is made when the agent first runs")
        self.path = path
        with _translated():
            self._db = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
            self._db.execute("PRAGMA synchronous=FULL")
            if create:
                self._create()
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version != SCHEMA_VERSION:
                self._db.close()
                raise JournalDamagedError(f"unknown layout {version}, this version writes {SCHEMA_VERSION}")
            self._last = self._newest()

    def _create(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA journal_size_limit=67108864")
        if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
            self._db.executescript(f"BEGIN IMMEDIATE; {SCHEMA}; PRAGMA user_version={SCHEMA_VERSION}; COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; what was appended stays."""
        self._db.close()

    def _write(self, action: Callable[[sqlite3.Connection], object]) -> None:
        with _translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                action(self._db)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # -- the intake's side ------------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """Make events durable, all or none, and return their sequence numbers.

        An entry whose key is already recorded is the same observation offered again, after a crash between recording
        and acknowledging: it gets the number that it has.
        """
        now = _now()
        recorded = timestamp(datetime.fromtimestamp(now / 1e6, UTC))
        with _translated():
            known = self._known([entry.key for entry in entries if entry.key is not None])
        last = self._last
        sequences: list[int] = []
        rows: list[object] = []
        evidence: list[tuple[str, int, str, bytes]] = []
        for entry in entries:
            if entry.key in known:
                sequences.append(known[entry.key])
                continue
            last += 1
            sequences.append(last)
            if entry.key is not None:
                known[entry.key] = last
            body = seal(entry.encoded, sequence=last, recorded=recorded)
            rows += (last, now, entry.topic, entry.key, body, checksum(last, entry.topic, body))
            evidence += [(item.topic, last, item.media_type, item.body) for item in entry.evidence]
        if rows:
            # one statement is one transaction, and one wait for the interpreter's lock instead of four
            insert = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)" + ", (?, ?, ?, ?, ?, ?)" * (len(rows) // 6 - 1)
            if evidence:
                self._write(lambda db: (db.execute(insert, rows), db.executemany(_INSERT_EVIDENCE, evidence)))
            else:
                with _translated():
                    self._db.execute(insert, rows)
        self._last = last
        return sequences

    def _known(self, keys: Sequence[bytes]) -> dict[bytes | None, int]:
        """The sequence numbers of the keys that are recorded already."""
        if not keys:
            return {}
        marks = ", ".join("?" * len(keys))
        found = self._db.execute(f"SELECT key, sequence FROM events WHERE key IN ({marks})", keys)  # noqa: S608  (?, ?)
        return dict(found.fetchall())

    def _mark(self, db: sqlite3.Connection, through: int, now: int) -> None:
        if not through:
            return
        changed = db.execute(
            "UPDATE state SET value = ? WHERE name = 'delivered_through' AND value < ?", (through, through)
        ).rowcount
        if changed:
            db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (now // MARK_EVERY * MARK_EVERY, through))

    def settle(
        self,
        *,
        delivered_through: int = 0,
        refused: Iterable[tuple[int, str]] = (),
        accepted: Iterable[int] = (),
        evidence: Iterable[str] = (),
        replayed: Iterable[int] = (),
        receipts: Iterable[tuple[str, int]] = (),
        replays: Iterable[tuple[int, int]] = (),
    ) -> None:
        """Record what became of published things.

        ``refused`` are events that the broker denied, ``accepted`` such as it took at a later try, ``evidence`` the
        topics of delivered evidence, ``replayed`` the numbers of finished replays; ``receipts`` and ``replays`` are
        what consumers said and asked for.
        """

        def action(db: sqlite3.Connection) -> None:
            now = _now()
            self._mark(db, delivered_through, now)
            db.executemany(
                "INSERT OR REPLACE INTO refused VALUES (?, ?, ?)", [(number, now, why) for number, why in refused]
            )
            db.executemany("DELETE FROM refused WHERE sequence = ?", [(number,) for number in accepted])
            db.executemany("UPDATE evidence SET delivered = 1 WHERE topic = ?", [(topic,) for topic in evidence])
            db.executemany("DELETE FROM replays WHERE number = ?", [(number,) for number in replayed])
            db.executemany(
                "INSERT INTO receipts VALUES (?, ?) ON CONFLICT (consumer) DO UPDATE"
                " SET through = max(through, excluded.through)",
                receipts,
            )
            db.executemany("INSERT INTO replays (first, last) VALUES (?, ?)", replays)

        self._write(action)

    def purge(self, *, older_than: float, keep_bytes: int, receipts: Sequence[str] = (), limit: int = 2000) -> int:
        """Remove delivered events past the retention; return how many, at most ``limit`` (call again for more).

        An event goes when it was delivered more than ``older_than`` seconds ago, or when delivered events take more
        than ``keep_bytes`` (oldest first), but never before every consumer named in ``receipts`` has confirmed it.
        """
        removed = 0

        def action(db: sqlite3.Connection) -> None:
            nonlocal removed
            now = _now()
            delivered = min([self._state("delivered_through"), *self._receipts(receipts)])
            aged = db.execute(
                "SELECT max(through) FROM marks WHERE at <= ?", (int(now - older_than * 1e6) - MARK_EVERY,)
            ).fetchone()[0]
            through = min(delivered, aged or 0)
            if self.size() > keep_bytes:
                through = max(through, min(delivered, self._oldest_over(keep_bytes)))
            rows = db.execute(
                "SELECT sequence FROM events WHERE sequence <= ? AND sequence NOT IN (SELECT sequence FROM refused)"
                " AND sequence NOT IN (SELECT sequence FROM evidence WHERE delivered = 0) ORDER BY sequence LIMIT ?",
                (through, limit),
            ).fetchall()
            removed = len(rows)
            db.execute("UPDATE state SET value = ? WHERE name = 'numbered_through'", (self._last,))
            db.executemany("DELETE FROM events WHERE sequence = ?", rows)
            db.executemany("DELETE FROM evidence WHERE sequence = ?", rows)
            db.execute(
                "DELETE FROM marks WHERE at < (SELECT max(at) FROM marks WHERE at <= ?)",
                (int(now - older_than * 1e6) - MARK_EVERY,),
            )

        self._write(action)
        return removed

    def _oldest_over(self, keep_bytes: int) -> int:
        """The sequence number up to which events must go for the rest to fit into ``keep_bytes``, on average."""
        first, last, rows = self._db.execute(
            "SELECT coalesce(min(sequence), 0), coalesce(max(sequence), 0), count(*) FROM events"
        ).fetchone()
        excess = 1 - keep_bytes / max(self.size(), 1)
        return int(first + (last - first) * max(excess, 0)) if rows else 0

    # -- the publisher's side -----------------------------------------------------------------------------------------

    def rows(self, *, after: int, last: int | None = None, limit: int = 200) -> list[Row]:
        """Events with ``after`` < sequence <= ``last``, oldest first, at most ``limit``."""
        with _translated():
            found = self._db.execute(
                "SELECT sequence, recorded, topic, body, crc FROM events WHERE sequence > ? AND sequence <= ?"
                " ORDER BY sequence LIMIT ?",
                (after, 2**62 if last is None else last, limit),
            ).fetchall()
        for sequence, _, topic, body, crc in found:
            if crc != checksum(sequence, topic, body):
                raise JournalDamagedError(f"event {sequence} is not what was recorded")
        return [Row(*row[:4]) for row in found]

    def refused(self, limit: int = 1000) -> list[tuple[int, str]]:
        """Events that the broker refused, with its reason."""
        with _translated():
            return self._db.execute(
                "SELECT sequence, reason FROM refused ORDER BY sequence LIMIT ?", (limit,)
            ).fetchall()

    def waiting_evidence(self, *, after: int, limit: int = 50) -> list[tuple[int, str]]:
        """Evidence that was not delivered, as (its row, topic), from the row ``after`` on."""
        with _translated():
            return self._db.execute(
                "SELECT rowid, topic FROM evidence WHERE delivered = 0 AND rowid > ? ORDER BY rowid LIMIT ?",
                (after, limit),
            ).fetchall()

    def evidence(self, topic: str) -> EvidenceItem | None:
        """One piece of evidence, None when it has been purged."""
        with _translated():
            row = self._db.execute("SELECT topic, media_type, body FROM evidence WHERE topic = ?", (topic,)).fetchone()
        if row is not None and not topic.endswith(sha256(row[2])):
            raise JournalDamagedError("a piece of evidence is not what was recorded")
        return row and EvidenceItem(*row)

    def replays(self) -> list[tuple[int, int, int]]:
        """Ranges asked for again, as (number of the request, first, last)."""
        with _translated():
            return self._db.execute("SELECT number, first, last FROM replays ORDER BY number").fetchall()

    # -- what both and the command line ask ---------------------------------------------------------------------------

    def stand(self) -> Stand:
        """Counters; cheap even with a million rows."""
        with _translated():
            first = self._db.execute("SELECT coalesce(min(sequence), 0) FROM events").fetchone()[0]
            refused = self._db.execute("SELECT count(*) FROM refused").fetchone()[0]
            waiting = self._db.execute("SELECT count(*) FROM evidence WHERE delivered = 0").fetchone()[0]
            return Stand(
                first_sequence=first,
                last_sequence=self._newest(),
                delivered_through=self._state("delivered_through"),
                refused=refused,
                evidence_waiting=waiting,
                bytes=self.size(),
            )

    def size(self) -> int:
        """Bytes in use inside the file; space that was freed and will be used again is not counted."""
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def check(self) -> None:
        """Read the whole file and verify its structure.

        Raises:
            JournalDamagedError: it is not sound.

        """
        with _translated():
            result = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if result != "ok":
            raise JournalDamagedError(str(result))

    def each(self, first: int, last: int | None = None) -> Iterator[Row]:
        """All events of a range, oldest first, a page at a time."""
        after = first - 1
        while page := self.rows(after=after, last=last):
            yield from page
            after = page[-1].sequence

    def restore(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Take over whole rows of a damaged journal as they were, under their old sequence numbers."""
        marks = ", ".join("?" * len(rows[0]))

        def action(db: sqlite3.Connection) -> None:
            db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", rows)  # noqa: S608  (one of our names)

        self._write(action)

    def resume(self, *, last_sequence: int, delivered_through: int) -> None:
        """Set both counters, after ``restore``; the next event gets the number ``last_sequence`` + 1."""
        self._last = last_sequence

        def action(db: sqlite3.Connection) -> None:
            db.execute("UPDATE state SET value = ? WHERE name = 'numbered_through'", (last_sequence,))
            self._mark(db, delivered_through, _now())

        self._write(action)

    def _receipts(self, consumers: Sequence[str]) -> list[int]:
        held = dict(self._db.execute("SELECT consumer, through FROM receipts").fetchall())
        return [held.get(consumer, 0) for consumer in consumers]

    def _newest(self) -> int:
        newest = self._db.execute("SELECT max(sequence) FROM events").fetchone()[0]
        return max(newest or 0, self._state("numbered_through"))

    def _state(self, name: str) -> int:
        return int(self._db.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()[0])
