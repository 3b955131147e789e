"""A reader that types: recorded events through a pipe become documents. Not tried on hardware."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drivers import keyboard
from drivers.passport.wedge import WedgeReader, WedgeSettings
from edge_agent.events.passport import PassportRead, Source
from tests.drivers.passport.test_swipe import TD1, TD3, next_of
from tests.drivers.test_keyboard import typed


@pytest.mark.parametrize("layout", ["us", "de", "fr"])
@pytest.mark.parametrize("lines", [TD3, TD1])
@pytest.mark.parametrize("between", ["\r", ""])
def test_a_document_that_is_typed_becomes_an_event(
    layout: str, lines: tuple[str, ...], between: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyboard, "grab", lambda _: None)
    path = tmp_path / "event7"
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR)
    reader = WedgeReader(WedgeSettings(device=str(path), layout=layout, gap_seconds=0.1))  # type: ignore[arg-type]
    assert reader.probe() == f"{path} can be read by the agent alone; swipe a document to see more"
    observations = reader.observe()
    assert next(observations) is None
    os.write(end, typed(between.join(lines) + "\r", layout))
    read = next_of(observations)
    assert isinstance(read, PassportRead)
    assert (read.source, read.valid, tuple(read.lines)) == (Source.SWIPE, True, lines)
    os.close(end)
