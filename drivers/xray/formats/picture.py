"""The coloured picture that a scanner's own program makes: for people, never analysed as physics."""

from __future__ import annotations

from edge_agent.processing.images import ImageError, decode, media_type
from edge_agent.processing.xray.scan import Scan, ScanError


def read(data: bytes) -> Scan:
    """A JPEG or PNG as the picture of a scan.

    Raises:
        ScanError: it is no such picture, or no whole one, or too large.
    """
    if media_type(data) not in {"image/jpeg", "image/png"}:
        raise ScanError("not-a-picture", "This is neither a JPEG nor a PNG.", unfinished=len(data) < 16)
    try:
        decode(data)
    except ImageError as error:
        unfinished = error.code in {"truncated-image", "empty-file"}
        raise ScanError(error.code, error.message, unfinished=unfinished) from None
    return Scan(picture=data)
