"""Specimens: valid by the standard, the same for the same seed, and where they say they are."""

from __future__ import annotations

from datetime import date

import cv2
import numpy as np
import pytest

from edge_agent.processing.mrz.formats import FormatName
from edge_agent.processing.mrz.parse import parse
from edge_agent.simulate.documents import FORMATS, specimen
from edge_agent.simulate.page import Image, Page, Quad, turn
from edge_agent.simulate.photograph import photograph
from edge_agent.simulate.render import render

TODAY = date(2026, 6, 1)


@pytest.mark.parametrize("name", FORMATS)
def test_every_specimen_is_a_valid_document_of_its_format(name: FormatName) -> None:
    for seed in range(50):
        made = specimen(np.random.default_rng(seed), name, today=TODAY)
        read = parse(made.lines, today=TODAY)
        assert read.valid, read.problem
        assert read.format is name
        assert read.fields.document_number == made.fields.document_number
        assert read.fields.birth_date == made.fields.birth_date
        assert read.fields.expiry_date == made.fields.expiry_date
        assert read.fields.issuing_state == "UTO"


def test_the_same_seed_makes_the_same_photograph_and_another_seed_another() -> None:
    first, again, other = (_photographed(seed) for seed in (7, 7, 8))
    assert np.array_equal(first.image, again.image)
    assert all(np.array_equal(a, b) for a, b in zip(first.quads, again.quads, strict=True))
    assert first.image.shape != other.image.shape or not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("severity", [0.0, 0.5])
def test_the_quads_frame_the_text_also_after_photographing(name: FormatName, severity: float) -> None:
    rng = np.random.default_rng(3)
    made = specimen(rng, name)
    page = photograph(render(made, rng, dpi=200), rng, severity)
    assert len(page.quads) == len(made.lines)
    for line, quad in zip(made.lines, page.quads, strict=True):
        strip = _straightened(page.image, quad, len(line))
        text, above = _contrast(strip[20:52]), _contrast(strip[:12])
        assert text > 3 * above
        # Cell by cell: every character has ink, and none of it outside its row.
        cells = strip[20:52].reshape(32, len(line), 16).transpose(1, 0, 2)
        assert min(_contrast(cell) for cell in cells) > 0.3 * text


def test_a_turned_page_keeps_its_text_in_its_quads() -> None:
    rng = np.random.default_rng(5)
    made = specimen(rng)
    page = render(made, rng)
    for quarters in range(5):
        turned = turn(page, quarters)
        for line, before, after in zip(made.lines, page.quads, turned.quads, strict=True):
            upright, from_turned = (
                _straightened(p.image, quad, len(line)) for p, quad in ((page, before), (turned, after))
            )
            assert np.abs(upright - from_turned).max() <= 2


def test_pages_have_the_sizes_of_the_standard() -> None:
    rng = np.random.default_rng(0)
    millimetres = {
        name: np.array(render(specimen(rng, name), rng, dpi=254).image.shape[1::-1]) / 10 for name in FORMATS
    }
    assert millimetres[FormatName.TD3] == pytest.approx((125, 88), abs=0.1)
    assert millimetres[FormatName.TD1] == pytest.approx((85.6, 54), abs=0.1)
    assert millimetres[FormatName.TD2] == pytest.approx((105, 74), abs=0.1)


def _photographed(seed: int) -> Page:
    rng = np.random.default_rng(seed)
    return photograph(render(specimen(rng), rng), rng)


def _straightened(image: Image, quad: Quad, length: int) -> np.ndarray:
    """One line as 72 rows, the text in rows 20 to 52, and 16 columns for each character."""
    to = np.array([(0, 20), (16 * length, 20), (16 * length, 52), (0, 52)], np.float32) - 0.5
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return cv2.warpPerspective(grey, cv2.getPerspectiveTransform(quad, to), (16 * length, 72)).astype(float)


def _contrast(area: np.ndarray) -> float:
    low, high = np.percentile(area, (5, 95))
    return float(high - low)
