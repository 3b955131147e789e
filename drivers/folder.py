"""A folder that a device drops files into: each is taken once it is finished, and ends in processed/ or in failed/.

It is looked through a few times a second instead of asking the kernel for notices: those do not come from network
shares, which is where scanners write to, and looking costs a tenth of a millisecond.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from pydantic import ByteSize, Field

from edge_agent.driver import Driver, DriverError, DriverSettings, Evidence, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.envelope import EventData
from edge_agent.events.evidence import Sha256, sha256

LOOK_SECONDS: Final = 0.2
ATTEMPTS: Final = 3
"""How often a file may end our process before it is set aside."""
TIDY_SECONDS: Final = 3600.0
CLOCK_SECONDS: Final = 60.0
LONGEST_NAME: Final = 220
"""In bytes; file systems allow 255."""
PROCESSED: Final = "processed"
FAILED: Final = "failed"
ATTEMPT_NOTE: Final = ".edge-agent-reading"

_NO_FILE: Final = ("not-a-file", "This is a folder, a link or a device, not a file.")
_UNFINISHED_SUFFIXES: Final = (b".tmp", b".part", b".partial", b".filepart", b".crdownload")


class FolderSettings(DriverSettings):
    """Settings of every driver that takes files out of a folder."""

    folder: Path = Field(
        description="Where the device writes its files; a relative path starts at the agent's state directory"
    )
    settle_seconds: float = Field(
        default=0.3, ge=0, le=60, description="A file that has not changed for so long is taken for finished"
    )
    patience_seconds: float = Field(
        default=10, ge=0, le=600, description="How much longer to wait for a file that is empty or ends too early"
    )
    max_bytes: ByteSize = Field(default=ByteSize(64 * 1024**2), description="Larger files are set aside unread")
    keep_days: float = Field(
        default=7, ge=0, le=3650, description="How long files stay in processed/ and failed/ before they are deleted"
    )


Identity = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class File:
    """A finished file. ``identity`` (inode, time of change in ns, size) differs for another one of the same name."""

    name: str
    identity: Identity

    @property
    def key(self) -> str:
        """Names this file, and no later one of the same name, without giving its name away."""
        return hashlib.sha256(os.fsencode(self.name) + repr(self.identity).encode()).hexdigest()


class RejectedError(Exception):
    """A file that cannot be used: ``code`` for programs, the message for technicians.

    ``unfinished`` means that it may only not be complete yet.
    """

    def __init__(self, code: str, message: str, *, unfinished: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.unfinished = unfinished


F = TypeVar("F", bound=FolderSettings)


@dataclass(frozen=True, slots=True)
class Content:
    """What was made of a file. ``failure`` says why nothing could be made of it: the file then goes to failed/."""

    data: EventData
    evidence: tuple[Evidence, ...] = ()
    failure: str = ""


class FolderDriver(Driver[F]):
    """A driver whose device writes one file for each observation; what a file says is for the subclass."""

    @abstractmethod
    def examine(self, data: bytes) -> Content:
        """Make an event of a file's content.

        Raises:
            RejectedError: the file cannot be used.
            DriverError: not the file is at fault, but what reads it.
        """

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each file, whether it could be used or not."""
        folder = self.open()
        while True:
            seen = [self.poll(folder)]
            idle = seen[0] is None
            yield seen.pop()  # kept here, its picture would be in memory until there is another
            if idle:
                time.sleep(LOOK_SECONDS)

    def open(self) -> Folder:
        """Begin to look at the folder.

        Raises:
            DriverError: the folder is missing, or nothing can be moved in it.
        """
        folder = Folder(self.settings)
        folder.prepare()
        return folder

    def poll(self, folder: Folder) -> Observation | None:
        """Look once: an observation of the next file that is finished; None if there is none yet."""
        file = folder.next()
        return self._observation(folder, file) if file is not None else None

    def probe(self) -> str:
        """Whether files could be taken from the folder."""
        self.open()
        return f"the folder {self.settings.folder} is there, and files can be moved in it"

    def _observation(self, folder: Folder, file: File) -> Observation | None:
        data = b""
        try:
            folder.attempt(file)
            data = folder.read(file)
            content = self.examine(data)
        except RejectedError as error:
            if error.unfinished and folder.postpone(file):
                return None
            content = rejected(error, file, sha256(data) if data else None)
        return observation(folder, file, content)


def rejected(error: RejectedError, file: File, digest: Sha256 | None) -> Content:
    """What is said of a file that cannot be used; ``digest`` is the hash of its content where it could be read."""
    data = InputRejected(reason=error.code, message=str(error), size=file.identity[2], sha256=digest)
    return Content(data, failure=str(error))


def observation(folder: Folder, file: File, content: Content) -> Observation:
    """The observation of a file, which is moved out of the way once that is durable."""
    finish = partial(folder.failed, file, content.failure) if content.failure else partial(folder.done, file)
    return Observation(content.data, content.evidence, acknowledge=finish, key=file.key)


class Folder:
    """The files of one folder, one after the other."""

    def __init__(self, settings: FolderSettings) -> None:
        self._settings = settings
        self._path = settings.folder
        self._seen: dict[File, float] | None = None
        self._postponed: set[File] = set()
        self._taken: set[File] = set()
        self._tidied = -TIDY_SECONDS

    def prepare(self) -> None:
        """Make sure that files can be taken from here.

        Raises:
            DriverError: the folder is missing, or nothing can be moved in it.
        """
        if not self._path.is_absolute():
            self._path.mkdir(parents=True, exist_ok=True)
        if not self._path.is_dir():
            raise DriverError(f"There is no folder {self._path}: create it, or mount the share that it is on.")
        try:
            for name in (PROCESSED, FAILED):
                (self._path / name).mkdir(exist_ok=True)
        except OSError as error:
            raise self._not_writable(error) from None
        if not os.access(self._path, os.R_OK | os.W_OK | os.X_OK):
            raise self._not_writable(None)

    def next(self) -> File | None:
        """The oldest file that is finished and was not taken yet, after one look; None if there is none."""
        self._tidy()
        now = time.monotonic()
        files = self.files()
        if self._seen is None:  # what lies there from before our start need not be waited for
            self._seen = {file: now - _quiet_seconds(file) for file in files}
        self._seen = {file: self._seen.get(file, now) for file in files}
        self._postponed &= self._seen.keys()
        self._taken &= self._seen.keys()
        waiting = ((file, now - since) for file, since in self._seen.items() if file not in self._taken)
        ready = [file for file, waited in waiting if waited >= self._needed(file)]
        chosen = min(ready, key=lambda file: (file.identity[1], file.name), default=None)
        self._taken |= {chosen} if chosen is not None else set()
        return chosen

    def files(self, within: str = "") -> list[File]:
        """What lies in the folder, or in the folder ``within`` it, whether it is finished or not.

        Raises:
            DriverError: the folder cannot be read.
        """
        path = self._path / within
        try:
            return [
                File(f"{within}{within and '/'}{entry.name}", _identity(status)) for entry, status in _entries(path)
            ]
        except OSError as error:
            raise DriverError(f"The folder {path} cannot be read ({os.strerror(error.errno or 0)}).") from None

    def _needed(self, file: File) -> float:
        more = self._settings.patience_seconds if file in self._postponed else 0.0
        return self._settings.settle_seconds + more

    def read(self, file: File) -> bytes:
        """The content of a file, if it can be had and is within bounds.

        Raises:
            RejectedError: file-vanished, no-permission, not-a-file, too-large, empty-file or unreadable-file.
        """
        with self.opened(file) as opened:
            return opened.read(self._settings.max_bytes + 1)

    @contextmanager
    def opened(self, file: File) -> Iterator[BinaryIO]:
        """A file to read from piece by piece, for those that are too large to be held in memory.

        Raises:
            RejectedError: as ``read``, also while it is read.
        """
        limit = self._settings.max_bytes
        try:
            with open(self._path / file.name, "rb", opener=_open) as opened:
                size = os.fstat(opened.fileno()).st_size
                if size > limit:
                    raise RejectedError(
                        "too-large", f"The file has {size >> 20} MiB; at most {limit >> 20} MiB are read."
                    )
                if not size:
                    raise RejectedError("empty-file", "The file is empty.", unfinished=True)
                yield opened
        except FileNotFoundError:
            raise RejectedError("file-vanished", "The file was gone before it could be read.") from None
        except PermissionError:
            raise RejectedError(
                "no-permission", "The agent may not read this file: let the scanner write files readable by all."
            ) from None
        except OSError as error:
            raise RejectedError(
                "unreadable-file", f"The file cannot be read ({os.strerror(error.errno or 0)})."
            ) from None

    def postpone(self, file: File) -> bool:
        """Give a file more time, since its writer may only have paused; false if it has had it."""
        first = file not in self._postponed and self._settings.patience_seconds > 0
        self._postponed.add(file)
        if first:
            self._taken.discard(file)
        return first

    def attempt(self, file: File) -> None:
        """Note that this file is being read; ``done`` and ``failed`` take the note back.

        Raises:
            RejectedError: it has ended our process too often (poisoned-file).
        """
        note = self._path / ATTEMPT_NOTE
        attempts = 1
        try:
            key, before = note.read_text().split()
            attempts = int(before) + 1 if key == file.key else 1
        except (OSError, ValueError):
            pass  # no note, or one that a power failure cut short
        if attempts > ATTEMPTS:
            raise RejectedError(
                "poisoned-file", f"Reading this file ended the device's process {ATTEMPTS} times: it is set aside."
            )
        try:
            note.write_text(f"{file.key} {attempts}")
        except OSError:
            return  # a full disk: the intake says so

    def done(self, file: File) -> None:
        """Move a file to processed/.

        Raises:
            DriverError: it cannot be moved.
        """
        self._move(file, PROCESSED)

    def failed(self, file: File, reason: str) -> None:
        """Move a file to failed/, with the reason in a file beside it.

        Raises:
            DriverError: it cannot be moved.
        """
        target = self._move(file, FAILED)
        if target is not None:
            try:
                target.with_name(f"{target.name}.reason.txt").write_text(reason + "\n")
            except OSError:
                return  # a full disk; the event says it as well

    def _move(self, file: File, folder: str) -> Path | None:
        """Move a file out of the way; None if it has gone, or is another one by now."""
        source = self._path / file.name
        target = _free(self._path / folder / file.name.replace("/", " "))
        try:
            if _identity(source.lstat()) != file.identity:
                return None  # the device has written another one in its place
            source.rename(target)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._not_writable(error) from None
        finally:
            (self._path / ATTEMPT_NOTE).unlink(missing_ok=True)
            if self._seen is not None:
                self._seen.pop(file, None)
        return target

    def _not_writable(self, error: OSError | None) -> DriverError:
        why = f" ({os.strerror(error.errno or 0)})" if error is not None else ""
        return DriverError(f"Files cannot be moved in {self._path}{why}: let the agent's user write there.")

    def _tidy(self) -> None:
        """Delete what has been kept long enough."""
        if time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        oldest = time.time() - self._settings.keep_days * 86400
        for folder in (PROCESSED, FAILED):
            for entry in os.scandir(self._path / folder):
                try:
                    if entry.stat(follow_symlinks=False).st_ctime < oldest and not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry.path)  # noqa: PTH108  (a name that is no UTF-8 stays as it is)
                except OSError:
                    continue


def _entries(folder: Path) -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
    """What lies in a folder for us: nothing hidden, nothing still under a writer's name, no plain subfolders."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = os.fsencode(entry.name).lower()
            if name.startswith(b".") or name.endswith(_UNFINISHED_SUFFIXES):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if not (stat.S_ISDIR(status.st_mode) and b"." not in name):
                yield entry, status


def _open(path: str, flags: int) -> int:
    """Open a regular file only: a link could lead anywhere, and a pipe would keep us waiting."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise RejectedError(*_NO_FILE) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RejectedError(*_NO_FILE)
    return descriptor


def _identity(status: os.stat_result) -> Identity:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _quiet_seconds(file: File) -> float:
    """For how long a file has surely not been written to; clocks of file servers differ."""
    quiet = time.time() - file.identity[1] / 1e9
    return quiet if quiet > CLOCK_SECONDS else 0.0


def _free(target: Path) -> Path:
    """A name that is not taken, so that an earlier file is never overwritten, with room for a number and a suffix."""
    if len(os.fsencode(target.name)) > LONGEST_NAME:
        kept = os.fsencode(target.stem)[: LONGEST_NAME - 20].decode(errors="ignore")
        target = target.with_name(kept + target.suffix[:20])
    number, free = 1, target
    while os.path.lexists(free):
        number += 1
        free = target.with_name(f"{number}-{target.name}")
    return free
