"""Document scanners that write a picture of each page into a folder."""

from __future__ import annotations

from typing import ClassVar

from drivers.folder import Content, FolderDriver, FolderSettings


class PageFolder(FolderDriver[FolderSettings]):
    """Scanners that write JPEG, PNG, TIFF, BMP or WebP. A page without a readable zone goes to failed/ as well."""

    kind = "passport.page"
    Settings = FolderSettings
    preload: ClassVar[tuple[str, ...]] = ("drivers.passport.reading",)

    def examine(self, data: bytes) -> Content:
        """Read the machine readable zone of the page in a file."""
        from drivers.passport.reading import read_file

        return read_file(data)
