"""Calibrations are kept whole or not at all, with the one before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_agent.calibration import Calibration, CalibrationError, load, path, save, undo

FIRST = Calibration(by="a", fixture="film 7", readings={"lines": [620.9, 1001.4]}, values={"shift": -0.5})
SECOND = Calibration(by="b", fixture="film 7", readings={"lines": [621.0, 1001.5]}, values={"shift": -0.4})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return path("lane-1-raman", tmp_path)


def test_a_device_that_was_never_calibrated_has_none(file: Path) -> None:
    assert load(file) is None


def test_what_was_saved_comes_back_and_can_be_undone_once(file: Path) -> None:
    save(file, FIRST)
    assert load(file) == FIRST
    save(file, SECOND)
    assert load(file) == SECOND
    assert undo(file) == FIRST
    assert load(file) == FIRST
    with pytest.raises(CalibrationError, match="no calibration before"):
        undo(file)


def test_it_can_be_read_by_a_person(file: Path) -> None:
    save(file, FIRST)
    text = file.read_text()
    assert text.startswith("# Written by")
    assert 'fixture = "film 7"' in text
    assert "shift = -0.5" in text


@pytest.mark.parametrize("damage", [b"", b"values = {", b"\xff\xfe", b"made = 1\n", b"#" * 5_000_000])
def test_a_damaged_one_is_named_and_replaced_by_the_next(file: Path, damage: bytes) -> None:
    save(file, FIRST)
    file.write_bytes(damage)
    with pytest.raises(CalibrationError, match=r"lane-1-raman.toml is damaged: calibrate"):
        load(file)
    save(file, SECOND)
    assert load(file) == SECOND


def test_a_failure_while_writing_leaves_the_old_one_and_no_litter(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(file, FIRST)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CalibrationError, match="No space left"):
        save(file, SECOND)
    assert load(file) == FIRST
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_nobody_else_may_read_it(file: Path) -> None:
    save(file, FIRST)
    assert file.stat().st_mode & 0o077 == 0
