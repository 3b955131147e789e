"""The scanner's health over time: each figure against the site's limits, and against what it was before.

The history is one line of JSON for each measurement in ``health/<device>.jsonl`` in the state directory: the data of
the event itself. ``edge-agent calibrate xray`` and the running driver both add to it; the driver publishes what is new
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import ValidationError

from edge_agent.durable import write
from edge_agent.events.xray import Figure, XrayQuality

if TYPE_CHECKING:
    from edge_agent.processing.xray.quality import Measured

FOLDER: Final = Path("health")
MOST_KEPT: Final = 400
MAX_BYTES: Final = 16 * 1024**2
ENOUGH: Final = 5
"""Earlier measurements that make a history."""
_LEAST_CHANGE: Final = 0.03
"""Relative: less is never called drifting."""
_MOST_DEVIATIONS: Final = 5.0
_MONTH: Final = 30.0
State = Literal["ok", "drifting", "outside", "unknown"]
_WORST: Final[tuple[State, ...]] = ("outside", "drifting", "ok", "unknown")


def history_of(device: str, state: Path = Path()) -> Path:
    """The file of a device's history; ``state`` is the state directory, where drivers are anyway."""
    return state / FOLDER / f"{device}.jsonl"


def load(file: Path) -> list[XrayQuality]:
    """The measurements that are kept, the oldest first. Damaged lines are left out."""
    try:
        with file.open("rb") as opened:
            lines = opened.read(MAX_BYTES).splitlines()
    except OSError:
        return []
    found = []
    for line in lines[-MOST_KEPT:]:
        try:
            found.append(XrayQuality.model_validate_json(line))
        except ValidationError:
            continue
    return found


def add(file: Path, quality: XrayQuality) -> None:
    """Keep one more measurement, and let the oldest go.

    Raises:
        OSError: it cannot be written.
    """
    history = [each for each in load(file) if each.measured != quality.measured]
    kept = [*history, quality][-MOST_KEPT:]
    file.parent.mkdir(mode=0o700, exist_ok=True)
    write(file, b"".join(each.model_dump_json().encode() + b"\n" for each in kept))
    if os.geteuid() == 0:  # root measures, the agent's user reads
        owner = file.parent.parent.stat()
        for path in (file.parent, file):
            os.chown(path, owner.st_uid, owner.st_gid)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure may be."""

    least: float | None = None
    most: float | None = None


LIMITLESS: Final = Limit()


def beyond(value: float, limit: Limit) -> str:
    """Which limit a figure is beyond, in words; empty if it is within."""
    if limit.least is not None and value < limit.least:
        return f"below the site's limit of {limit.least:g}"
    if limit.most is not None and value > limit.most:
        return f"over the site's limit of {limit.most:g}"
    return ""


def worst(figures: Sequence[Figure]) -> State:
    """The verdict on all figures."""
    states = {figure.state for figure in figures}
    return next((state for state in _WORST if state in states), "unknown")


def parse(limits: Sequence[str]) -> dict[str, Limit]:
    """Limits as they stand in a device's file, e.g. ``steel_penetration >= 30``, by figure."""
    found: dict[str, Limit] = {}
    for limit in limits:
        figure, sign, value = limit.split()
        side = {"least": float(value)} if sign == ">=" else {"most": float(value)}
        found[figure] = replace(found.get(figure, LIMITLESS), **side)
    return found


def judge(
    measured: Sequence[Measured],
    history: Sequence[XrayQuality],
    limits: Sequence[str],
    *,
    fixture: str,
    now: datetime | None = None,
) -> XrayQuality:
    """The event of one measurement: every figure with its limits, its history and its trend."""
    when = now or datetime.now(UTC)
    allowed = parse(limits)
    same = [each for each in history if each.fixture == fixture]
    figures = [_figure(each, same, allowed.get(each.name, LIMITLESS), when) for each in measured]
    return XrayQuality(verdict=worst(figures), fixture=fixture, measured=when, figures=figures)


def _figure(measured: Measured, history: Sequence[XrayQuality], limit: Limit, now: datetime) -> Figure:
    earlier = [
        ((each.measured - now).total_seconds() / 86400, figure.value)
        for each in history
        for figure in each.figures
        if figure.name == measured.name and figure.value is not None
    ]
    value = measured.value
    median = statistics.median(value for _, value in earlier) if earlier else None
    slope = _per_day([*earlier, (0.0, value)]) if value is not None and len(earlier) >= ENOUGH else None
    state, why = _state(value, limit, earlier, slope)
    return Figure(
        name=measured.name,
        value=_rounded(value),
        unit=measured.unit,
        least=limit.least,
        most=limit.most,
        before=_rounded(median),
        per_month=_rounded(slope * _MONTH) if slope is not None else None,
        state=state,
        note="; ".join(filter(None, (why, measured.note))),
    )


def _rounded(value: float | None) -> float | None:
    return float(f"{value:.5g}") if value is not None else None


def _state(
    value: float | None, limit: Limit, earlier: Sequence[tuple[float, float]], slope: float | None
) -> tuple[str, str]:
    limited = limit.least is not None or limit.most is not None
    if value is None:
        return ("outside", "cannot be measured any more") if limited or len(earlier) >= ENOUGH else ("unknown", "")
    if wrong := beyond(value, limit):
        return "outside", wrong
    if len(earlier) >= ENOUGH:
        values = [each for _, each in earlier]
        median = statistics.median(values)
        spread = 1.4826 * statistics.median(abs(each - median) for each in values)
        if abs(value - median) > max(_MOST_DEVIATIONS * spread, _LEAST_CHANGE * abs(median), 1e-9):
            return "drifting", f"was {median:.4g} in the last {len(values)} measurements"
        if slope is not None and limited and _reaches(value, slope, limit) and abs(slope) * _MONTH > 3 * spread:
            return "drifting", "reaches the site's limit within a month at this trend"
    return ("ok", "") if limited or len(earlier) >= ENOUGH else ("unknown", "")


def _reaches(value: float, slope: float, limit: Limit) -> bool:
    then = value + slope * _MONTH
    return (limit.least is not None and then < limit.least) or (limit.most is not None and then > limit.most)


def _per_day(points: Sequence[tuple[float, float]]) -> float | None:
    """The trend by the median of slopes (Theil 1950, Sen 1968), which single outliers do not bend."""
    recent = points[-60:]
    slopes = [
        (late[1] - early[1]) / (late[0] - early[0])
        for i, early in enumerate(recent)
        for late in recent[i + 1 :]
        if late[0] - early[0] > 0.04
    ]
    return statistics.median(slopes) if len(slopes) >= ENOUGH else None
