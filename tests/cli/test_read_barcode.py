"""edge-agent read barcode, as a program and a person call it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge_agent.cli.read import app
from edge_agent.simulate.papers import drawn, page

runner = CliRunner()


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    image = page([drawn("Code128", "CSQU3054383"), drawn("QRCode", "[/] ключ")], angle=15, rng=np.random.default_rng(1))
    cv2.imwrite(str(tmp_path / "papers.png"), image)
    return tmp_path / "papers.png"


def test_codes_and_what_they_mean_as_json(papers: Path) -> None:
    text = papers.with_name("text.jpg")
    text.write_text("no picture")
    result = runner.invoke(app, ["barcode", "--json", str(papers), str(text), str(papers.with_name("missing"))])
    read, *bad = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 1
    assert read["error"] is None
    assert [(code["text"], code["standard"]) for code in read["codes"]] == [
        ("CSQU3054383", "ISO 6346"),
        ("[/] ключ", ""),
    ]
    assert read["codes"][0]["containers"] == ["CSQU3054383"]
    assert [each["codes"] for each in bad] == [[], []]
    assert bad[1]["error"] == "No such file or directory."


def test_for_people_with_a_picture(papers: Path) -> None:
    seen = papers.with_name("seen.png")
    result = runner.invoke(app, ["barcode", "--picture", str(seen), str(papers)])
    assert result.exit_code == 0
    assert "container CSQU3054383, check digit right" in result.stdout
    assert "[/] ключ" in result.stdout
    assert cv2.imread(str(seen)) is not None
    assert runner.invoke(app, ["barcode", "--picture", str(seen), str(papers), str(papers)]).exit_code == 2
    assert runner.invoke(app, ["barcode", "--picture", str(seen.with_suffix(".xyz")), str(papers)]).exit_code == 2
