"""A vehicle's earlier scan: found by its identifier, of which nothing can be read from the disk."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from drivers.xray.earlier import FOLDER, EarlierScans
from edge_agent.processing.xray.maps import Maps

PLATE = "01 KG 123 ABC"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def maps(value: float) -> Maps:
    plane = np.full((20, 30), value, np.float32)
    return Maps(
        plane, plane, np.ones((20, 30), np.uint8), plane / 10, (5.0, 5.0), known_pitch=True, factor=1, dual=True
    )


def test_it_is_found_however_the_identifier_is_written_and_replaced_by_the_next() -> None:
    scans = EarlierScans("lane-3", 10, 1 << 20)
    assert scans.find(PLATE) is None
    scans.keep(PLATE, maps(1.0))
    scans.keep("01kg123abc", maps(2.0))
    found = scans.find(PLATE)
    assert found is not None
    assert found.maps.high[0, 0] == 2.0
    assert found.maps.pitch_mm == (5.0, 5.0)
    assert scans.find("other") is None


def test_nothing_on_the_disk_names_the_vehicle_and_the_hash_hangs_on_a_key(tmp_path: Path) -> None:
    EarlierScans("lane-3", 10, 1 << 20).keep(PLATE, maps(1.0))
    EarlierScans("lane-4", 10, 1 << 20).keep(PLATE, maps(1.0))
    files = list((tmp_path / FOLDER).rglob("*.npz"))
    assert len({path.name for path in files}) == 2  # each device has a key of its own
    for path in files:
        assert b"KG" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_a_damaged_one_is_as_good_as_none(tmp_path: Path) -> None:
    scans = EarlierScans("lane-3", 10, 1 << 20)
    scans.keep(PLATE, maps(1.0))
    (path,) = (tmp_path / FOLDER).rglob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    assert scans.find(PLATE) is None
    assert not path.exists()


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    scans = EarlierScans("lane-3", 3, 1 << 20)
    for number in range(5):
        scans.keep(f"plate {number}", maps(1.0))
        for age, path in enumerate((tmp_path / FOLDER).rglob("*.npz")):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
            assert age < 4
    assert [scans.find(f"plate {n}") is not None for n in range(5)] == [False, False, True, True, True]
    EarlierScans("lane-3", 100, 1).keep("last", maps(1.0))
    assert scans.find("plate 4") is None
