"""From a picture, or from what a scanner sends, to the events of the codes in it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from drivers.folder import Content, RejectedError
from edge_agent.driver import Evidence
from edge_agent.events.device import InputRejected
from edge_agent.events.evidence import sha256
from edge_agent.events.inspection import BarcodeRead, BoardingPass, Element, Flight, Point
from edge_agent.processing.barcode.meaning import understand
from edge_agent.processing.barcode.read import Reading, read
from edge_agent.processing.barcode.scanner import Code, symbol
from edge_agent.processing.barcode.symbols import Symbol
from edge_agent.processing.images import ImageError, decode, encode_jpeg, media_type

MOST: Final = 50
"""Codes of one picture that are told."""
THUMBNAIL_SIDE: Final = 480


def warm() -> None:
    """Load both engines."""
    read(np.full((64, 64), 255, np.uint8), 0)


def read_file(data: bytes, seconds: float) -> list[Content]:
    """An event for each code in a picture file; one that says so if there is none.

    Raises:
        RejectedError: it is no picture, or no whole one.
    """
    try:
        image = decode(data)
    except ImageError as error:
        unfinished = error.code in {"truncated-image", "empty-file"}
        raise RejectedError(error.code, error.message, unfinished=unfinished) from None
    reading = read(image, seconds)
    if not reading.symbols:
        return [_nothing(data, reading)]
    picture = evidence(data, media_type(data), image)
    return [Content(event, (picture,)) for event in events(reading, "picture", sha256(data))]


def _nothing(data: bytes, reading: Reading) -> Content:
    said = "No bar code was read in this picture"
    why = (
        f"{said}; {reading.damaged} can be seen whose checks fail: photograph them sharper, straight and without glare."
    )
    message = why if reading.damaged else f"{said}: photograph the code alone, sharp, and with its white margin."
    rejected = InputRejected(reason="no-barcode", message=message, size=len(data), sha256=sha256(data))
    return Content(rejected, failure=message)


def evidence(data: bytes, kind: str, image: NDArray[np.uint8]) -> Evidence:
    """The picture as evidence; ``kind`` is the media type of ``data``, ``image`` its pixels."""
    return Evidence(data, kind, "picture", partial(encode_jpeg, image, longest_side=THUMBNAIL_SIDE))


def events(reading: Reading, source: Literal["picture", "camera"], picture: str) -> list[BarcodeRead]:
    """The events of the codes in a picture; ``picture`` is its hash."""
    told = reading.symbols[:MOST]
    return [
        _event(
            each,
            source,
            picture=picture,
            number=number,
            of=len(reading.symbols),
            damaged=reading.damaged,
            corners=[Point(x=round(x, 1), y=round(y, 1)) for x, y in each.corners.tolist()],
            engines=sorted(each.engines),
        )
        for number, each in enumerate(told, 1)
    ]


def scanned(code: Code) -> BarcodeRead:
    """The event of a code from a scanner."""
    return _event(symbol(code), "scanner")


def _event(found: Symbol, source: str, **more: object) -> BarcodeRead:
    meaning = understand(found, year=datetime.now(UTC).year)
    boarding = meaning.boarding_pass
    return BarcodeRead.model_validate(
        {
            "format": found.format,
            "identifier": found.identifier,
            "text": found.text,
            "base64": None if found.text is not None else base64.b64encode(found.data).decode(),
            "standard": meaning.standard.value,
            "elements": [
                Element(**{name: getattr(e, name) for name in Element.model_fields}) for e in meaning.elements
            ],
            "containers": list(meaning.containers),
            "doubtful_containers": list(meaning.doubtful),
            "boarding_pass": boarding
            and BoardingPass(
                surname=boarding.surname,
                given_names=boarding.given_names,
                electronic_ticket=boarding.electronic_ticket,
                legs=[Flight(**{name: getattr(leg, name) for name in Flight.model_fields}) for leg in boarding.legs],
            ),
            "source": source,
            **more,
        }
    )
