"""DICOS threat detection reports (TDR): what a machine or an operator makes of a scan, read and written.

"Threat" and "alarm" are DICOS's words for whatever somebody ought to look at. What we write are proposals: their
assessment flag is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, generate_uid

from drivers.xray.dicos import uids
from drivers.xray.dicos.dataset import encode, invalid_identifiers, new, parse, read_value, texts
from edge_agent import __version__
from edge_agent.processing.xray.scan import ScanError

MAX_BYTES: Final = 1 << 20
MAX_OBJECTS: Final = 1000

Category = Literal["EXPLOSIVE", "PROHIBITED ITEM", "CONTRABAND", "ANOMALY", "LAPTOP", "PHARMACEUTICAL", "OTHER"]
Ability = Literal["NO INTERFERENCE", "SHIELD"]
Flag = Literal["THREAT", "HIGH THREAT", "NO THREAT", "UNKNOWN"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One potential threat object. The box is in pixels of the image: first column, first row, columns, rows."""

    number: int
    box: tuple[int, int, int, int] | None
    category: str = "ANOMALY"
    description: str = ""
    ability: str = "NO INTERFERENCE"
    flag: str = "UNKNOWN"
    probability: float | None = None
    mass_g: float | None = None
    density: float | None = None
    z_effective: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report on a scan. ``images`` are the SOP Instance UIDs of the images that it is about."""

    made_by: str
    alarm: bool | None
    findings: tuple[Finding, ...]
    algorithm: str = ""
    images: tuple[str, ...] = ()
    processing_ms: float | None = None
    aborted: bool = False
    remarks: tuple[str, ...] = ()


def read(data: bytes) -> Report:
    """The report in a TDR file.

    Raises:
        ScanError: damaged, larger than a report ought to be, or no report.
    """
    if len(data) > MAX_BYTES:
        raise ScanError("too-large", f"A report of {len(data) >> 20} MiB is not read, but at most {MAX_BYTES >> 20}.")
    return from_dataset(parse(data))


def from_dataset(dataset: Dataset) -> Report:
    """Like ``read``, of what pydicom has parsed."""
    if read_value(dataset, "SOPClassUID", str, "") not in uids.REPORTS:
        raise ScanError("unsupported-dicos", "The file is no threat detection report.")
    objects = _items(dataset, "ThreatSequence")
    images = [_images(item) for item in (dataset, *(r for o in objects for r in _items(o, _REPRESENTATION)))]
    decision = read_value(dataset, "AlarmDecision", str, "")
    return Report(
        made_by=read_value(dataset, "TDRType", str, "").lower(),
        alarm={"ALARM": True, "CLEAR": False}.get(decision),
        findings=tuple(_finding(item) for item in objects),
        algorithm=" ".join(read_value(dataset, "ThreatDetectionAlgorithmAndVersion", texts, ()))[:200],
        images=tuple(dict.fromkeys(uid for found in images for uid in found)),
        processing_ms=read_value(dataset, "TotalProcessingTime", float),
        aborted=read_value(dataset, "AbortFlag", str, "SUCCESS") != "SUCCESS",
        remarks=invalid_identifiers(dataset),
    )


_REPRESENTATION: Final = "PTORepresentationSequence"
_ASSESSMENT: Final = "ATDAssessmentSequence"
_REFERENCES: Final = ("ReferencedInstanceSequence", "ReferencedStudySequence")


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    return read_value(dataset, keyword, lambda value: list(value[:MAX_OBJECTS]), [])  # type: ignore[no-any-return]


def _images(dataset: Dataset) -> list[str]:
    items = (item for keyword in _REFERENCES for item in _items(dataset, keyword))
    return [uid for item in items if (uid := read_value(item, "ReferencedSOPInstanceUID", str, ""))]


def _finding(item: Dataset) -> Finding:
    shape = next(iter(_items(item, _REPRESENTATION)), Dataset())
    assessment = next(iter(_items(item, _ASSESSMENT)), Dataset())
    region = next(iter(_items(shape, "ThreatROIVoxelSequence")), Dataset())
    base = read_value(region, "ThreatROIBase", _numbers)
    extents = read_value(region, "ThreatROIExtents", _numbers)
    known = base is not None and extents is not None and len(base) == len(extents) == 3
    box = (round(base[0]), round(base[1]), round(extents[0]), round(extents[1])) if known else None
    return Finding(
        number=read_value(item, "PotentialThreatObjectID", int, 0),
        box=box,
        category=read_value(assessment, "ThreatCategory", str, ""),
        description=read_value(assessment, "ThreatCategoryDescription", _text, ""),
        ability=read_value(assessment, "ATDAbilityAssessment", str, ""),
        flag=read_value(assessment, "ATDAssessmentFlag", str, "UNKNOWN"),
        probability=read_value(assessment, "ATDAssessmentProbability", float),
        mass_g=_either(shape, item, "Mass"),
        density=_either(shape, item, "Density"),
        z_effective=_either(shape, item, "ZEffective"),
    )


def _numbers(value: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in value)


def _text(value: Any) -> str:
    """A description; a widespread toolkit writes one byte for each value of a list."""
    return "".join(texts(value))[:500]


def _either(shape: Dataset, item: Dataset, keyword: str) -> float | None:
    """A figure of an object, which some write beside its representation and not into it."""
    found: float | None = read_value(shape, keyword, float, read_value(item, keyword, float))
    return found


def write(
    findings: Sequence[Finding],
    *,
    images: Sequence[str],
    study: str = "",
    alarm: bool,
    processing_ms: float = 0,
    made_by: Literal["MACHINE", "OPERATOR", "GROUND TRUTH", "AGGREGATE"] = "MACHINE",
    identifier: str = "",
) -> bytes:
    """A TDR file for an operator's station.

    Args:
        findings: what somebody ought to look at.
        images: SOP Instance UIDs of the images of the scan.
        study: their Study Instance UID.
        alarm: whether the scan as a whole ought to be looked at.
        processing_ms: what making them took.
        made_by: who made them.
        identifier: SOP Instance UID of this report; a new one if empty.
    """
    dataset = new(uids.TDR, uids.EXPLICIT)
    if study:
        dataset.StudyInstanceUID = study
    if identifier:
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(identifier)
    dataset.Modality = "TDR"
    dataset.TDRType = made_by
    dataset.AlarmDecision = "ALARM" if alarm else "CLEAR"
    dataset.AlarmDecisionTime = f"{datetime.now(UTC):%Y%m%d%H%M%S.%f}+0000"
    dataset.AbortFlag = "SUCCESS"
    dataset.ThreatDetectionAlgorithmAndVersion = ["edge-agent", __version__, "-output=proposals"]
    dataset.NumberOfTotalObjects = len(findings)
    dataset.NumberOfAlarmObjects = sum(finding.flag in {"THREAT", "HIGH THREAT"} for finding in findings)
    dataset.TotalProcessingTime = processing_ms
    dataset.AdditionalScreeningPerformed = "NO"
    dataset.add_new(0x40101075, "FD", 1.0)  # image scale: DICOM's dictionary has another VR for it
    dataset.FrameOfReferenceUID = generate_uid()
    dataset.PositionReferenceIndicator = ""
    dataset.ReferencedStudySequence = _references(images)
    dataset.ThreatSequence = Items([_object(finding, images) for finding in findings])
    return encode(dataset)


def _references(images: Sequence[str]) -> Items:
    return Items([_item(ReferencedSOPClassUID=uids.DX_PROCESSING, ReferencedSOPInstanceUID=uid) for uid in images])


def _object(finding: Finding, images: Sequence[str]) -> Dataset:
    shape = _item(ReferencedInstanceSequence=_references(images))
    if finding.box is not None:
        x, y, columns, rows = finding.box
        region = _item(ThreatROIBase=[float(x), float(y), 0.0], ThreatROIExtents=[float(columns), float(rows), 1.0])
        region.add_new(0x40101006, "OB", b"")
        shape.ThreatROIVoxelSequence = Items([region])
    figures = {"Mass": finding.mass_g, "Density": finding.density, "ZEffective": finding.z_effective}
    for keyword, figure in figures.items():
        if figure is not None:
            setattr(shape, keyword, figure)
    assessment = _item(
        ThreatCategory=finding.category,
        ThreatCategoryDescription=finding.description,
        ATDAbilityAssessment=finding.ability,
        ATDAssessmentFlag=finding.flag,
    )
    if finding.probability is not None:
        assessment.ATDAssessmentProbability = finding.probability
    now = f"{datetime.now(UTC):%Y%m%d%H%M%S.%f}"
    return _item(
        PotentialThreatObjectID=finding.number,
        ThreatDetectionStartTime=now,
        ThreatDetectionEndTime=now,
        ThreatDetectionTime=0.0,
        PTORepresentationSequence=Items([shape]),
        ATDAssessmentSequence=Items([assessment]),
    )


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item
