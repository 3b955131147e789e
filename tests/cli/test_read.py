"""edge-agent read, as a program and a person call it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from typer.testing import CliRunner

from edge_agent.cli.read import app
from edge_agent.simulate.documents import specimen
from edge_agent.simulate.render import render

TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n"
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<\n"
KEYS = ["file", "format", "lines", "fields", "checks", "valid", "confidence", "ms", "error"]
runner = CliRunner()


def test_text_zones_separated_by_empty_lines() -> None:
    result = runner.invoke(app, ["mrz", "--json"], input=f"\n{TD3}\n \n\n{TD1}")
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 0
    assert list(first) == KEYS
    assert (first["format"], second["format"]) == ("TD3", "TD1")
    assert first["valid"]
    assert second["valid"]
    assert first["fields"]["surname"] == "ERIKSSON"
    assert first["checks"]["composite"] == "passed"
    assert first["error"] is None


def test_one_bad_zone_makes_the_exit_code_1_and_says_why() -> None:
    result = runner.invoke(app, ["mrz", "--json"], input=TD3.replace("7408122", "7408123") + "\nrubbish [/]\n")
    wrong, rubbish = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 1
    assert "birth date" in wrong["error"]
    assert not rubbish["valid"]


def test_nothing_in_nothing_out() -> None:
    result = runner.invoke(app, ["mrz", "--json"], input="\n\n")
    assert (result.exit_code, result.stdout) == (0, "")


def test_for_people_the_fields_and_checks_are_listed() -> None:
    result = runner.invoke(app, ["mrz"], input=TD3 + "\nrubbish [/]\n")
    assert "ANNA MARIA" in result.stdout
    assert "check composite" in result.stdout
    assert "rubbish[/]" in result.stdout


def test_pictures_and_files_that_are_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    made = specimen(rng)
    page, text, missing = tmp_path / "page 1.png", tmp_path / "text.jpg", tmp_path / "missing.jpg"
    page.write_bytes(cv2.imencode(".png", render(made, rng, dpi=200).image)[1].tobytes())
    text.write_text("no picture")
    result = runner.invoke(app, ["passport", "--json", str(page), str(text), str(missing), str(tmp_path)])
    read, *bad = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 1
    assert list(read) == list(bad[0]) == KEYS
    assert read["file"] == str(page)
    assert read["lines"][1] == made.lines[1]
    assert read["ms"] > 0
    assert [each["error"] for each in bad] == [
        "This is not a picture in one of the formats JPEG, PNG, TIFF, BMP, WEBP.",
        "No such file or directory.",
        "Is a directory.",
    ]


def test_the_page_with_what_was_read_as_a_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    page, seen = tmp_path / "page.png", tmp_path / "seen.png"
    page.write_bytes(cv2.imencode(".png", render(specimen(rng), rng, dpi=200).image)[1].tobytes())
    runner.invoke(app, ["passport", "--json", "--picture", str(seen), str(page)])
    drawn = cv2.imread(str(seen))
    assert drawn is not None
    assert drawn.shape[1] >= 1200
    assert runner.invoke(app, ["passport", "--picture", str(seen), str(page), str(page)]).exit_code == 2
    assert runner.invoke(app, ["passport", "--picture", str(tmp_path / "seen.xyz"), str(page)]).exit_code == 2
