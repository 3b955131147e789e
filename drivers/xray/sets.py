"""The files of scans in a folder: a scan is taken once all of its files are there, or have been waited for."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from drivers.folder import FAILED, PROCESSED, File, Folder, FolderSettings, RejectedError
from edge_agent.driver import DriverError

MOVING_NOTE: Final = ".edge-agent-moving"
STRAY: Final = ""
"""The role of a file that belongs to no scan."""


class Grouping(Protocol):
    """Which files make up one scan."""

    subfolders: bool
    """Whether the files of a scan lie in a folder of their own."""

    def belongs(self, file: File) -> tuple[str, str] | None:
        """From a file to its scan and its role in it; None for a file of no scan."""

    def is_whole(self, roles: frozenset[str]) -> bool:
        """Whether a scan with these roles lacks nothing, so that nothing more is waited for."""


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files of one scan, by their roles. A name is a path within the folder."""

    scan: str
    files: tuple[tuple[str, File], ...]

    @property
    def key(self) -> str:
        """Names this scan, and no later one of the same name, without giving its name away."""
        return hashlib.sha256("".join(sorted(file.key for _, file in self.files)).encode()).hexdigest()

    @property
    def name(self) -> str:
        """What its files or their folder are called: may name somebody, and is never published."""
        return self.files[0][1].name

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.identity[2] for _, file in self.files)


class ScanFolder(Folder):
    """The scans of one folder, one after the other."""

    def __init__(self, settings: FolderSettings, grouping: Grouping) -> None:
        super().__init__(settings)
        self._grouping = grouping
        self._since: dict[FileSet, float] = {}
        self._refused: set[FileSet] = set()

    def prepare(self) -> None:
        """Make sure that files can be taken from here, and finish a move that a power failure interrupted."""
        super().prepare()
        self._finish_move()

    def next_set(self) -> FileSet | None:
        """The oldest scan that is complete, or for whose rest was waited long enough; None if there is none.

        Files that belong to no scan are scans of their own: whoever reads them says that they cannot be used.
        """
        self._tidy()
        now = time.monotonic()
        self._since = {found: self._since.get(found, now) for found in self._sets()}
        self._refused &= self._since.keys()
        ready = [found for found, since in self._since.items() if now - since >= self._wait(found)]
        return min(ready, key=lambda found: (max(f.identity[1] for _, f in found.files), found.scan), default=None)

    def _wait(self, found: FileSet) -> float:
        roles = frozenset(role for role, _ in found.files)
        whole = self._grouping.is_whole(roles) and found not in self._refused
        return self._settings.settle_seconds + (0 if whole else self._settings.patience_seconds)

    def _sets(self) -> Iterator[FileSet]:
        """What lies in the folder, grouped."""
        grouped: dict[tuple[str, str], list[tuple[str, File]]] = {}
        for place, file in sorted(self._files(), key=lambda entry: entry[1].identity[1]):
            scan, role = self._grouping.belongs(file) or (f"\0{file.name}", STRAY)
            number = 0
            while any(role == other for other, _ in grouped.get((place, f"{scan}\0{number}"), ())):
                number += 1  # a second file in the same role is of another scan
            grouped.setdefault((place, f"{scan}\0{number}"), []).append((role, file))
        for (_, scan), files in grouped.items():
            yield FileSet(scan, tuple(files))

    def _files(self) -> Iterator[tuple[str, File]]:
        if not self._grouping.subfolders:
            yield from (("", file) for file in self.files())
            return
        yield from (("", file) for file in self.files() if (self._path / file.name).is_file())
        for name in self._scan_folders():
            with contextlib.suppress(DriverError):  # it has just gone
                yield from ((name, file) for file in self.files(name))

    def _scan_folders(self) -> list[str]:
        with os.scandir(self._path) as entries:
            return [
                entry.name
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
                and entry.name not in {PROCESSED, FAILED}
                and not entry.name.startswith(".")
            ]

    def incomplete(self) -> list[str]:
        """The names of the files that wait for the rest of their scan."""
        waiting = (found for found in self._since if not self._grouping.is_whole(frozenset(r for r, _ in found.files)))
        return [file.name for found in waiting for _, file in found.files]

    def read_set(self, found: FileSet) -> list[tuple[str, bytes]]:
        """The contents of a scan's files, by role.

        Raises:
            RejectedError: a file cannot be read, or all of them are larger than allowed.
        """
        if found.size > self._settings.max_bytes:
            limit = self._settings.max_bytes >> 20
            raise RejectedError("too-large", f"The scan has {found.size >> 20} MiB; at most {limit} MiB are read.")
        return [(role, self.read(file)) for role, file in found.files]

    def postpone_set(self, found: FileSet) -> bool:
        """Give a scan more time, since its writer may only have paused; false if it has had it."""
        first = found not in self._refused and self._settings.patience_seconds > 0
        first = first and time.monotonic() - self._since.get(found, 0) < self._settings.patience_seconds
        self._refused.add(found)
        return first

    def attempt_set(self, found: FileSet) -> None:
        """Note that this scan is being read.

        Raises:
            RejectedError: it has ended our process too often (poisoned-file).
        """
        self.attempt(found.files[0][1])

    def set_done(self, found: FileSet) -> None:
        """Move the files of a scan to processed/."""
        self._move_set(found, PROCESSED)

    def set_failed(self, found: FileSet, reason: str) -> None:
        """Move the files of a scan to failed/, with the reason beside the first of them."""
        first = found.files[0][1]
        self._move_set(found, FAILED, keep=first)
        self.failed(first, reason)
        self._after_move(found)

    def _move_set(self, found: FileSet, folder: str, keep: File | None = None) -> None:
        """Move all files, noting it before: what is left after a power failure must not look like a poorer scan."""
        files = [file for _, file in found.files if file is not keep]
        note = self._path / MOVING_NOTE
        if len(found.files) > 1:
            with contextlib.suppress(OSError):  # a full disk: the move itself needs no room
                note.write_bytes(
                    b"\n".join([folder.encode(), *(os.fsencode(file.name).hex().encode() for file in files)])
                )
        for file in files:
            self._move(file, folder)
        note.unlink(missing_ok=True)
        self._after_move(found)

    def _after_move(self, found: FileSet) -> None:
        self._since.pop(found, None)
        for name in {Path(file.name).parent for _, file in found.files} - {Path()}:
            with contextlib.suppress(OSError):  # not empty: a late file, which is a scan of its own
                (self._path / name).rmdir()

    def _finish_move(self) -> None:
        note = self._path / MOVING_NOTE
        try:
            folder, *names = note.read_bytes().decode().split("\n")
            files = [os.fsdecode(bytes.fromhex(name)) for name in names]
        except (OSError, ValueError):
            note.unlink(missing_ok=True)
            return
        for file in (file for _, file in self._files() if file.name in files and folder in {PROCESSED, FAILED}):
            self._move(file, folder)
        note.unlink(missing_ok=True)
