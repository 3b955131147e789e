"""Pictures and videos of an endoscope: what they are, and when they were taken."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from functools import partial
from typing import BinaryIO, Final, Literal

import av
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from drivers.folder import Content, RejectedError
from edge_agent.driver import Evidence
from edge_agent.events.inspection import EndoscopeMedia
from edge_agent.processing.images import ImageError, decode, encode_jpeg, media_type

MAX_PICTURE: Final = 64 * 1024**2
"""Bytes; larger files can only be videos."""
PREVIEW_SIDE: Final = 960
THUMBNAIL_SIDE: Final = 480
MAX_SIDE: Final = 8192
_PREVIEW_PACKETS: Final = 300
_VIDEOS: Final = {
    re.compile(rb"RIFF.{4}AVI ", re.DOTALL): "video/x-msvideo",
    re.compile(rb".{4}ftypqt", re.DOTALL): "video/quicktime",
    re.compile(rb".{4}(ftyp|moov|mdat|wide|free)", re.DOTALL): "video/mp4",
    re.compile(rb"\x1a\x45\xdf\xa3"): "video/x-matroska",
    re.compile(rb"\x00\x00\x01\xba"): "video/mpeg",
    re.compile(rb"\x47.{187}\x47", re.DOTALL): "video/mp2t",
}
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Clock:
    """How a device's clock goes: ``ahead`` in seconds, and the ``zone`` that it is set to."""

    ahead: float
    zone: timezone

    def right(self, shown: datetime) -> datetime:
        """The right time in UTC when the clock showed this; a time that names a zone keeps it."""
        known = shown if shown.tzinfo is not None else shown.replace(tzinfo=self.zone)
        return (known - timedelta(seconds=self.ahead)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class _Found:
    medium: Literal["picture", "video"]
    media_type: str
    size: Size | None
    seconds: float | None
    shown: datetime | None
    source: Literal["exif", "container"]
    evidence: tuple[Evidence, ...]


def examine(opened: BinaryIO, digest: str, *, size: int, file_time: float, clock: Clock) -> Content:
    """The event of a picture or video.

    Args:
        opened: the file, to be read from any place.
        digest: its SHA-256.
        size: in bytes.
        file_time: when it was last changed, in seconds since 1970 by the device's clock.
        clock: of the device.

    Raises:
        RejectedError: it is neither a picture nor a video that can be read.
    """
    opened.seek(0)
    head = opened.read(512)
    opened.seek(0)
    kind = next((name for pattern, name in _VIDEOS.items() if pattern.match(head)), None)
    if kind is not None:
        found = _video(opened, kind)
    elif size > MAX_PICTURE:
        raise RejectedError("not-a-medium", "This is no video of a known kind, and too large for a picture.")
    else:
        found = _picture(opened.read())
    of_file = datetime.fromtimestamp(file_time, UTC)
    shown, source = (found.shown, found.source) if found.shown is not None else (of_file, "file")
    return Content(
        EndoscopeMedia(
            medium=found.medium,
            media_type=found.media_type,
            sha256=digest,
            size=size,
            width=found.size[0] if found.size else None,
            height=found.size[1] if found.size else None,
            seconds=found.seconds,
            captured=clock.right(shown),
            captured_from=source,
            device_time=found.shown.isoformat() if found.shown is not None else None,
            clock_offset_seconds=clock.ahead,
            file_time=of_file,
        ),
        found.evidence,
    )


def _picture(data: bytes) -> _Found:
    try:
        image = decode(data)
    except ImageError as error:
        unfinished = error.code in {"truncated-image", "empty-file"}
        raise RejectedError(error.code, error.message, unfinished=unfinished) from None
    height, width = image.shape[:2]
    evidence = Evidence(data, media_type(data), "picture", partial(encode_jpeg, image, longest_side=THUMBNAIL_SIDE))
    return _Found("picture", media_type(data), (width, height), None, _exif_time(data), "exif", (evidence,))


def _exif_time(data: bytes) -> datetime | None:
    """When a picture was taken: DateTimeOriginal, with OffsetTimeOriginal where that is given (CIPA DC-008)."""
    try:
        with Image.open(io.BytesIO(data)) as header:
            exif = header.getexif()
            shooting = exif.get_ifd(ExifTags.IFD.Exif)
        text = shooting.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
        zone = str(shooting.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    except Exception:  # damaged EXIF says nothing about the pixels
        return None
    try:
        shown = datetime.strptime(str(text)[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  (the device's clock has no zone)
        return datetime.fromisoformat(f"{shown.isoformat()}{zone}") if zone else shown
    except ValueError:
        return None


def _video(opened: BinaryIO, kind: str) -> _Found:
    """Length, size, time and one picture of a video; that only so much can be told of it is no fault of the file."""
    try:
        with av.open(opened, mode="r") as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or not 0 < max(stream.width, stream.height) <= MAX_SIDE:
                raise RejectedError("no-pictures", "There are no pictures in this video.")
            length = _seconds(container.duration, stream.duration, stream.time_base)
            shown = _container_time(str(container.metadata.get("creation_time", "")))
            image = _preview(container, stream)
            found = (stream.width, stream.height)
    except RejectedError:
        raise
    except (av.FFmpegError, OSError, ValueError, EOFError):
        raise RejectedError(
            "broken-video", "This video cannot be opened: it is cut off, or damaged. Copy it again.", unfinished=True
        ) from None
    evidence = () if image is None else (_preview_evidence(image),)
    return _Found("video", kind, found, length, shown, "container", evidence)


def _seconds(of_container: int | None, of_stream: int | None, base: Fraction | None) -> float | None:
    if of_container is not None and of_container >= 0:
        return round(of_container / av.time_base, 3)
    return round(float(of_stream * base), 3) if of_stream is not None and base is not None else None


def _container_time(text: str) -> datetime | None:
    """ISO 8601 from MP4 and MOV; they say UTC, but cameras write the local time of their clock there."""
    try:
        shown = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return None if shown.year < 1990 else shown.replace(tzinfo=None)  # 1904 stands for a clock that was never set


def _preview(container: av.container.InputContainer, stream: av.VideoStream) -> NDArray[np.uint8] | None:
    """A picture a second into the video, or the first."""
    try:
        for number, packet in enumerate(container.demux(stream)):
            for frame in packet.decode():
                if (frame.time or 0) >= 1 or number >= _PREVIEW_PACKETS // 10:
                    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            if number >= _PREVIEW_PACKETS:
                break
        container.seek(0)
        first = next(container.decode(stream))
        return np.asarray(first.to_ndarray(format="bgr24"), np.uint8)
    except (av.FFmpegError, OSError, ValueError, StopIteration):
        return None


def _preview_evidence(image: NDArray[np.uint8]) -> Evidence:
    data = encode_jpeg(image, longest_side=PREVIEW_SIDE, quality=85)
    return Evidence(data, "image/jpeg", "preview", partial(encode_jpeg, image, longest_side=THUMBNAIL_SIDE))
