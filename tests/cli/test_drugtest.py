"""``read drugtest`` and ``calibrate colourtest``, as people and programs call them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from edge_agent import calibration
from edge_agent.cli import app
from edge_agent.processing.colourtest.card import nominal_labs
from edge_agent.processing.colourtest.colour import D50, D65, adapt, lab_of_xyz, xyz_of_lab
from edge_agent.simulate.ampoule import jpeg
from tests.processing.colourtest.scenes import COCAINE, picture

runner = CliRunner()
EXAMPLE = Path(__file__).parents[2] / "config"
DEVICE = "lane-1-colourtest"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "ampoule.jpg"
    path.write_bytes(jpeg(picture()))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    labs = {name: lab_of_xyz(adapt(xyz_of_lab(lab), D65, D50), D50) for name, lab in nominal_labs().items()}
    path = tmp_path / "card.csv"
    path.write_text("patch,L,a,b\n" + "".join(f"{name},{lab[0]},{lab[1]},{lab[2]}\n" for name, lab in labs.items()))
    return path


def test_json_is_one_object_for_each_file(photo: Path, table: Path) -> None:
    result = runner.invoke(
        app, ["read", "drugtest", "-r", "A.5", "--seconds", "80", "--card", str(table), "--json", str(photo)]
    )
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["verdict"] == "consistent"
    assert said["presumptive"] is True
    assert said["card"]["measured"] is True
    assert "d-Amphetamine HCl" in said["consistent_with"]


def test_people_are_told_that_it_is_presumptive(photo: Path) -> None:
    result = runner.invoke(app, ["read", "drugtest", "-r", "A.5", str(photo)])
    assert result.exit_code == 0
    assert "consistent with" in result.stdout
    assert "presumptive" in result.stdout
    assert "detected" not in result.stdout


def test_a_picture_shows_what_was_found(photo: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "seen.png"
    assert runner.invoke(app, ["read", "drugtest", "-r", "A.5", "-p", str(drawn), str(photo)]).exit_code == 0
    image = cv2.imread(str(drawn))
    assert image is not None
    assert image.shape[1] == 1400


def test_several_files_are_the_steps_of_a_test_in_steps(tmp_path: Path) -> None:
    files = []
    for number, colour in enumerate((COCAINE, (70.0, 25.0, 5.0), COCAINE)):
        files.append(tmp_path / f"{number}.jpg")
        files[-1].write_bytes(jpeg(picture(colour)))
    command = ["read", "drugtest", "-r", "scott", "--seconds", "80", "--json", *map(str, files)]
    result = runner.invoke(app, command)
    assert [json.loads(line)["verdict"] for line in result.stdout.splitlines()][-1] == "consistent"
    assert result.exit_code == 0
    assert runner.invoke(app, command[:-1]).exit_code == 1


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    result = runner.invoke(app, ["read", "drugtest", "--json", str(tmp_path / "x.jpg"), str(tmp_path / "none")])
    assert result.exit_code == 1
    assert all(json.loads(line)["error"] for line in result.stdout.splitlines())


@pytest.mark.parametrize(
    "arguments", [["-r", "A.13", "x"], ["-p", "o.png", "x", "y"], ["--illuminant", "A", "--card", "c", "x"]]
)
def test_wrong_arguments_are_usage_errors(arguments: list[str]) -> None:
    assert runner.invoke(app, ["read", "drugtest", *arguments]).exit_code == 2


@pytest.mark.parametrize(("name", "start"), [("card.pdf", b"%PDF"), ("card.png", b"\x89PNG")])
def test_the_card_is_written_to_be_printed(tmp_path: Path, name: str, start: bytes) -> None:
    result = runner.invoke(app, ["calibrate", "colourtest", "--print-card", str(tmp_path / name)])
    assert result.exit_code == 0
    assert (tmp_path / name).read_bytes().startswith(start)
    assert runner.invoke(app, ["calibrate", "colourtest", "--print-card", str(tmp_path / "card.doc")]).exit_code == 2


@pytest.fixture
def config(tmp_path: Path) -> Path:
    copied = tmp_path / "config"
    shutil.copytree(EXAMPLE, copied)
    return copied


def test_a_measured_print_is_kept(table: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    command = ["calibrate", "colourtest", DEVICE, "--measured", str(table), "--card", "7", "-c", str(config)]
    result = runner.invoke(app, command)
    assert result.exit_code == 0, result.output
    kept = calibration.load(calibration.path(DEVICE, tmp_path / "state"))
    assert kept is not None
    assert kept.fixture == "reference card 7"
    assert kept.values["red"] == pytest.approx(nominal_labs()["red"], abs=0.01)
    table.write_text(table.read_text().replace("\nred,", "\nblood,"))
    refused = runner.invoke(app, command)
    assert refused.exit_code == 1
    assert "no row for red" in " ".join(refused.output.split())
    assert calibration.load(calibration.path(DEVICE, tmp_path / "state")) == kept


@pytest.mark.parametrize("arguments", [[], ["--measured", "c.csv"], ["--print-card", "a.pdf", "--measured", "b"]])
def test_calibrate_wants_one_thing_at_a_time(arguments: list[str]) -> None:
    assert runner.invoke(app, ["calibrate", "colourtest", *arguments]).exit_code == 2
