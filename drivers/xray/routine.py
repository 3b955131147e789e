"""The daily routine: a scan of the test piece becomes figures, and where it is wanted the scanner's calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from drivers.xray import health
from drivers.xray.settings import XraySettings
from edge_agent.calibration import Calibration as Record
from edge_agent.events.xray import XrayQuality
from edge_agent.processing.xray import calibration as curves
from edge_agent.processing.xray.correct import correct
from edge_agent.processing.xray.piece import Piece
from edge_agent.processing.xray.quality import Health, PieceError, measure
from edge_agent.processing.xray.scan import Channel, Scan, ScanError


def known(record: Record | None) -> curves.Calibration | None:
    """The material curves of a calibration; None if there are none.

    Raises:
        CalibrationError: they are damaged (``edge_agent.processing.xray.calibration``).
    """
    values = record.values.get("curves") if record is not None else None
    return curves.from_dict(values) if isinstance(values, dict) else None


def with_dark(scan: Scan, record: Record | None) -> Scan:
    """A scan with the dark levels of the calibration, where neither the scanner nor its layout says them."""
    levels = record.values.get("dark") if record is not None else None
    if scan.dark or not isinstance(levels, dict):
        return scan
    return replace(scan, dark={Channel(name): float(level) for name, level in levels.items()})


def examine(
    scan: Scan, piece: Piece, record: Record | None, history: Sequence[XrayQuality], settings: XraySettings
) -> tuple[Health, XrayQuality]:
    """Take the figures of a scan of the test piece and judge them.

    Raises:
        ScanError: it is not a scan of the test piece.
    """
    scan = with_dark(scan, record)
    gains = record.values.get("gains", {}) if record is not None else {}
    before = {name: tuple(profile) for name, profile in gains.items()} if isinstance(gains, dict) else {}
    curve = known(record) or curves.nominal()
    try:
        found = measure(scan, correct(scan), piece, curve, gains=before)
        if not scan.dark and found.dark:  # behind lead it has been seen
            scan = replace(scan, dark={Channel(name): level for name, level in found.dark.items()})
            found = measure(scan, correct(scan), piece, curve, gains=before)
    except PieceError as error:
        raise ScanError("not-the-test-piece", str(error)) from None
    return found, health.judge(found.figures, history, settings.limits, fixture=piece.name)


def calibrate(found: Health, piece: Piece, *, highest_kev: float) -> Record:
    """A calibration from the wedges of the test piece.

    Raises:
        CalibrationError: it does not fit, with the reason (``edge_agent.processing.xray.calibration``).
    """
    if not found.readings:
        raise curves.CalibrationError("material curves need both energies, and wedges in the test piece")
    fitted = curves.fit(found.readings, highest_kev=highest_kev)
    steps: list[dict[str, Any]] = [
        {"material": r.material, "thickness_mm": r.thickness_mm, "low": round(r.low, 7), "high": round(r.high, 7)}
        for r in found.readings
    ]
    figures = {figure.name: round(figure.value, 6) for figure in found.figures if figure.value is not None}
    return Record(
        fixture=piece.name,
        readings={"step": steps, "figures": figures},
        values={
            "curves": fitted.as_dict(),
            "gains": {name: list(profile) for name, profile in found.gains.items()},
            "dark": dict(found.dark),
        },
    )
