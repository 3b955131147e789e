"""Reading pages: every one that is printed well, and nothing where there is nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.processing.mrz.formats import FormatName
from edge_agent.processing.mrz.page import NOTHING_FOUND, engine, read_page
from edge_agent.processing.mrz.parse import parse
from edge_agent.simulate.documents import FORMATS, Specimen, specimen
from edge_agent.simulate.page import Page, turn
from edge_agent.simulate.photograph import photograph
from edge_agent.simulate.render import render


def _page(seed: int, name: FormatName = FormatName.TD3, dpi: float = 150) -> tuple[Specimen, Page]:
    rng = np.random.default_rng(seed)
    made = specimen(rng, name)
    return made, photograph(render(made, rng, dpi=dpi), rng, 0.15)


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("quarters", range(4))
def test_every_format_is_read_whichever_way_up(name: FormatName, quarters: int) -> None:
    made, page = _page(quarters, name)
    reading = read_page(turn(page, quarters).image)
    assert reading.lines == made.lines
    assert parse(reading.lines).valid
    assert reading.confidence > 0.9
    # No check digit of a visa covers its optional data, where 0 and O may both stand.
    assert reading.problem is None or name in {FormatName.MRV_A, FormatName.MRV_B}
    assert [len(line) for line in reading.probabilities] == [len(line) for line in made.lines]


def test_the_lines_are_found_where_they_are() -> None:
    _, page = _page(3)
    reading = read_page(page.image)
    for found, true in zip(reading.quads, page.quads, strict=True):
        pitch = np.linalg.norm(true[1] - true[0]) / 44
        assert np.abs(found - true).max() < 0.35 * pitch


def _from_a_corner(seed: int, tilt: float) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """The lines of a photographed page, and the page with its corners moved by up to 16 % of its width, times tilt."""
    rng = np.random.default_rng((5, seed))
    made = specimen(rng, list(FORMATS)[seed % len(FORMATS)])
    image = photograph(render(made, rng), rng, 0.2).image
    height, width = image.shape[:2]
    corners = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    moved = np.array(((0.0, 0.0), (0.0, 0.12), (0.14, 0.14), (0.16, 0.0)), np.float32)
    matrix = cv2.getPerspectiveTransform(corners, corners + tilt * moved * width + 60)
    page = cv2.warpPerspective(image, matrix, (width + 250, height + 240), borderValue=(60, 60, 60))
    return made.lines, np.asarray(page, np.uint8)


@pytest.mark.parametrize("seed", range(10))
def test_a_page_seen_from_a_corner_is_read(seed: int) -> None:
    lines, page = _from_a_corner(seed, 0.5)
    assert read_page(page).lines == lines


def test_of_pages_seen_from_far_to_the_side_some_are_read_and_none_wrongly() -> None:
    exact = 0
    for seed in range(20):
        lines, page = _from_a_corner(seed, 1.0)
        reading = read_page(page)
        exact += reading.lines == lines
        assert reading.lines == lines or reading.problem or not parse(reading.lines).valid
    assert exact >= 7


def test_light_print_on_dark_ground_is_read() -> None:
    made, page = _page(8)
    assert read_page(255 - page.image).lines == made.lines


def test_grey_pictures_are_read_as_well() -> None:
    made, page = _page(4)
    assert read_page(page.image.mean(axis=2).astype(np.uint8)).lines == made.lines


@pytest.mark.parametrize("shape", [(400, 600, 3), (400, 600), (1, 1), (3, 2000), (2000, 3, 3)])
def test_where_there_is_no_zone_nothing_is_read(shape: tuple[int, ...]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for image in (noise, np.zeros(shape, np.uint8)):
        reading = read_page(image)
        assert reading.lines == ()
        assert reading.confidence == 0
        assert reading.problem == NOTHING_FOUND


def test_a_reflection_over_the_zone_is_named() -> None:
    _, page = _page(5)
    image, quad = page.image.copy(), page.quads[1]
    x, y = (quad[0] * 0.6 + quad[2] * 0.4).astype(int)
    reach = int(np.linalg.norm(quad[3] - quad[0]))
    image[y - 2 * reach : y + 2 * reach, x - 3 * reach : x + 3 * reach] = 255
    reading = read_page(image)
    assert reading.confidence < 0.9
    assert "line 2" in (reading.problem or "")
    assert "reflection" in (reading.problem or "")


def test_a_page_on_which_a_character_is_too_small_says_so() -> None:
    _, page = _page(6, dpi=38)
    reading = read_page(page.image)
    assert reading.lines == () or "pixels high" in (reading.problem or "")


def test_the_engine_has_a_version() -> None:
    assert engine().startswith("edge-agent ")
