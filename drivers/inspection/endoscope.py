"""Video endoscopes: pictures and video from a share, or from the card when it is put into a reader.

Nothing of a large video is held in memory: its hash is taken while it is read, and the event names it by that hash.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import ByteSize, Field

from drivers.folder import LOOK_SECONDS, File, Folder, FolderSettings, RejectedError, observation, rejected
from edge_agent.driver import Driver, DriverError, Observation

if TYPE_CHECKING:
    from drivers.inspection.media import Clock

PIECE: Final = 1 << 20
DCIM: Final = "DCIM"
_DCF_FOLDER: Final = re.compile(r"[1-9][0-9]{2}\w{5}")
"""Where cameras keep pictures on a card (JEITA CP-3461, DCF): DCIM/100ABCDE."""


class EndoscopeSettings(FolderSettings):
    """Settings of ``inspection.endoscope``."""

    folder: Path = Field(
        description="A share, or where the card is mounted; on a card, the folders below DCIM are looked through. A "
        "relative path starts at the agent's state directory"
    )
    max_bytes: ByteSize = Field(default=ByteSize(4 * 1024**3), description="Larger files are set aside unread")
    keep_days: float = Field(
        default=365,
        ge=0,
        le=3650,
        description="How long files stay in processed/ and failed/; of a video that is too large to be sent, this is "
        "the only copy",
    )
    clock_offset_seconds: float = Field(
        default=0, ge=-31_536_000, le=31_536_000, description="How far the endoscope's clock is ahead of the right time"
    )
    utc_offset: str = Field(
        default="+00:00",
        pattern=r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$",
        description="What the endoscope's clock is set to, against UTC: it writes no time zone",
    )


class Endoscope(Driver[EndoscopeSettings]):
    """Endoscopes that write JPEG, AVI, MP4 or MOV onto a card or a share. A card may come and go."""

    kind = "inspection.endoscope"
    Settings = EndoscopeSettings
    preload: ClassVar[tuple[str, ...]] = ("drivers.inspection.media",)

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each picture and video."""
        folders: dict[Path, Folder] = {}
        while True:
            self.trouble = self._missing()
            folders = {} if self.trouble else self._folders(folders)
            idle = True
            for folder in folders.values():
                file = self._next(folder)
                if file is not None:
                    idle = False
                    yield from self._take(folder, file)
            yield None
            if idle:
                time.sleep(LOOK_SECONDS)

    def probe(self) -> str:
        """Whether files could be taken from the folder."""
        if missing := self._missing():
            raise DriverError(missing)
        names = ", ".join(str(path) for path in self._folders({}))
        return f"files can be taken from {names}"

    def _missing(self) -> str:
        path = self.settings.folder
        if path.is_dir() or not path.is_absolute():
            return ""
        return f"There is no folder {path}: put the card in, or mount the share."

    def _folders(self, known: dict[Path, Folder]) -> dict[Path, Folder]:
        """The folder and those of a card in it; what is not there any more is forgotten.

        Raises:
            DriverError: nothing can be moved in one of them.
        """
        top = self.settings.folder
        if not top.is_absolute():
            top.mkdir(parents=True, exist_ok=True)
        try:
            below = sorted(each for each in (top / DCIM).iterdir() if _DCF_FOLDER.fullmatch(each.name))
        except OSError:
            below = []
        found: dict[Path, Folder] = {}
        for path in (top, *below):
            folder = known.get(path)
            if folder is None:
                folder = Folder(self.settings.model_copy(update={"folder": path}))
                folder.prepare()
            found[path] = folder
        return found

    def _next(self, folder: Folder) -> File | None:
        try:
            return folder.next()
        except (DriverError, FileNotFoundError):
            if self._missing():  # the card was taken out just now
                return None
            raise

    def _take(self, folder: Folder, file: File) -> Iterator[Observation | None]:
        """Read a file to its end, yielding between the pieces so that a long video is not taken for a hang."""
        from drivers.inspection.media import examine

        digest = hashlib.sha256()
        size = 0
        try:
            folder.attempt(file)
            with folder.opened(file) as opened:
                while piece := opened.read(PIECE):
                    digest.update(piece)
                    size += len(piece)
                    yield None
                if size != file.identity[2]:
                    raise RejectedError("unfinished-file", "The file grew while it was read.", unfinished=True)
                content = examine(
                    opened,
                    digest.hexdigest(),
                    size=size,
                    file_time=file.identity[1] / 1e9,
                    clock=self._clock(),
                )
        except RejectedError as error:
            if error.unfinished and folder.postpone(file):
                return
            content = rejected(error, file, digest.hexdigest() if size else None)
        yield observation(folder, file, content)

    def _clock(self) -> Clock:
        from drivers.inspection.media import Clock

        sign, hours, minutes = self.settings.utc_offset[0], self.settings.utc_offset[1:3], self.settings.utc_offset[4:]
        zone = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
        return Clock(ahead=self.settings.clock_offset_seconds, zone=timezone(zone))
