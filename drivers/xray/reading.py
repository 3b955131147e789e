"""From the files of a scan to its event."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from pydicom.uid import generate_uid

from drivers.folder import Content, RejectedError
from drivers.xray import event, health, piece, routine
from drivers.xray.detector import Detection, Detector
from drivers.xray.dicos import report
from drivers.xray.earlier import Earlier, EarlierScans
from drivers.xray.formats.scan import Part, read
from drivers.xray.grouping import REPORT, described
from drivers.xray.layout import Layout
from drivers.xray.settings import XraySettings
from drivers.xray.watching import Watch
from edge_agent import calibration
from edge_agent.calibration import Calibration as Record
from edge_agent.driver import DriverError, Evidence, Observation
from edge_agent.durable import write
from edge_agent.events.xray import XrayQuality, XrayScan
from edge_agent.processing import images
from edge_agent.processing.xray import analysis as analyses
from edge_agent.processing.xray import plausible
from edge_agent.processing.xray.analysis import Analysis, Expected, Proposal, analyse
from edge_agent.processing.xray.calibration import Calibration, CalibrationError, nominal
from edge_agent.processing.xray.compare import LEAST_ALIKE, compare
from edge_agent.processing.xray.scan import Channel, Scan, ScanError
from edge_agent.processing.xray.views import PALETTES, VIEWS, view
from edge_agent.processing.xray.views import warm as warm_views

MAX_EVIDENCE: Final = 8
VIEW_SIDE: Final = 2048
THUMBNAIL_SIDE: Final = 640
_RAW_TYPE: Final = "application/octet-stream"
_MEDIA_TYPES: Final = {"dicos": "application/dicom", "tiff": "image/tiff", "xml": "application/xml"}
_NOBODY: Final = {"", "-", "0", "none", "n/a", "unknown"}
_PICTURE_ONLY: Final = "Only the scanner's own picture: it is shown, and nothing is measured in it."
_OTHER_CELLS: Final = "The earlier scan of the same identifier has another pitch: they are not compared."


def warm() -> None:
    """Load what every process that reads scans needs."""
    analyses.warm()
    warm_views()


@dataclass(frozen=True, slots=True)
class Made:
    """The event of a scan, and what it was made from; no analysis of a picture only."""

    data: XrayScan
    analysis: Analysis | None
    curves: Calibration | None


@dataclass(frozen=True, slots=True)
class Scanned(Content):
    """What was made of a scan. ``afterwards`` is done once its event is durable, and may be done twice."""

    afterwards: tuple[Callable[[], None], ...] = ()


class Reader:
    """Makes events of scans, as a device's file says.

    Attributes:
        trouble: why less is made of scans than ought to be, in a technician's words; empty if nothing is.

    Raises:
        DriverError: a setting names something that does not exist.

    """

    def __init__(self, device: str, settings: XraySettings, layout: Layout) -> None:
        self.trouble = ""
        self.calibration_file = calibration.path(device)
        self._device = device
        self._settings = settings
        self._layout = layout
        self._earlier = (
            EarlierScans(device, settings.earlier_scans, settings.earlier_bytes) if settings.vehicle else None
        )
        self._tests = re.compile(settings.test_scans) if settings.test_scans else None
        self._piece = piece.load(settings.test_piece)
        self._detector = (
            Detector(Path(settings.detector), settings.detector_labels, settings.detector_score)
            if settings.detector
            else None
        )
        self._told = -1
        self._watch = Watch(settings.limits)
        self._noticed: XrayQuality | None = None
        self._calibrated: tuple[int, Record | None, Calibration | None] = (-1, None, None)
        for name, known in [(name, VIEWS) for name in settings.views] + [(settings.palette, PALETTES)]:
            if name not in known:
                raise DriverError(f'There is no "{name}", but {", ".join(known)}.')

    def news(self) -> Observation | None:
        """What ordinary scans, or ``edge-agent calibrate xray``, have just said of the scanner; None if nothing."""
        if self._noticed is not None:
            noticed, self._noticed = self._noticed, None
            return Observation(noticed)
        file = health.history_of(self._device)
        changed = _changed(file)
        if changed == self._told:
            return None
        self._told = changed
        history = health.load(file)
        if not history:
            return None
        quality = history[-1]
        return Observation(quality, key=f"health {quality.measured.isoformat()}", observed=quality.measured)

    def examine(self, files: Sequence[tuple[str, bytes]], *, name: str) -> Content:
        """Make an event of the files of a scan by their roles, or of a report on one.

        Raises:
            RejectedError: they cannot be used.
        """
        started = time.perf_counter()
        parts = [Part(described(self._layout, role), data) for role, data in files]
        try:
            if any(role.endswith(REPORT) for role, _ in files):
                return Content(event.xray_report(report.read(files[0][1])), _originals(files, parts))
            scan = plausible.examine(read(parts, self._layout))
            if self._tests is not None and self._tests.search(name):
                return self._tested(scan, files, parts)
            return self._scanned(scan, files, parts, started)
        except ScanError as error:
            raise RejectedError(error.code, error.message, unfinished=error.unfinished) from None

    # -- what is made of a scan ----------------------------------------------------------------------------------------

    def _tested(self, scan: Scan, files: Sequence[tuple[str, bytes]], parts: Sequence[Part]) -> Content:
        """Measure the test piece."""
        file = health.history_of(self._device)
        record, _ = self._calibration()
        _, quality = routine.examine(scan, self._piece, record, health.load(file), self._settings)

        def keep() -> None:
            health.add(file, quality)
            self._told = _changed(file)

        return Scanned(quality, _originals(files, parts), afterwards=(keep,))

    def _scanned(
        self, scan: Scan, files: Sequence[tuple[str, bytes]], parts: Sequence[Part], started: float
    ) -> Content:
        made = self.analyse(scan, started)
        if made.analysis is None:
            return Content(made.data, _originals(files, parts))
        self._noticed = self._watch.look(made.data.quality, self._calibration()[0])
        views = [self._view(made, name) for name in self._settings.views]
        originals = _originals(files, parts)[: MAX_EVIDENCE - len(views)]
        return Scanned(made.data, (*views, *originals), afterwards=tuple(self._afterwards(scan, made, files)))

    def analyse(self, scan: Scan, started: float) -> Made:
        """Analyse a scan; ``started`` is when its reading began, by ``time.perf_counter``.

        Raises:
            ScanError: there is nothing in it to analyse.
        """
        record, curves = self._calibration()
        if scan.shape is None:
            data = event.xray_scan(scan, None, remarks=(_PICTURE_ONLY,), started=started)
            return Made(data, None, curves)
        scan = routine.with_dark(scan, record)
        expected = Expected(self._settings.objects) if self._settings.objects != "auto" else None
        analysis = analyse(scan, curves, expected=expected)
        proposals, remarks = [event.proposal(each) for each in analysis.proposals], []
        earlier = self._find_earlier(scan)
        if earlier is not None:
            changed, why = _changes(analysis, earlier, curves or nominal())
            proposals += [event.proposal(each) for each in changed]
            remarks += why
        detections = self._detect(analysis, curves, remarks)
        if self._settings.detector_mode == "proposals":
            proposals += [event.detected(each) for each in detections]
            detections = []
        data = event.xray_scan(
            scan,
            analysis,
            proposals=proposals,
            shadow=detections,
            calibrated=record.made if record is not None and curves is not None else None,
            compared_with=earlier.made if earlier is not None else None,
            remarks=remarks,
            started=started,
        )
        return Made(data, analysis, curves)

    def _calibration(self) -> tuple[Record | None, Calibration | None]:
        """The calibration and its material curves; read again only when their file has changed."""
        file = self.calibration_file
        changed = _changed(file)
        if changed != self._calibrated[0]:
            self.trouble, record, curves = "", None, None
            try:
                record = calibration.load(file)
                curves = routine.known(record)
            except (calibration.CalibrationError, CalibrationError) as error:
                self.trouble = f"{error} Until then a textbook scanner is assumed."
            self._calibrated = changed, record, curves
        return self._calibrated[1:]

    def _identifier(self, scan: Scan) -> str:
        """What the scanner calls the vehicle; empty if it says nothing."""
        said = scan.metadata.get(self._settings.vehicle, "").strip()
        return "" if said.casefold() in _NOBODY else said

    def _find_earlier(self, scan: Scan) -> Earlier | None:
        identifier = self._identifier(scan)
        return self._earlier.find(identifier) if self._earlier is not None and identifier else None

    def _detect(self, analysis: Analysis, curves: Calibration | None, remarks: list[str]) -> list[Detection]:
        if self._detector is None:
            return []
        try:
            return self._detector.detect(view(analysis.corrected, "composite", self._settings.palette, curves))
        except RuntimeError as error:
            remarks.append(str(error))
            return []

    def _view(self, made: Made, name: str) -> Evidence:
        assert made.analysis is not None
        picture = view(made.analysis.corrected, name, self._settings.palette, made.curves)[..., ::-1]
        thumbnail = partial(images.encode_jpeg, picture, longest_side=THUMBNAIL_SIDE)
        return Evidence(images.encode_jpeg(picture, longest_side=VIEW_SIDE), "image/jpeg", f"view-{name}", thumbnail)

    # -- what is done once an event is durable -------------------------------------------------------------------------

    def _afterwards(self, scan: Scan, made: Made, files: Sequence[tuple[str, bytes]]) -> Iterator[Callable[[], None]]:
        identifier = self._identifier(scan)
        if self._earlier is not None and identifier and made.analysis is not None:
            yield partial(self._earlier.keep, identifier, made.analysis.maps)
        if self._settings.reports:
            name = hashlib.sha256(b"".join(data for _, data in files)).hexdigest()
            yield partial(self._report, name, scan, made.data)

    def _report(self, name: str, scan: Scan, data: XrayScan) -> None:
        """Lay down a report for an operator's station; the same once more if the power fails in between."""
        folder = Path(self._settings.reports)
        body = report.write(
            event.findings(data.proposals),
            images=scan.metadata.get("SOPInstanceUID", "").split("\\") if "SOPInstanceUID" in scan.metadata else (),
            study=scan.metadata.get("StudyInstanceUID", ""),
            alarm=bool(data.proposals),
            processing_ms=data.milliseconds,
            identifier=str(generate_uid(entropy_srcs=[name])),
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write(folder / f"{name[:40]}.dcs", body)
        except OSError as error:
            raise DriverError(
                f"Reports cannot be written to {folder} ({os.strerror(error.errno or 0)}): let the agent's user write "
                "there, or leave out reports."
            ) from None


def _changes(analysis: Analysis, earlier: Earlier, curves: Calibration) -> tuple[tuple[Proposal, ...], list[str]]:
    """What has changed since an earlier scan of the same vehicle, and what to say of the comparison."""
    now, then = analysis.maps, earlier.maps
    if any(abs(a / b - 1) > 0.05 for a, b in zip(now.pitch_mm, then.pitch_mm, strict=True)) or now.dual != then.dual:
        return (), [_OTHER_CELLS]
    comparison = compare(now, then, curves, lines=analysis.corrected.lines)
    if comparison.alike < LEAST_ALIKE:
        return (), [f"Hardly like the earlier scan of the same identifier (correlation {comparison.alike:.2f})."]
    return comparison.proposals, []


def _originals(files: Sequence[tuple[str, bytes]], parts: Sequence[Part]) -> tuple[Evidence, ...]:
    """The files as the scanner sent them, untouched."""
    return tuple(_original(role, part) for (role, _), part in zip(files, parts, strict=True))


def _original(role: str, part: Part) -> Evidence:
    content = part.file.content
    if content == "picture":
        kind = images.media_type(part.data)
        return Evidence(part.data, kind, Channel.PICTURE.value, partial(_small, part.data))
    name = part.file.channel or role.partition(" ")[2] or content
    return Evidence(part.data, _MEDIA_TYPES.get(content, _RAW_TYPE), name)


def _small(picture: bytes) -> bytes:
    return images.encode_jpeg(images.decode(picture), longest_side=THUMBNAIL_SIDE)


def _changed(file: Path) -> int:
    """When a file was last changed, in ns; 0 if there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
