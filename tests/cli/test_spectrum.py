"""Spectra on the command line: read, compared, calibrated, collected."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge_agent import calibration
from edge_agent.cli import app
from edge_agent.simulate.spectra import X, as_measured, jcamp, made_up, polystyrene

runner = CliRunner()
OFF = 5.0


def write(path: Path, name: str, bands: np.ndarray, seed: int = 0) -> Path:
    path.write_bytes(jcamp(name, X, as_measured(bands, np.random.default_rng(seed))))
    return path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of eight, a film, a sample, a configuration with a spectrometer."""
    (tmp_path / "spectra").mkdir()
    for seed in range(8):
        write(tmp_path / "spectra" / f"{seed}.jdx", f"sugar {seed}", made_up("x", seed).bands(X), seed)
    write(tmp_path / "film.jdx", "film", polystyrene().bands(X + OFF))
    write(tmp_path / "sample.jdx", "sample", made_up("x", 3).bands(X + OFF))
    (tmp_path / "config" / "devices").mkdir(parents=True)
    (tmp_path / "state").mkdir()
    (tmp_path / "config" / "agent.toml").write_text(
        f'state_directory = "{tmp_path / "state"}"\n[post]\ncountry = "kz"\nbcp = "kordai"\n[broker]\nhost = "127.0.0.1"\n'
    )
    (tmp_path / "config" / "devices" / "lane-1-raman.toml").write_text(
        'name = "lane-1-raman"\ndriver = "drugkit.spectrum"\n[settings]\nfolder = "in"\ntechnique = "raman"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(licence: str = "own work") -> list[str]:
    return ["library", "import", "spectra", "lib", "--technique", "raman", "--licence", licence]


def test_a_library_is_made_listed_and_searched(site: Path) -> None:
    (site / "spectra" / "odd.txt").write_text("nothing")
    result = runner.invoke(app, made())
    assert result.exit_code == 0, result.output
    assert "left out odd.txt" in result.stdout
    assert "8 raman spectra" in result.stdout
    listed = runner.invoke(app, ["library", "list", "lib", "--json"])
    assert {json.loads(line)["licence"] for line in listed.stdout.splitlines()} == {"own work"}
    assert "8 substances" in " ".join(runner.invoke(app, ["library", "list", "lib"]).stdout.split())
    found = runner.invoke(app, ["library", "search", "lib", "spectra/3.jdx", "--json"])
    assert json.loads(found.stdout.splitlines()[0])["name"] == "sugar 3"
    assert json.loads(runner.invoke(app, [*made(), "--json"]).stdout)["left_out"][0]["file"] == "odd.txt"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (made(licence=""), "no licence"),
        (["library", "list", "film.jdx"], "is no library"),
        (["library", "search", "missing", "film.jdx"], "library import"),
        (["library", "import", "nowhere", "lib", "--technique", "raman"], "no folder"),
    ],
)
def test_what_is_wrong_with_a_library_is_said(site: Path, arguments: list[str], says: str) -> None:
    result = runner.invoke(app, arguments)
    assert result.exit_code == 1
    assert says in " ".join(result.output.split())


def test_a_spectrum_is_read_compared_and_drawn(site: Path) -> None:
    runner.invoke(app, made())
    with_library = ["read", "spectrum", "sample.jdx", "--library", "lib"]
    unchecked = runner.invoke(app, with_library)
    assert unchecked.exit_code == 1
    assert "never checked" in unchecked.stdout
    checked = runner.invoke(app, [*with_library, "--polystyrene", "film.jdx", "--json", "--picture", "out.png"])
    said = json.loads(checked.stdout)
    assert (checked.exit_code, said["verdict"], said["consistent_with"]) == (0, "match", ["sugar 3"])
    picture = cv2.imread("out.png")
    assert picture is not None
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
    shown = runner.invoke(app, [*with_library, "--polystyrene", "film.jdx"]).stdout
    assert "consistent with: sugar 3" in shown
    assert "presumptive" in shown


def test_what_cannot_be_read_is_said_and_the_others_are_read(site: Path) -> None:
    (site / "odd.txt").write_text("nothing")
    result = runner.invoke(app, ["read", "spectrum", "odd.txt", "missing.jdx", "sample.jdx", "--json"])
    odd, missing, sample = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 1
    assert "two rows" in odd["error"]
    assert "No such file" in missing["error"]
    assert (sample["error"], sample["verdict"]) == (None, "not_compared")
    assert runner.invoke(app, ["read", "spectrum", "a", "b", "--picture", "x.png"]).exit_code == 2
    assert runner.invoke(app, ["read", "spectrum", "sample.jdx", "--library", "odd.txt"]).exit_code == 2


def calibrate(file: str, *options: str) -> tuple[int, str]:
    result = runner.invoke(app, ["calibrate", "spectrum", "lane-1-raman", file, "--config", "config", *options])
    return result.exit_code, " ".join(result.output.split())


def test_polystyrene_is_measured_shown_and_kept(site: Path) -> None:
    kept = calibration.path("lane-1-raman", site / "state")
    code, said = calibrate("film.jdx", "--dry-run", "--picture", "film.png")
    assert code == 0, said
    assert "1001.4" in said
    assert "-5.0" in said or "-4.9" in said or "-5.1" in said
    assert not kept.exists()
    assert (site / "film.png").stat().st_size > 1000
    code, said = calibrate("film.jdx", "--fixture", "film 7")
    assert code == 0, said
    found = calibration.load(kept)
    assert found is not None
    assert found.fixture == "film 7"
    assert found.readings["worst"] == pytest.approx(OFF, abs=1)
    again = runner.invoke(app, made())
    assert again.exit_code == 0
    compared = runner.invoke(app, ["read", "spectrum", "sample.jdx", "--library", "lib", "--calibration", str(kept)])
    assert compared.exit_code == 0


@pytest.mark.parametrize(
    ("file", "says"), [("sample.jdx", "not look like polystyrene"), ("config/agent.toml", "refused")]
)
def test_a_bad_calibration_is_refused_with_the_reason(site: Path, file: str, says: str) -> None:
    code, said = calibrate(file)
    assert (code, calibration.path("lane-1-raman", site / "state").exists()) == (1, False)
    assert says in said
