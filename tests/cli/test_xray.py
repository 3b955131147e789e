"""``read xray`` and ``calibrate xray``: what a technician sees of scans and of the scanner."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from drivers.xray import health
from drivers.xray.dicos import image
from drivers.xray.piece import load
from drivers.xray.reading import Reader
from edge_agent import calibration
from edge_agent.cli import app
from edge_agent.events.xray import XrayQuality
from edge_agent.processing.xray.scan import Scan
from edge_agent.simulate.xray.piece import phantom_of
from edge_agent.simulate.xray.scanner import Detector, Scanner
from edge_agent.simulate.xray.scenes import bag
from tests.drivers.xray.scans import CHANNELS, DATA, driver

DEVICE = """name = "lane-3-xray"
driver = "xray.folder"
[settings]
folder = "in"
limits = ["steel_penetration >= 30", "noise_high <= 2"]
"""
AGENT = """[post]
country = "kz"
bcp = "kordai"
[broker]
host = "localhost"
"""


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@cache
def piece(photons: float = 20_000) -> Scan:
    return Scanner(detector=Detector(photons=photons)).scan(phantom_of(load("simulated")), 1)


def files(scan: Scan, folder: Path, name: str = "scan", study: str = "1.2.3") -> list[Path]:
    paths = []
    for channel in CHANNELS:
        path = folder / f"{name}-{channel}.dcs"
        path.write_bytes(image.write(scan, channel, study=study))
        paths.append(path)
    return paths


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration in ``config``, the state directory in ``state``."""
    (tmp_path / "config" / "devices").mkdir(parents=True)
    (tmp_path / "state").mkdir()
    (tmp_path / "config" / "agent.toml").write_text(AGENT)
    (tmp_path / "config" / "devices" / "lane-3-xray.toml").write_text(DEVICE)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path


def calibrate(post: Path, *arguments: object) -> Any:
    return run("calibrate", "xray", "lane-3-xray", "--config", post / "config", *arguments)


def test_a_pair_is_analysed_and_drawn(tmp_path: Path) -> None:
    paths = files(Scanner().scan(bag(1, hidden=True, metal_box=True).layers, 1), tmp_path)
    result = run("read", "xray", *paths, "--picture", tmp_path / "seen.png", "--json")
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    data = json.loads(line)
    assert {"shield", "organic_behind_metal"} <= {each["kind"] for each in data["proposals"]}
    assert sorted(data["files"]) == sorted(map(str, paths))
    seen = cv2.imread(str(tmp_path / "seen.png"))
    assert seen is not None
    assert seen.shape[0] > 775  # the reasons stand below
    assert (seen == (0, 0, 200)).all(axis=2).any()
    shown = run("read", "xray", *paths)
    assert "organic behind metal" in shown.stdout


def test_several_scans_are_told_apart_and_a_bad_one_makes_it_fail(tmp_path: Path) -> None:
    files(piece(), tmp_path, "a", "1.2.3")
    files(piece(), tmp_path, "b", "1.2.4")
    (tmp_path / "c.dcs").write_bytes(b"nothing" * 100)
    result = run("read", "xray", tmp_path, "--json")
    assert result.exit_code == 1
    errors = [json.loads(line)["error"] for line in result.stdout.splitlines()]
    assert len(errors) == 3
    assert sum(error is not None for error in errors) == 1
    assert run("read", "xray", tmp_path, "--picture", tmp_path / "x.png").exit_code == 2
    assert run("read", "xray", tmp_path, "--layout", "none").exit_code == 2


@pytest.mark.skipif(not DATA.exists(), reason="the real files are not here")
def test_the_real_files_are_read() -> None:
    result = run("read", "xray", DATA, "--json")
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert sorted(line.get("made_by", "scan") for line in lines) == ["machine", "scan", "scan", "scan"]


def test_a_calibration_is_kept_used_and_told_by_the_driver(post: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = post / "today.html"
    paths = files(replace(piece(), dark={}), post)  # this scanner does not say its dark level: behind lead it is seen
    result = calibrate(post, *paths, "--report", report)
    assert result.exit_code == 0, result.output
    record = calibration.load(calibration.path("lane-3-xray", post / "state"))
    assert record is not None
    assert record.values["curves"]["misfit"] < 0.01
    assert record.values["dark"]["high"] == pytest.approx(1000, abs=5)
    html = report.read_text()
    assert "steel penetration" in html
    assert "data:image/png;base64," in html
    assert "http" not in html
    monkeypatch.chdir(post / "state")
    made = driver(post / "state")
    reader = Reader("lane-3-xray", made.settings, made.layout())
    told = reader.news()
    assert told is not None
    assert isinstance(told.data, XrayQuality)
    assert told.data.verdict == "ok"
    assert {f.name: f.state for f in told.data.figures}["steel_penetration"] == "ok"
    assert reader.news() is None
    data = reader.analyse(replace(piece(), dark={}), 0.0).data
    assert data.calibrated == record.made
    assert not any("textbook" in remark for remark in data.remarks)


def test_every_days_check_leaves_the_curves_alone_and_fails_beyond_a_limit(post: Path) -> None:
    good, weak = (post / name for name in ("good", "weak"))
    good.mkdir()
    weak.mkdir()
    paths = files(piece(), good)
    for _ in range(6):
        assert calibrate(post, "--check", *paths).exit_code == 0
    assert calibration.load(calibration.path("lane-3-xray", post / "state")) is None
    result = calibrate(post, "--check", "--json", *files(piece(photons=5000), weak))
    assert result.exit_code == 1
    quality = XrayQuality.model_validate_json(result.stdout)
    states = {figure.name: figure.state for figure in quality.figures}
    assert quality.verdict == states["noise_high"] == "outside"
    assert states["wire_awg36_cnr"] == "drifting"
    assert states["dark_high"] == "ok"
    assert len(health.load(health.history_of("lane-3-xray", post / "state"))) == 7


def test_a_calibration_that_does_not_fit_is_refused_with_the_reason(post: Path) -> None:
    scan = piece()
    assert scan.low is not None
    alike = replace(scan, low=(scan.high * 0.999).astype(np.uint16))  # type: ignore[operator]  # it has both
    result = calibrate(post, *files(alike, post))
    assert result.exit_code == 1
    assert "refused" in result.output
    assert calibration.load(calibration.path("lane-3-xray", post / "state")) is None
    empty = replace(scan, low=scan.low[:50], high=scan.high[:50])  # type: ignore[index]  # it has both
    result = calibrate(post, *files(empty, post, "empty"))
    assert result.exit_code == 1
    assert "Nothing lies in the beam" in result.output
    assert calibrate(post, post / "none.dcs").exit_code == 1
    assert run("calibrate", "xray", "lane-9", post / "x", "--config", post / "config").exit_code == 2
