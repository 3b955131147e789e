"""The journal's only writer: takes what the workers observed, makes it durable in groups, and acknowledges it."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from edge_agent.config.models import JournalSettings
from edge_agent.daemon.journal import Entry, EvidenceItem, JournalDamagedError, JournalUnwritableError, Stand
from edge_agent.daemon.salvage import Salvage, open_journal, set_aside
from edge_agent.daemon.wire import ACKNOWLEDGED, FrameError, Observed, Report, receive
from edge_agent.events.agent import JournalSalvaged
from edge_agent.events.envelope import encode, uuid7
from edge_agent.events.topics import AGENT, Post

log = logging.getLogger(__name__)

SETTLE_SECONDS = 1.0
RETRY_SECONDS = 0.5
MAX_PATIENCE = 0.005
PURGE_SECONDS = 60.0
PURGE_ROWS = 500
_UNWRITABLE = "The journal cannot be written ({}): devices wait. Make room on its disk, end what locks it."


@dataclass(slots=True)
class Outcomes:
    """What the publisher learned, for the journal; filled by one thread and emptied by the other."""

    delivered_through: int = 0
    refused: deque[tuple[int, str]] = field(default_factory=deque)
    accepted: deque[int] = field(default_factory=deque)
    evidence: deque[str] = field(default_factory=deque)
    replayed: deque[int] = field(default_factory=deque)
    receipts: deque[tuple[str, int]] = field(default_factory=deque)
    replays: deque[tuple[int, int]] = field(default_factory=deque)


_LISTS = ("refused", "accepted", "evidence", "replayed", "receipts", "replays")


class Intake(Thread):
    """The thread between the workers' sockets and the journal.

    ``on_report`` and ``on_recorded`` are called in this thread and must be quick.

    Attributes:
        tick: monotonic time of its last turn; the watchdog looks at it.
        trouble: why nothing can be recorded just now, in words, or None.
        generation: grows when the journal's file was replaced; readers then open it again.
        stand: where the journal stood a second ago at most.
        recorded: events made durable since the start.

    """

    def __init__(
        self,
        path: Path,
        post: Post,
        settings: JournalSettings,
        *,
        on_report: Callable[[str, Report], None],
        on_recorded: Callable[[], None],
    ) -> None:
        super().__init__(name="intake", daemon=True)
        self.settings = settings
        self.outcomes = Outcomes()
        self.tick = time.monotonic()
        self.trouble: str | None = None
        self.generation = 0
        self.recorded = 0
        self._path = path
        self._post = post
        self._on_report = on_report
        self._on_recorded = on_recorded
        self._commands: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._held: list[tuple[socket.socket, Entry]] = []
        self._patience = 0.0
        self._group = 0
        self._stopping = False
        self._settled = self._purged = self._looked = 0.0
        self._roomy = True
        self._marked = 0
        self._journal, salvage = open_journal(path)
        self.stand: Stand = self._journal.stand()
        if salvage is not None:
            self._announce(salvage)

    # -- called from other threads --------------------------------------------------------------------------------

    def attach(self, device: str, sock: socket.socket) -> None:
        """Listen to a worker from now on; the socket is closed here when the worker has gone."""
        self._command(lambda: self._selector.register(sock, selectors.EVENT_READ, device) and None)

    def damaged(self, reason: str) -> None:
        """A reader found the journal damaged."""
        generation = self.generation
        self._command(lambda: self._replace(reason) if generation == self.generation else None)

    def stop(self) -> None:
        """Record what has arrived, then end."""
        self._stopping = True
        os.eventfd_write(self._wake, 1)

    def _command(self, command: Callable[[], None]) -> None:
        self._commands.append(command)
        os.eventfd_write(self._wake, 1)

    # -- the thread -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Turn until stopped."""
        while not self._stopping:
            self._turn()
        self._turn()
        self._settle()
        self._journal.close()

    def _turn(self) -> None:
        self._gather(RETRY_SECONDS if self._held or self._commands else SETTLE_SECONDS)
        while self._commands:
            self._commands.popleft()()
        try:
            self._record()
            self._keep_house()
        except JournalUnwritableError as error:
            self._fail(_UNWRITABLE.format(error))
        except JournalDamagedError as error:
            self._replace(str(error))
        self.tick = time.monotonic()

    def _gather(self, timeout: float) -> None:
        """Wait for frames, and then a moment more for as many as came together the last time: they share one commit."""
        self._receive(timeout)
        until = time.monotonic() + self._patience
        while 0 < len(self._held) < self._group and (left := until - time.monotonic()) > 0:
            self._receive(left)

    def _receive(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                os.eventfd_read(self._wake)
            else:
                self._listen(key.fileobj, key.data)  # type: ignore[arg-type]  # only sockets carry data

    def _listen(self, sock: socket.socket, device: str) -> None:
        try:
            frame = receive(sock)
        except BlockingIOError:
            return
        except FrameError as error:
            log.error("device %s: its process sent nonsense (%s) and is cut off", device, error)
            frame = None
        if frame is None:
            self._selector.unregister(sock)
            self._held = [held for held in self._held if held[0] is not sock]
            sock.close()
        elif isinstance(frame, Report):
            self._on_report(device, frame)
        else:
            self._held.append((sock, self._entry(device, frame)))

    def _entry(self, device: str, frame: Observed) -> Entry:
        evidence = tuple(
            EvidenceItem(self._post.evidence(device, blob.sha256), blob.media_type, blob.body) for blob in frame.blobs
        )
        return Entry(self._post.root(device) + "/" + frame.suffix, frame.encoded, frame.key, evidence)

    def _record(self) -> None:
        if not self._held or not self._room():
            return
        started = time.monotonic()
        try:
            self._journal.append([entry for _, entry in self._held])
        except JournalUnwritableError as error:
            self._fail(_UNWRITABLE.format(error))
            return
        self._recover()
        self._patience = min((time.monotonic() - started) / 2, MAX_PATIENCE)
        self._group = len(self._held)
        held, self._held = self._held, []
        for sock, _ in held:
            try:
                sock.send(ACKNOWLEDGED)
            except OSError:  # the worker has gone; its device will offer the observation again, under the same key
                continue
        self.recorded += len(held)
        self._on_recorded()

    def _room(self) -> bool:
        """Whether the disk has more than the reserve; asked at most once in ``RETRY_SECONDS``."""
        now = time.monotonic()
        if now - self._looked >= RETRY_SECONDS:
            self._looked = now
            disk = os.statvfs(self._path.parent)
            free = disk.f_bavail * disk.f_frsize
            self._roomy = free >= self.settings.reserve_bytes
            if not self._roomy:
                self._fail(
                    f"Only {free >> 20} MiB are free on the disk of the journal, less than the reserve of"
                    f" {self.settings.reserve_bytes >> 20} MiB: devices wait. Make room."
                )
        return self._roomy

    def _fail(self, why: str) -> None:
        if self.trouble is None:
            log.error("%s", why)
        self.trouble = why

    def _recover(self) -> None:
        if self.trouble is not None:
            log.info("the journal is written again")
        self.trouble = None

    def _keep_house(self) -> None:
        now = time.monotonic()
        if now - self._settled >= SETTLE_SECONDS:
            self._settled = now
            self._settle()
            self.stand = self._journal.stand()
            if not self._held and self.trouble is not None and self._room():
                self._recover()
        if now - self._purged >= PURGE_SECONDS and self.trouble is None:
            removed = self._journal.purge(
                older_than=self.settings.retention_days * 86400,
                keep_bytes=self.settings.retention_bytes,
                receipts=self.settings.receipts,
                limit=PURGE_ROWS,
            )
            if removed < PURGE_ROWS:
                self._purged = now

    def _settle(self) -> None:
        """Write down what the publisher learned; what cannot be written stays for the next turn."""
        taken = {name: list(getattr(self.outcomes, name)) for name in _LISTS}
        through = self.outcomes.delivered_through
        if through == self._marked and not any(taken.values()):
            return
        try:
            self._journal.settle(delivered_through=through, **taken)
        except JournalUnwritableError as error:
            self._fail(_UNWRITABLE.format(error))
            return
        self._marked = through
        for name, items in taken.items():
            waiting = getattr(self.outcomes, name)
            for _ in items:
                waiting.popleft()

    def _replace(self, reason: str) -> None:
        self._journal.close()
        self._journal, salvage = set_aside(self._path, reason)
        self.generation += 1
        self._announce(salvage)

    def _announce(self, salvage: Salvage) -> None:
        log.error("%s", salvage)
        data = JournalSalvaged(saved=salvage.saved, resumed=salvage.first_new, reason=salvage.reason)
        encoded = encode(data, event_id=str(uuid7()), source=self._post.source(AGENT), observed=datetime.now(UTC))
        self._journal.append([Entry(self._post.event(AGENT, JournalSalvaged), encoded)])
