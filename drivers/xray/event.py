"""From a scan and what was made of it to the events that are published, and to a report for an operator's station."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np

from drivers.xray.detector import Detection
from drivers.xray.dicos.report import Finding, Report
from edge_agent import __version__
from edge_agent.events import xray
from edge_agent.events.xray import Assessed, Box, ScanQuality, ShadowBox, XrayReport, XrayScan
from edge_agent.processing.xray import plausible
from edge_agent.processing.xray.analysis import Analysis, ClassArea, Proposal
from edge_agent.processing.xray.correct import Corrected
from edge_agent.processing.xray.kernels import AIR
from edge_agent.processing.xray.scan import Channel, Orientation, Scan

ENGINE: Final = f"edge-agent {__version__}"
MOST: Final = 30
_MOST_DEAD: Final = 500
_COUNTS: Final = (Channel.LOW, Channel.HIGH, Channel.SINGLE)


def xray_scan(
    scan: Scan,
    analysis: Analysis | None,
    *,
    proposals: Sequence[xray.Proposal] = (),
    shadow: Sequence[Detection] = (),
    calibrated: datetime | None = None,
    compared_with: datetime | None = None,
    remarks: Sequence[str] = (),
    started: float,
) -> XrayScan:
    """The event of one scan; without an analysis, that of a picture. It took from ``started`` until now."""
    rows, columns = scan.shape or (None, None)
    said = scan.remarks + (analysis.remarks if analysis is not None else ()) + tuple(remarks)
    return XrayScan(
        channels=[channel.value for channel in Channel if getattr(scan, channel.value) is not None],
        missing=[channel.value for channel in scan.missing],
        rows=rows,
        columns=columns,
        pitch_mm=list(scan.pitch_mm) if scan.pitch_mm is not None else None,
        object_type=scan.metadata.get("OOIType", "")[:40],
        analysed=analysis is not None,
        calibrated=calibrated,
        classes=[_area(area) for area in analysis.classes] if analysis is not None else [],
        proposals=list(proposals[:MOST]),
        shadow=[ShadowBox(label=each.label, score=each.score, box=_box(each.box)) for each in shadow],
        compared_with=compared_with,
        quality=_quality(scan, analysis) if analysis is not None else ScanQuality(),
        remarks=list(dict.fromkeys(said))[:MOST],
        engine=ENGINE,
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )


def _area(area: ClassArea) -> xray.ClassArea:
    return xray.ClassArea(
        material=area.material,
        pixels=area.pixels,
        area_cm2=round(area.area_mm2 / 100, 1) if area.area_mm2 is not None else None,
        share=round(area.share, 4),
    )


def proposal(proposal: Proposal) -> xray.Proposal:
    """A proposal as it is published."""
    box = proposal.box
    return xray.Proposal(
        kind=proposal.kind,
        reason=proposal.reason,
        box=_box((box.column, box.row, box.columns, box.rows)),
        pixels=proposal.pixels,
        area_cm2=round(proposal.area_mm2 / 100, 1) if proposal.area_mm2 is not None else None,
        material=proposal.material,
        attenuation=round(proposal.attenuation, 3),
        steel_mm=round(proposal.steel_mm, 1),
        mass_g=round(proposal.mass_g, 1) if proposal.mass_g is not None else None,
        score=round(min(max(proposal.score, 0.0), 1.0), 3),
    )


def detected(detection: Detection) -> xray.Proposal:
    """What the site's own detector says, as a proposal."""
    return xray.Proposal(
        kind="detector",
        reason=f"The site's own detector marks this as '{detection.label}', with a score of {detection.score:.2f}.",
        box=_box(detection.box),
        pixels=detection.box[2] * detection.box[3],
        score=detection.score,
    )


def _box(box: tuple[int, int, int, int]) -> Box:
    column, row, columns, rows = box
    return Box(column=column, row=row, columns=columns, rows=rows)


def _quality(scan: Scan, analysis: Analysis) -> ScanQuality:
    counts = {channel.value: getattr(scan, channel.value) for channel in _COUNTS}
    present = {name: array for name, array in counts.items() if array is not None}
    corrected = analysis.corrected
    levels = {channel.value: level for channel in corrected.flats if (level := _open_beam(corrected, channel))}
    noise = dict(zip((Channel.LOW.value, Channel.HIGH.value), corrected.noise, strict=True))
    if Channel.SINGLE.value in present:
        levels, noise = (
            {Channel.SINGLE.value: each[Channel.HIGH.value]} if Channel.HIGH.value in each else {}
            for each in (levels, noise)
        )
    return ScanQuality(
        open_beam_share=round(float(np.mean(analysis.maps.classes == 0)), 4),
        noise={name: round(float((noise[name] / AIR) ** 0.5), 5) for name in levels if name in present},
        open_beam={name: round(level, 1) for name, level in levels.items() if name in present},
        saturated={name: round(plausible.saturated_share(array), 6) for name, array in present.items()},
        dead_elements=sorted({dead for flat in corrected.flats.values() for dead in flat.dead})[:_MOST_DEAD],
    )


def _open_beam(corrected: Corrected, channel: Channel) -> float | None:
    """Mean counts of the open beam over the dark level; None where it was not seen."""
    flat = corrected.flats[channel]
    gain = (flat.columns if corrected.lines is Orientation.LINES_ARE_ROWS else flat.rows)[1]
    return float(np.mean(AIR / gain[gain > 0])) if flat.measured and (gain > 0).any() else None


def findings(proposals: Sequence[xray.Proposal]) -> list[Finding]:
    """Proposals as objects of a threat detection report: an ANOMALY, or a SHIELD that cannot be seen through.

    A score is no probability, so none is given.
    """
    return [
        Finding(
            number=number,
            box=(each.box.column, each.box.row, each.box.columns, each.box.rows),
            description=f"Proposal: {each.reason}",
            ability="SHIELD" if each.kind == "shield" else "NO INTERFERENCE",
            mass_g=each.mass_g,
        )
        for number, each in enumerate(proposals, 1)
    ]


def xray_report(report: Report) -> XrayReport:
    """The event of somebody else's report."""
    return XrayReport(
        made_by=report.made_by,
        alarm=report.alarm,
        algorithm=report.algorithm,
        images=list(report.images)[:MOST],
        assessed=[_assessed(finding) for finding in report.findings],
        aborted=report.aborted,
        remarks=list(report.remarks),
    )


def _assessed(finding: Finding) -> Assessed:
    sure = finding.probability if finding.probability is not None and 0 <= finding.probability <= 1 else None
    box = finding.box if finding.box is not None and min(finding.box[:2]) >= 0 and min(finding.box[2:]) >= 1 else None
    return Assessed(
        category=finding.category,
        flag=finding.flag,
        ability=finding.ability,
        probability=round(sure, 4) if sure is not None else None,
        box=_box(box) if box is not None else None,
        mass_g=finding.mass_g if finding.mass_g is not None and finding.mass_g >= 0 else None,
    )
