"""X-ray scanners that drop their scans into a folder: DICOS, raw arrays, TIFF pairs or pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar

from pydantic import Field

from drivers import folder as folder_module
from drivers.folder import Content, RejectedError
from drivers.xray.grouping import Grouping
from drivers.xray.layout import Layout, load
from drivers.xray.sets import STRAY, FileSet, ScanFolder
from drivers.xray.settings import XraySettings
from edge_agent.driver import Driver, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.evidence import sha256

if TYPE_CHECKING:
    from drivers.xray.reading import Reader

F = TypeVar("F", bound=XraySettings)


class XrayFolderSettings(XraySettings):
    """Settings of ``xray.folder``."""

    layout: str = Field(
        default="dicos",
        description="How scans are laid down: dicos, fs6000, ase, tiff-pair, picture, or the path of a layout file",
    )


class ScanDriver(Driver[F]):
    """A driver whose scans end up in a folder."""

    preload: ClassVar[tuple[str, ...]] = ("drivers.xray.reading",)
    deadline: ClassVar[float] = 60.0

    def layout(self) -> Layout:
        """How the scans in the folder are laid down.

        Raises:
            DriverError: the layout cannot be used.
        """
        return load("dicos")

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each scan, whether it could be used or not."""
        from drivers.xray.reading import Reader

        reader = Reader(self.device, self.settings, self.layout())
        folder = self.open()
        while True:
            observation = reader.news() or self.poll(folder, reader)
            self.trouble = reader.trouble
            yield observation
            if observation is None:
                time.sleep(folder_module.LOOK_SECONDS)

    def open(self) -> ScanFolder:
        """Begin to look at the folder.

        Raises:
            DriverError: the folder is missing, or nothing can be moved in it.
        """
        folder = ScanFolder(self.settings, Grouping(self.layout(), self.settings.folder))
        folder.prepare()
        return folder

    def poll(self, folder: ScanFolder, reader: Reader) -> Observation | None:
        """Look once: an observation of the next scan that is there; None if there is none yet."""
        found = folder.next_set()
        return self._observation(folder, found, reader) if found is not None else None

    def probe(self) -> str:
        """Whether scans could be taken from the folder."""
        self.open()
        return f"the folder {self.settings.folder} is there, and files can be moved in it"

    def _observation(self, folder: ScanFolder, found: FileSet, reader: Reader) -> Observation | None:
        files: list[tuple[str, bytes]] = []
        try:
            folder.attempt_set(found)
            if any(role == STRAY for role, _ in found.files):
                raise RejectedError("unknown-file", "By its name this file is none of a scan: see the layout.")
            files = folder.read_set(found)
            content = reader.examine(files, name=found.name)
        except RejectedError as error:
            if error.unfinished and folder.postpone_set(found):
                return None
            content = Content(
                InputRejected(
                    reason=error.code,
                    message=str(error),
                    size=found.size,
                    sha256=sha256(files[0][1]) if files else None,
                ),
                failure=str(error),
            )
        return Observation(
            content.data, content.evidence, partial(self.finish, folder, found, content), self.key(found)
        )

    def key(self, found: FileSet) -> str:
        """What the observation of a scan is known by when it is offered again."""
        return found.key

    def finish(self, folder: ScanFolder, found: FileSet, content: Content) -> None:
        """Move the files of a scan away: its event is durable.

        Raises:
            DriverError: they cannot be moved.
        """
        for step in getattr(content, "afterwards", ()):
            step()
        if content.failure:
            folder.set_failed(found, content.failure)
        else:
            folder.set_done(found)


class XrayFolder(ScanDriver[XrayFolderSettings]):
    """Scanners that drop DICOS files, raw channels, 16-bit TIFF pairs or their own coloured pictures into a folder."""

    kind = "xray.folder"
    Settings = XrayFolderSettings

    def layout(self) -> Layout:
        """As the device's file names it."""
        return load(self.settings.layout)
