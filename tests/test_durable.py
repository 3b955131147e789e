"""A file is whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_agent.durable import replacing, write


def fail_half_way(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise ValueError("no")


def test_a_file_is_written_and_replaced_with_the_rights_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write(path, b"one")
    assert path.stat().st_mode & 0o777 == 0o600
    write(path, b"two", mode=0o640)
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write(path, b"old")
    with pytest.raises(ValueError, match="no"):
        fail_half_way(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_bytes_are_on_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []

    def note(descriptor: int) -> None:
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), (tmp_path / "a").exists()))

    monkeypatch.setattr(os, "fsync", note)
    write(tmp_path / "a", b"x")
    (first, before), (second, after) = synced
    assert first.startswith(str(tmp_path / ".a."))
    assert not before
    assert second == str(tmp_path)
    assert after
