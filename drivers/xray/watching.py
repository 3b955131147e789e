"""The scanner's health between two tests: what every ordinary scan says of it by its open beam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from drivers.xray.health import LIMITLESS, beyond, parse, worst
from edge_agent.calibration import Calibration
from edge_agent.events.xray import Figure, ScanQuality, XrayQuality

FIXTURE: Final = "open beam of ordinary scans"
IN_A_ROW: Final = 3
"""Scans that have to say the same before it is told: one alone may be the fault of what was scanned."""
_CHANGES: Final = {"open_beam": 0.1, "noise": 0.5, "dead_elements": 0.0}
"""Relative change against the calibration from which a figure is drifting; less noise is none."""


class Watch:
    """Follows the open beam from scan to scan, and speaks when something has changed for good."""

    def __init__(self, limits: Sequence[str]) -> None:
        self._limits = parse(limits)
        self._told: tuple[str, ...] = ()
        self._seen: tuple[str, ...] = ()
        self._times = 0

    def look(self, quality: ScanQuality, calibration: Calibration | None) -> XrayQuality | None:
        """An event if what is beyond its limit, or far from the calibration, has changed; None if nothing has."""
        before = known(calibration)
        figures = [self._figure(name, value, before.get(name)) for name, value in measured(quality).items()]
        seen = tuple(f"{figure.name} {figure.state}" for figure in figures if figure.state in {"drifting", "outside"})
        self._times = self._times + 1 if seen == self._seen else 1
        self._seen = seen
        if self._times < IN_A_ROW or seen == self._told:
            return None
        self._told = seen
        return XrayQuality(verdict=worst(figures), fixture=FIXTURE, measured=datetime.now(UTC), figures=figures)

    def _figure(self, name: str, value: float, before: float | None) -> Figure:
        limit = self._limits.get(name, LIMITLESS)
        note = beyond(value, limit)
        change = next(change for start, change in _CHANGES.items() if name.startswith(start))
        worse = abs(value - (before or 0)) if name.startswith("open_beam") else value - (before or 0)
        if note:
            state = "outside"
        elif before is not None and worse > change * abs(before):
            state, note = "drifting", f"was {before:.4g} when the scanner was calibrated"
        else:
            state = "ok" if before is not None or limit != LIMITLESS else "unknown"
        return Figure(name=name, value=value, least=limit.least, most=limit.most, before=before, state=state, note=note)


def measured(quality: ScanQuality) -> dict[str, float]:
    """The figures of a scan, by the names that the test piece's have; the open beam is that over the dark level."""
    figures = {f"open_beam_{channel}": level for channel, level in quality.open_beam.items()}
    figures |= {f"noise_{channel}": round(noise * 100, 3) for channel, noise in quality.noise.items()}
    return figures | ({"dead_elements": float(len(quality.dead_elements))} if quality.open_beam else {})


def known(calibration: Calibration | None) -> dict[str, float]:
    """What these figures were when the scanner was calibrated."""
    said = calibration.readings.get("figures") if calibration is not None else None
    figures: Mapping[str, float] = said if isinstance(said, dict) else {}
    before = {name: value for name, value in figures.items() if name.startswith("noise_")}
    for name, level in figures.items():
        channel = name.removeprefix("open_beam_")
        if channel != name:
            before[name] = level - figures.get(f"dark_{channel}", 0.0)
    dead = [value for name, value in figures.items() if name.startswith("dead_elements_")]
    return before | ({"dead_elements": max(dead)} if dead else {})
