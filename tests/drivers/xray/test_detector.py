"""The hook for a site's own detector, with a model that the test writes itself."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from drivers.xray.dicos import image
from drivers.xray.reading import Reader
from edge_agent.driver import DriverError
from edge_agent.events.xray import Box, XrayScan
from tests.drivers.xray.onnx import model
from tests.drivers.xray.scans import CHANNELS, driver, only, scan

pytest.importorskip("onnxruntime")
from drivers.xray.detector import Detector


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "site.onnx"


def picture(darkest: int = 0) -> np.ndarray:
    view = np.full((90, 120, 3), 255, np.uint8)
    view[40:50, 60:80] = darkest
    return view


def test_boxes_come_back_in_pixels_of_the_scan(path: Path) -> None:
    path.write_bytes(model([(32, 16, 48, 32)], label=1))
    (found,) = Detector(path, ["gun", "knife"], 0.5).detect(picture())
    assert found.label == "knife"
    assert found.score == 1.0
    assert found.box == (60, 30, 30, 30)  # 120 columns are 64 pixels of the input


def test_what_is_not_sure_enough_or_no_box_at_all_is_left_out(path: Path) -> None:
    path.write_bytes(model([(1, 1, 9, 9)]))
    assert Detector(path, [], 0.5).detect(picture(darkest=200)) == []
    path.write_bytes(model([(math.nan, 1, 9, 9), (-900, -900, -800, -800), (9, 9, 2, 2), (50, 30, 900, 900)]))
    (found,) = Detector(path, [], 0.5).detect(picture())
    assert found.label == "class 0"
    column, row, columns, rows = found.box
    assert (column + columns, row + rows) <= (120, 90)


@pytest.mark.parametrize("content", [b"", b"no model", model([(1, 1, 2, 2)], outputs="boxes scores")])
def test_a_file_that_is_no_such_model_is_said(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(DriverError, match="detector"):
        Detector(path, [], 0.5)


@pytest.mark.parametrize("mode", ["shadow", "proposals"])
def test_its_boxes_are_a_shadow_until_the_site_believes_them(path: Path, mode: str) -> None:
    path.write_bytes(model([(32, 16, 48, 32)]))
    inbox = path.parent / "in"
    inbox.mkdir()
    for channel in CHANNELS:
        (inbox / f"{channel}.dcs").write_bytes(image.write(scan(), channel, study="1.2"))
    made = driver(inbox, detector=str(path), detector_labels=["bottle"], detector_score=0.1, detector_mode=mode)
    data = only(made).data
    assert isinstance(data, XrayScan)
    place = Box(column=60, row=30, columns=30, rows=30)
    own = [each for each in data.proposals if each.kind == "detector"]
    if mode == "shadow":
        assert own == []
        assert [(each.label, each.box) for each in data.shadow] == [("bottle", place)]
    else:
        assert data.shadow == []
        assert [each.box for each in own] == [place]
        assert "'bottle'" in own[0].reason


def test_without_a_model_nothing_is_loaded(path: Path) -> None:
    made = driver(path.parent)
    assert Reader("x", made.settings, made.layout())._detector is None
