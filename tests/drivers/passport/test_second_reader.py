"""The second opinion: behind the first answer, and never in its way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers import folder as folder_module
from drivers.passport.page import PageFolder, PageSettings
from drivers.passport.second_reader import MOST_WAITING, SecondReader, compared
from edge_agent.driver import Observation
from edge_agent.events.passport import PassportCompared, PassportRead
from edge_agent.simulate.documents import specimen
from edge_agent.simulate.render import render

pytestmark = pytest.mark.slow  # starts Python and passporteye each time

OURS = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")


def page(seed: int = 2) -> bytes:
    rng = np.random.default_rng(seed)
    return cv2.imencode(".jpg", render(specimen(rng), rng, dpi=200).image)[1].tobytes()


def test_agreement_and_disagreement() -> None:
    assert compared(OURS, list(OURS), "x", "0" * 64).verdict == "agrees"
    assert compared(OURS, [], "x", "0" * 64).verdict == "unread"
    differs = compared(OURS, [OURS[0].replace("ANNA<MARIA<", "ANNA<MARIAK"), OURS[1]], "x", "0" * 64)
    assert differs.verdict == "disagrees"
    assert differs.findings == ["second_opinion_disagrees"]
    assert [(d.line, d.column, d.values) for d in differs.disagreements] == [(1, 26, ["<", "K"])]


def test_a_line_more_or_less_is_a_disagreement_too() -> None:
    differs = compared(OURS, [OURS[0]], "x", "0" * 64)
    assert len(differs.disagreements) == 44
    assert differs.disagreements[0].values == ["L", ""]
    assert compared((), list(OURS), "x", "0" * 64).verdict == "disagrees"


def observations(inbox: Path, **values: object) -> Iterator[Observation | None]:
    settings = PageSettings(folder=inbox, settle_seconds=0, second_opinion="passporteye", **values)
    return iter(PageFolder(settings).observe())


def following(driver: Iterator[Observation | None], seconds: float) -> Observation:
    deadline = time.monotonic() + seconds
    for observation in driver:
        if observation is not None:
            if observation.acknowledge is not None:
                observation.acknowledge()
            return observation
        assert time.monotonic() < deadline, "nothing was observed"
    raise AssertionError("the driver ended")


def test_the_comparison_follows_the_reading_and_names_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.01)
    (tmp_path / "page.jpg").write_bytes(page())
    driver = observations(tmp_path)
    first = following(driver, 20)
    assert isinstance(first.data, PassportRead)
    second = following(driver, 40)
    assert isinstance(second.data, PassportCompared)
    assert second.data.engine.startswith("PassportEye")
    assert second.data.lines[1] == first.data.lines[1]


def test_a_page_that_keeps_it_busy_delays_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.01)
    hanging, inbox = tmp_path / "tesseract", tmp_path / "inbox"
    inbox.mkdir()
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    driver = observations(inbox)
    picture = page()
    took = []
    for number in range(MOST_WAITING + 4):
        (inbox / f"{number}.jpg").write_bytes(picture)
        started = time.monotonic()
        assert isinstance(following(driver, 20).data, PassportRead)
        took.append(time.monotonic() - started)
    assert sorted(took)[len(took) // 2] < 1


def test_a_process_that_dies_is_started_again() -> None:
    reader = SecondReader()
    read = PassportRead.model_construct(lines=list(OURS))
    try:
        reader.ask(page(), read)
        deadline = time.monotonic() + 60
        while reader._asked is None and time.monotonic() < deadline:
            assert reader.answer() is None
            time.sleep(0.02)
        assert reader._process is not None
        reader._process.kill()
        reader._process.wait()
        reader.ask(page(), read)
        while (observation := reader.answer()) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert observation is not None
        assert isinstance(observation.data, PassportCompared)
    finally:
        reader.close()
