"""The two readers of bar codes, each asked in the way it reads best."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from pyzbar import pyzbar

from edge_agent.processing.barcode.symbols import Corners, Symbol

Grey = NDArray[np.uint8]

_ZBAR_NAMES: Final = {
    "EAN8": "EAN-8",
    "EAN13": "EAN-13",
    "I25": "ITF",
    "DATABAR": "DataBar",
    "DATABAR_EXP": "DataBar Expanded",
    "CODABAR": "Codabar",
    "CODE39": "Code 39",
    "CODE93": "Code 93",
    "CODE128": "Code 128",
    "QRCODE": "QR Code",
}
_ZBAR_TYPES: Final = [pyzbar.ZBarSymbol[name] for name in _ZBAR_NAMES]


def zxing(image: Grey) -> tuple[list[Symbol], list[Corners]]:
    """What zxing-cpp reads in a grey picture, and where it finds symbols whose checks fail."""
    found = zxingcpp.read_barcodes(image, text_mode=zxingcpp.TextMode.Plain, return_errors=True)
    return [_from_zxing(each) for each in found if each.valid], [_corners(each) for each in found if not each.valid]


def _corners(found: Any) -> Corners:
    place = found.position
    corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
    return np.array([(corner.x, corner.y) for corner in corners], np.float64)


def _from_zxing(found: Any) -> Symbol:
    binary = found.content_type in {zxingcpp.ContentType.Binary, zxingcpp.ContentType.UnknownECI}
    data = bytes(found.bytes)
    return Symbol(
        format=str(found.format),
        data=data,
        text=_as_text(data) if binary else found.text,
        identifier=found.symbology_identifier,
        corners=_corners(found),
        engines=frozenset({"zxing-cpp"}),
    )


def zbar(image: Grey) -> list[Symbol]:
    """What zbar reads in a grey picture."""
    with quiet():
        found = pyzbar.decode(image, symbols=_ZBAR_TYPES)
    return [_from_zbar(each) for each in found]


def _from_zbar(found: Any) -> Symbol:
    if len(found.polygon) >= 4:
        corners: Corners = cv2.boxPoints(cv2.minAreaRect(np.array(found.polygon, np.float32))).astype(np.float64)
    else:
        left, top, width, height = found.rect
        corners = np.array(
            [(left, top), (left + width, top), (left + width, top + height), (left, top + height)], float
        )
    name = _ZBAR_NAMES[found.type]
    return Symbol(
        format=name,
        data=found.data,
        text=_as_text(found.data),
        identifier="]e0" if name.startswith("DataBar") else "",
        corners=corners,
        engines=frozenset({"zbar"}),
    )


def _as_text(data: bytes) -> str | None:
    """Text of printable characters and the separators that occur in cards and GS1 strings; None for anything else."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c in "\r\n\t\x1c\x1d\x1e\x1f\x04" for c in text) else None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without zbar's warnings on standard error, which say nothing to anybody here."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
