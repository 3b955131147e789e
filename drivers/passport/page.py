"""Document scanners that write a picture of each page into a folder."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from drivers.folder import Content, Folder, FolderDriver, FolderSettings
from edge_agent.driver import Observation
from edge_agent.events.passport import PassportRead


class PageSettings(FolderSettings):
    """Settings of ``passport.page``."""

    second_opinion: Literal["none", "passporteye"] = Field(
        default="none",
        description="Has each page read again by another engine, after the first answer, and reports how they compare",
    )


class PageFolder(FolderDriver[PageSettings]):
    """Scanners that write JPEG, PNG, TIFF, BMP or WebP. A page without a readable zone goes to failed/ as well."""

    kind = "passport.page"
    Settings = PageSettings
    preload: ClassVar[tuple[str, ...]] = ("drivers.passport.reading",)

    def __init__(self, settings: PageSettings) -> None:
        from drivers.passport.second_reader import SecondReader

        super().__init__(settings)
        self._second = SecondReader() if settings.second_opinion == "passporteye" else None

    def poll(self, folder: Folder) -> Observation | None:
        """The next page; when there is none, what the second opinion says of an earlier one."""
        observation = super().poll(folder)
        if observation is None and self._second is not None:
            return self._second.answer()
        return observation

    def examine(self, data: bytes) -> Content:
        """Read the machine readable zone of the page in a file."""
        from drivers.passport.reading import read_file

        content = read_file(data)
        if self._second is not None and isinstance(content.data, PassportRead):
            self._second.ask(data, content.data)
        return content
