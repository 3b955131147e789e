"""From the picture of a page to its event."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from numpy.typing import NDArray

from drivers.folder import Content, RejectedError
from drivers.passport.event import passport_read
from edge_agent.driver import Evidence
from edge_agent.events.passport import Correction, PassportRead, Source, Verdict
from edge_agent.processing.images import ImageError, decode, encode_jpeg, media_type
from edge_agent.processing.mrz import page
from edge_agent.processing.mrz.parse import parse

THUMBNAIL_SIDE = 480
"""Pixels: a face can be told, the zone cannot be read."""


def warm() -> None:
    """Load what every process that reads pages needs."""
    page.warm()


def read_file(data: bytes) -> Content:
    """Make an event of a picture file of a page.

    Raises:
        RejectedError: it is no picture, or no whole one.
    """
    try:
        image = decode(data)
        read = read_picture(image, source=Source.PAGE)
    except ImageError as error:
        unfinished = error.code in {"truncated-image", "empty-file"}
        raise RejectedError(error.code, error.message, unfinished=unfinished) from None
    return Content(
        read,
        (evidence(data, media_type(data), image),),
        failure=read.problem if read.verdict is Verdict.UNREADABLE else "",
    )


def evidence(data: bytes, kind: str, image: NDArray[np.uint8]) -> Evidence:
    """A picture of a document as evidence; ``kind`` is the media type of ``data``, ``image`` its pixels."""
    return Evidence(data, kind, "page", partial(encode_jpeg, image, longest_side=THUMBNAIL_SIDE))


def read_picture(image: NDArray[np.uint8], *, source: Source) -> PassportRead:
    """Read the document in a picture: BGR, shape (height, width, 3), or grey, shape (height, width)."""
    started = time.perf_counter()
    reading = page.read_page(image)
    return passport_read(
        parse(reading.lines),
        source=source,
        engine=page.engine(),
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
        confidence=round(reading.confidence, 6),
        corrections=[
            Correction(line=c.line, column=c.column, seen=c.seen, decided=c.decided) for c in reading.corrections
        ],
        doubt=reading.problem or "",
    )
