"""PassportEye with the real Tesseract, and what becomes of its troubles."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from drivers.passport import second_opinion
from drivers.passport.second_opinion import ReaderError
from edge_agent.simulate.documents import Specimen, specimen
from edge_agent.simulate.page import Page, turn
from edge_agent.simulate.render import render

needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")


def _page(seed: int) -> tuple[Specimen, Page]:
    rng = np.random.default_rng(seed)
    made = specimen(rng)
    return made, render(made, rng, dpi=200)


@needs_tesseract
@pytest.mark.parametrize("quarters", [0, 1])
def test_a_page_is_read_upright_and_on_its_side(quarters: int) -> None:
    made, page = _page(2)
    assert second_opinion.lines(turn(page, quarters).image)[1] == made.lines[1]


@needs_tesseract
@pytest.mark.parametrize("shape", [(400, 600, 3), (400, 600), (1, 1), (3, 2000), (2000, 3, 3)])
def test_where_there_is_no_zone_nothing_is_read(shape: tuple[int, ...]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for image in (noise, np.zeros(shape, np.uint8)):
        assert second_opinion.lines(image) == ()


def test_a_missing_tesseract_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReaderError, match="apt-get install tesseract-ocr"):
        second_opinion.lines(_page(2)[1].image)


def test_a_tesseract_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hanging = tmp_path / "tesseract"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ReaderError, match="too long"):
        second_opinion.read(_page(2)[1].image, seconds=0.5)
