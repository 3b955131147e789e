"""What ordinary scans say of the scanner: told once, when it stays so, and once more when it is over."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.xray.watching import Watch
from edge_agent.calibration import Calibration
from edge_agent.events.xray import ScanQuality, XrayQuality

FIGURES = {"open_beam_high": 51_000.0, "dark_high": 1000.0, "noise_high": 1.5, "dead_elements_high": 1.0}
CALIBRATED = Calibration(by="me", fixture="piece", readings={"figures": FIGURES}, values={})


def quality(open_beam: float = 50_000, noise: float = 0.015, dead: Sequence[int] = (7,)) -> ScanQuality:
    return ScanQuality(open_beam={"high": open_beam}, noise={"high": noise}, dead_elements=list(dead))


def told(watch: Watch, scans: Sequence[ScanQuality], calibration: Calibration | None = CALIBRATED) -> list[XrayQuality]:
    return [found for scan in scans if (found := watch.look(scan, calibration)) is not None]


def test_a_scanner_that_stays_as_it_was_calibrated_says_nothing() -> None:
    assert told(Watch([]), [quality(), quality(48_000, 0.017), quality(noise=0.001, dead=[])] * 5) == []
    assert told(Watch([]), [quality(noise=0.001, dead=[])] * 9) == []


def test_what_changes_is_told_once_when_it_stays_and_once_when_it_is_over() -> None:
    watch = Watch([])
    assert (
        told(watch, [quality(40_000), quality(), quality(40_000), quality()]) == []
    )  # what was scanned, not the scanner
    (event,) = told(watch, [quality(40_000)] * 6)
    states = {figure.name: figure.state for figure in event.figures}
    assert event.verdict == "drifting"
    assert states == {"open_beam_high": "drifting", "noise_high": "ok", "dead_elements": "ok"}
    (over,) = told(watch, [quality()] * 6)
    assert over.verdict == "ok"


def test_new_dead_elements_and_the_sites_limits_are_told() -> None:
    (dead,) = told(Watch([]), [quality(dead=[7, 8])] * 3)
    assert [figure.name for figure in dead.figures if figure.state == "drifting"] == ["dead_elements"]
    (loud,) = told(Watch(["noise_high <= 2"]), [quality(noise=0.021)] * 3, None)
    assert loud.verdict == "outside"


def test_without_open_beam_calibration_or_limits_there_is_nothing_to_say() -> None:
    assert told(Watch([]), [ScanQuality()] * 5) == []
    assert told(Watch([]), [quality(noise=0.9)] * 5, None) == []
