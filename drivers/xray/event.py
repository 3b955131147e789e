"""From a scan and what was made of it to the events that are published."""

from __future__ import annotations

from drivers.xray.dicos.report import Finding, Report
from edge_agent import __version__
from edge_agent.events.xray import Assessed, Box, ScanQuality, XrayReport
from edge_agent.processing.xray import plausible
from edge_agent.processing.xray.correct import Corrected
from edge_agent.processing.xray.scan import Channel, Scan

ENGINE = f"edge-agent {__version__}"
MOST_REMARKS = 30
_COUNTS = (Channel.LOW, Channel.HIGH, Channel.SINGLE)


def channels(scan: Scan) -> list[str]:
    """The names of the channels that a scan has."""
    return [channel.value for channel in Channel if getattr(scan, channel.value) is not None]


def scan_quality(scan: Scan, corrected: Corrected) -> ScanQuality:
    """What a scan says of its scanner."""
    counts = {channel.value: getattr(scan, channel.value) for channel in _COUNTS}
    present = {name: array for name, array in counts.items() if array is not None}
    dead = sorted({element for flat in corrected.flats.values() for element in flat.dead})
    return ScanQuality(
        saturated={name: round(plausible.saturated_share(array), 6) for name, array in present.items()},
        dead_elements=dead[:1000],
    )


def xray_report(report: Report) -> XrayReport:
    """The event of somebody else's report."""
    return XrayReport(
        made_by=report.made_by,
        alarm=report.alarm,
        algorithm=report.algorithm,
        images=list(report.images),
        assessed=[_assessed(finding) for finding in report.findings],
        aborted=report.aborted,
        remarks=list(report.remarks),
    )


def _assessed(finding: Finding) -> Assessed:
    known = finding.probability is not None and 0 <= finding.probability <= 1
    return Assessed(
        category=finding.category,
        flag=finding.flag,
        ability=finding.ability,
        probability=round(finding.probability, 4) if known and finding.probability is not None else None,
        box=_box(finding.box) if finding.box is not None else None,
        mass_g=finding.mass_g if finding.mass_g is not None and finding.mass_g >= 0 else None,
    )


def _box(box: tuple[int, int, int, int]) -> Box | None:
    column, row, columns, rows = box
    if min(column, row) < 0 or min(columns, rows) < 1:
        return None
    return Box(column=column, row=row, columns=columns, rows=rows)
