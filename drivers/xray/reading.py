"""From the files of a scan to its event."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from drivers.folder import Content, RejectedError
from drivers.xray import event
from drivers.xray.dicos import report
from drivers.xray.formats.scan import Part, read
from drivers.xray.grouping import REPORT, described
from drivers.xray.layout import Layout
from drivers.xray.settings import XraySettings
from edge_agent.driver import Evidence, Observation
from edge_agent.events.xray import ScanQuality, XrayScan
from edge_agent.processing import images
from edge_agent.processing.xray import plausible
from edge_agent.processing.xray.correct import Corrected, correct
from edge_agent.processing.xray.scan import Channel, Scan, ScanError
from edge_agent.processing.xray.views import view

MAX_EVIDENCE: Final = 8
VIEW_SIDE: Final = 2048
THUMBNAIL_SIDE: Final = 640
_RAW_TYPE: Final = "application/octet-stream"
_MEDIA_TYPES: Final = {"dicos": "application/dicom", "tiff": "image/tiff", "xml": "application/xml"}


def warm() -> None:
    """Load what every process that reads scans needs."""


class Reader:
    """Makes events of scans, as a device's file says.

    Attributes:
        trouble: why less is made of scans than ought to be, in a technician's words; empty if nothing is.

    """

    def __init__(self, device: str, settings: XraySettings, layout: Layout) -> None:
        self.trouble = ""
        self._device = device
        self._settings = settings
        self._layout = layout

    def news(self) -> Observation | None:
        """What is to be told without any scan; None if nothing is."""
        return None

    def examine(self, files: Sequence[tuple[str, bytes]], *, name: str) -> Content:
        """Make an event of the files of a scan by their roles, or of a report on one.

        Raises:
            RejectedError: they cannot be used.
        """
        started = time.perf_counter()
        parts = [Part(described(self._layout, role), data) for role, data in files]
        try:
            if any(role.endswith(REPORT) for role, _ in files):
                return Content(event.xray_report(report.read(files[0][1])), _originals(parts))
            scan = plausible.examine(read(parts, self._layout))
            return self._scanned(scan, parts, started)
        except ScanError as error:
            raise RejectedError(error.code, error.message, unfinished=error.unfinished) from None

    def _scanned(self, scan: Scan, parts: Sequence[Part], started: float) -> Content:
        corrected = correct(scan) if scan.shape is not None else None
        data = self._event(scan, corrected, started)
        return Content(data, self._evidence(corrected, parts))

    def _event(self, scan: Scan, corrected: Corrected | None, started: float) -> XrayScan:
        rows, columns = scan.shape or (None, None)
        remarks = dict.fromkeys(scan.remarks + (corrected.remarks if corrected is not None else ()))
        return XrayScan(
            channels=event.channels(scan),
            missing=[channel.value for channel in scan.missing],
            rows=rows,
            columns=columns,
            pitch_mm=list(scan.pitch_mm) if scan.pitch_mm is not None else None,
            object_type=scan.metadata.get("OOIType", "")[:40],
            analysed=corrected is not None,
            quality=event.scan_quality(scan, corrected) if corrected is not None else ScanQuality(),
            remarks=list(remarks)[: event.MOST_REMARKS],
            engine=event.ENGINE,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )

    def _evidence(self, corrected: Corrected | None, parts: Sequence[Part]) -> tuple[Evidence, ...]:
        views = [self._view(corrected, name) for name in self._settings.views] if corrected is not None else []
        return (*views, *_originals(parts)[: MAX_EVIDENCE - len(views)])

    def _view(self, corrected: Corrected, name: str) -> Evidence:
        picture = view(corrected, name, self._settings.palette)[..., ::-1]
        thumbnail = partial(images.encode_jpeg, picture, longest_side=THUMBNAIL_SIDE)
        return Evidence(images.encode_jpeg(picture, longest_side=VIEW_SIDE), "image/jpeg", f"view-{name}", thumbnail)


def _originals(parts: Sequence[Part]) -> tuple[Evidence, ...]:
    """The files as the scanner sent them, untouched."""
    return tuple(_original(part) for part in parts if part.file.content != "ignored")


def _original(part: Part) -> Evidence:
    content, channel = part.file.content, part.file.channel
    if content == "picture":
        kind = images.media_type(part.data)
        return Evidence(part.data, kind, Channel.PICTURE.value, partial(_small, part.data))
    return Evidence(part.data, _MEDIA_TYPES.get(content, _RAW_TYPE), channel or content)


def _small(picture: bytes) -> bytes:
    return images.encode_jpeg(images.decode(picture), longest_side=THUMBNAIL_SIDE)
