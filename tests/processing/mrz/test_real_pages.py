"""Real specimen pages, where they are at hand: every character, and nothing that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.processing.images import decode
from edge_agent.processing.mrz.page import read_page
from edge_agent.processing.mrz.parse import parse

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "mrz"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the specimen pages are not here")


def test_nearly_all_pages_are_read_and_none_is_valid_but_wrong() -> None:
    pages = json.loads((FOLDER / "manifest.json").read_text())
    exact = 0
    positives = [page for page in pages if page.get("mrz")]
    for page in pages:
        reading = read_page(decode((FOLDER / "images" / page["file"]).read_bytes()))
        true = tuple(page.get("mrz") or ())
        valid = bool(reading.lines) and parse(reading.lines).valid and not reading.problem
        assert not (valid and reading.lines != true), page["file"]
        assert true or not reading.lines, page["file"]
        exact += bool(true) and reading.lines == true
    assert exact >= 0.95 * len(positives)
