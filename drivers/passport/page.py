"""Document scanners that write a picture of each page into a folder."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from drivers.folder import Content, FolderDriver, FolderSettings, RejectedError
from drivers.passport.reading import THUMBNAIL_SIDE, read_picture
from edge_agent.driver import DriverError, Evidence
from edge_agent.events.passport import Source, Verdict
from edge_agent.processing.images import ImageError, decode, encode_jpeg, media_type
from edge_agent.processing.mrz.page import ReaderError, TooSlowError


class PageFolder(FolderDriver[FolderSettings]):
    """Scanners that write JPEG, PNG, TIFF, BMP or WebP. A page without a readable zone goes to failed/ as well."""

    kind = "passport.page"
    Settings = FolderSettings
    preload: ClassVar[tuple[str, ...]] = ("edge_agent.processing.mrz.page",)

    def examine(self, data: bytes) -> Content:
        """Read the machine readable zone of the page in a file."""
        try:
            image = decode(data)
        except ImageError as error:
            unfinished = error.code in {"truncated-image", "empty-file"}
            raise RejectedError(error.code, error.message, unfinished=unfinished) from None
        try:
            read = read_picture(image, source=Source.PAGE)
        except TooSlowError as error:
            raise RejectedError("reader-too-slow", str(error)) from None
        except ReaderError as error:
            raise DriverError(str(error)) from None
        thumbnail = partial(encode_jpeg, image, longest_side=THUMBNAIL_SIDE)
        return Content(
            read,
            (Evidence(data, media_type(data), "page", thumbnail),),
            failure=read.problem if read.verdict is Verdict.UNREADABLE else "",
        )
