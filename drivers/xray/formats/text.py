"""The XML file that many scanners lay beside a scan: its values, flat, by the names of their elements."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree as ET

from edge_agent.processing.xray.scan import Scan, ScanError

MAX_BYTES: Final = 1 << 18
MAX_VALUES: Final = 500
MAX_TEXT: Final = 256


def read(data: bytes) -> Scan:
    """The texts and attributes of an XML file. What defines a document type is refused: only attackers need one.

    Raises:
        ScanError: too large, cut off, or not XML.
    """
    if len(data) > MAX_BYTES:
        raise ScanError(
            "too-large", f"An XML file of {len(data) >> 10} KiB is not read, but of {MAX_BYTES >> 10} at most."
        )
    if b"<!" in data.replace(b"\0", b"").replace(b"<!--", b""):
        raise ScanError("hostile-xml", "The XML file defines a document type or entities: it is not read.")
    try:
        root = ET.fromstring(data)  # noqa: S314  (bounded, and without entities)
    except (ET.ParseError, ValueError, LookupError):
        raise ScanError("bad-xml", "The XML file is cut off or damaged.", unfinished=True) from None
    found: dict[str, str] = {}
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        values = {name: (element.text or "").strip()} | {f"{name}.{k}": v for k, v in element.attrib.items()}
        for key, value in values.items():
            if value and len(found) < MAX_VALUES:
                found.setdefault(key[:MAX_TEXT], value[:MAX_TEXT])
    return Scan(metadata=found)
