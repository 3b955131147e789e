"""The scanner's health over time: limits, drift and trend; and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drivers.xray import health
from edge_agent.events.xray import Figure, XrayQuality
from edge_agent.processing.xray.quality import Measured

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)


def history(values: Sequence[float], name: str = "noise_high") -> list[XrayQuality]:
    kept: list[XrayQuality] = []
    for day, value in enumerate(values):
        when = NOW - timedelta(days=len(values) - day)
        kept.append(health.judge([Measured(name, value)], kept, [], fixture="piece", now=when))
    return kept


def judged(value: float | None, before: Sequence[float] = (), limits: Sequence[str] = ()) -> Figure:
    quality = health.judge([Measured("noise_high", value)], history(before), limits, fixture="piece", now=NOW)
    (figure,) = quality.figures
    assert quality.verdict == figure.state
    return figure


STEADY = [1.50, 1.52, 1.49, 1.51, 1.50, 1.48, 1.51]


@pytest.mark.parametrize(
    ("value", "before", "limits", "state"),
    [
        (1.5, [], [], "unknown"),
        (1.5, [], ["noise_high <= 2"], "ok"),
        (2.5, [], ["noise_high <= 2"], "outside"),
        (0.5, [], ["noise_high >= 1", "noise_high <= 2"], "outside"),
        (1.51, STEADY, [], "ok"),
        (1.9, STEADY, [], "drifting"),
        (1.9, STEADY[:3], [], "unknown"),
        (None, STEADY, [], "outside"),
        (None, [], [], "unknown"),
        (1.9, [1.0 + 0.1 * day for day in range(9)], ["noise_high <= 3"], "drifting"),
    ],
)
def test_a_figure_is_judged_by_the_sites_limits_and_by_its_own_past(
    value: float | None, before: list[float], limits: list[str], state: str
) -> None:
    assert judged(value, before, limits).state == state


def test_the_trend_is_that_of_most_days_and_not_of_one() -> None:
    values = [1.0 + 0.01 * day for day in range(20)]
    values[7] = 9.0
    assert judged(1.2, values).per_month == pytest.approx(0.3, rel=0.1)
    assert judged(1.0, values[:3]).per_month is None


def test_figures_of_another_test_piece_are_no_history() -> None:
    quality = health.judge([Measured("noise_high", 9.0)], history(STEADY), [], fixture="another", now=NOW)
    assert quality.figures[0].before is None
    assert quality.verdict == "unknown"


def test_what_is_kept_comes_back_and_is_bounded_and_damage_costs_a_line(tmp_path: Path) -> None:
    file = health.history_of("lane-3-xray", tmp_path)
    kept = history(STEADY)
    for quality in kept:
        health.add(file, quality)
    health.add(file, kept[-1])  # told twice, as after a power failure
    assert health.load(file) == kept
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([lines[0][:30], *lines[1:]]))
    assert health.load(file) == kept[1:]
    file.write_bytes(b"\n".join(lines[:1] * (health.MOST_KEPT + 50)))
    health.add(file, kept[-1])
    assert len(health.load(file)) == health.MOST_KEPT
    assert health.load(tmp_path / "none") == []
