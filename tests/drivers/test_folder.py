"""What a device may do to its folder, and what becomes of it: every file ends somewhere, with a reason."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import folder as folder_module
from drivers.folder import ATTEMPTS, Content, FolderDriver, FolderSettings, RejectedError
from edge_agent.driver import DriverError, Observation
from edge_agent.events.device import InputRejected
from tests.drivers.messages import Seen


class Reader(FolderDriver[FolderSettings]):
    """Takes everything but the word 'bad'; what ends in '...' may not be finished."""

    kind = "test.folder"
    Settings = FolderSettings

    def examine(self, data: bytes) -> Content:
        if data == b"crash":
            raise MemoryError
        if data == b"bad" or data.endswith(b"..."):
            raise RejectedError("bad", "It is bad.", unfinished=data.endswith(b"..."))
        return Content(Seen(text=data.decode()))


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.005)
    path = tmp_path / "inbox"
    path.mkdir()
    return path


def reader(inbox: Path, **values: Any) -> Iterator[Observation | None]:
    defaults = {"settle_seconds": 0, "patience_seconds": 0, "folder": inbox}
    return iter(Reader(FolderSettings(**{**defaults, **values})).observe())


def next_of(observations: Iterator[Observation | None], seconds: float = 5) -> Observation:
    """The next observation, acknowledged as the worker does once it is durable."""
    deadline = time.monotonic() + seconds
    for observation in observations:
        if observation is not None:
            assert observation.acknowledge is not None
            observation.acknowledge()
            return observation
        assert time.monotonic() < deadline, "nothing was observed"
    raise AssertionError("the driver ended")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rejected(observation: Observation) -> str:
    assert isinstance(observation.data, InputRejected)
    return observation.data.reason


def nothing_more(observations: Iterator[Observation | None], looks: int = 5) -> None:
    for _ in range(looks):
        assert next(observations) is None


def test_a_file_is_read_and_moved_only_once_its_event_is_durable(inbox: Path) -> None:
    (inbox / "a.txt").write_text("hello")
    observations = reader(inbox)
    observation = next(o for o in observations if o is not None)
    assert (inbox / "a.txt").exists()
    assert observation.acknowledge is not None
    observation.acknowledge()
    assert observation.data == Seen(text="hello")
    assert names(inbox) == ["failed", "processed"]
    assert (inbox / "processed" / "a.txt").read_text() == "hello"


def test_a_file_that_is_offered_again_has_the_same_key_and_the_next_of_its_name_another(inbox: Path) -> None:
    (inbox / "scan.jpg").write_text("one")
    first = next(o for o in reader(inbox) if o is not None)
    again = next_of(reader(inbox))
    (inbox / "scan.jpg").write_text("two")
    other = next_of(reader(inbox))
    assert first.key == again.key != other.key
    assert names(inbox / "processed") == ["2-scan.jpg", "scan.jpg"]


def test_a_bad_file_goes_to_failed_with_the_reason_beside_it(inbox: Path) -> None:
    (inbox / "x.jpg").write_text("bad")
    assert rejected(next_of(reader(inbox))) == "bad"
    assert names(inbox / "failed") == ["x.jpg", "x.jpg.reason.txt"]
    assert (inbox / "failed" / "x.jpg.reason.txt").read_text() == "It is bad.\n"


def test_files_are_taken_in_the_order_in_which_they_were_written(inbox: Path) -> None:
    for age, name in enumerate(["c", "a", "b"]):
        (inbox / name).write_text(name)
        os.utime(inbox / name, (1000 + age, 1000 + age))
    observations = reader(inbox)
    assert [next_of(observations).data for _ in range(3)] == [Seen(text=name) for name in "cab"]


def test_a_file_still_being_written_is_waited_for(inbox: Path) -> None:
    observations = reader(inbox, settle_seconds=0.1)
    with (inbox / "slow").open("w") as slow:
        for _ in range(10):
            slow.write("x")
            slow.flush()
            until = time.monotonic() + 0.03
            while time.monotonic() < until:
                assert next(observations) is None
    assert next_of(observations).data == Seen(text="x" * 10)


def test_what_lies_there_from_before_is_taken_at_once(inbox: Path) -> None:
    (inbox / "old").write_text("old")
    os.utime(inbox / "old", (time.time() - 100, time.time() - 100))
    (inbox / "new").write_text("new")
    observations = reader(inbox, settle_seconds=5)
    first = next(observations)
    assert first is not None
    assert first.data == Seen(text="old")


def test_a_writer_that_paused_gets_more_time_and_holds_nobody_up(inbox: Path) -> None:
    observations = reader(inbox, patience_seconds=5)
    (inbox / "a").write_text("half...")
    nothing_more(observations, 3)
    (inbox / "b").write_text("whole")
    assert next_of(observations).data == Seen(text="whole")
    (inbox / "a").write_text("now whole")
    assert next_of(observations).data == Seen(text="now whole")


def test_patience_ends(inbox: Path) -> None:
    (inbox / "a").write_text("half...")
    (inbox / "b").touch()
    observations = reader(inbox, patience_seconds=0.1)
    started = time.monotonic()
    assert {rejected(next_of(observations)), rejected(next_of(observations))} == {"bad", "empty-file"}
    assert time.monotonic() - started > 0.1


@pytest.mark.parametrize("name", [".hidden", "page.jpg.part", "page.TMP", ".edge-agent-reading"])
def test_what_is_not_for_us_stays(inbox: Path, name: str) -> None:
    (inbox / name).write_text("x")
    (inbox / "subfolder").mkdir()
    nothing_more(reader(inbox))
    assert name in names(inbox)


def test_what_is_no_file_is_set_aside_unopened(inbox: Path) -> None:
    (inbox / "folder.jpg").mkdir()
    (inbox / "link.jpg").symlink_to("/etc/shadow")
    os.mkfifo(inbox / "pipe.jpg")
    observations = reader(inbox)
    assert [rejected(next_of(observations)) for _ in range(3)] == ["not-a-file"] * 3
    assert {"folder.jpg", "link.jpg", "pipe.jpg"} < set(names(inbox / "failed"))


def test_a_file_too_large_is_not_even_read(inbox: Path) -> None:
    with (inbox / "large").open("wb") as large:
        large.truncate(10 * 1024**3)
    observation = next_of(reader(inbox))
    assert rejected(observation) == "too-large"
    assert isinstance(observation.data, InputRejected)
    assert observation.data.size == 10 * 1024**3


def test_a_file_that_vanishes_is_reported(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = folder_module.Folder.attempt

    def vanish(self: folder_module.Folder, file: folder_module.File) -> None:
        (inbox / file.name).unlink()
        original(self, file)

    monkeypatch.setattr(folder_module.Folder, "attempt", vanish)
    (inbox / "a").write_text("x")
    observations = reader(inbox)
    assert rejected(next_of(observations)) == "file-vanished"
    nothing_more(observations)


def test_a_file_replaced_while_it_was_read_is_not_moved_away_unread(inbox: Path) -> None:
    (inbox / "scan").write_text("first")
    observations = reader(inbox)
    first = next(o for o in observations if o is not None)
    (inbox / "scan").write_text("the second")
    assert first.acknowledge is not None
    first.acknowledge()
    assert next_of(observations).data == Seen(text="the second")


def test_a_file_that_kills_its_reader_is_set_aside_in_the_end(inbox: Path) -> None:
    (inbox / "poison").write_text("crash")
    for _ in range(ATTEMPTS):
        with pytest.raises(MemoryError):
            next_of(reader(inbox))
    observations = reader(inbox)
    assert rejected(next_of(observations)) == "poisoned-file"
    (inbox / "next").write_text("fine")
    assert next_of(observations).data == Seen(text="fine")


def test_a_missing_or_closed_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"There is no folder .*nowhere"):
        next(reader(tmp_path / "nowhere"))


def test_a_relative_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert next(reader(Path("inbox/lane-1"))) is None
    assert names(tmp_path / "inbox" / "lane-1") == ["failed", "processed"]


def test_old_files_are_deleted_and_young_ones_kept(inbox: Path) -> None:
    (inbox / "processed").mkdir()
    (inbox / "processed" / "a").touch()
    time.sleep(0.02)
    next(reader(inbox, keep_days=1))
    assert names(inbox / "processed") == ["a"]
    next(reader(inbox, keep_days=0))
    assert names(inbox / "processed") == []


def test_without_permission_a_file_is_set_aside_and_without_a_folder_the_device_fails() -> None:
    if os.getuid() != 0:
        pytest.skip("needs root to become somebody with fewer rights")
    with tempfile.TemporaryDirectory() as place:
        inbox = Path(place) / "inbox"
        inbox.mkdir()
        Path(place).chmod(0o711)
        inbox.chmod(0o777)
        (inbox / "secret").write_text("x")
        (inbox / "secret").chmod(0o600)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setuid(65534)
                if rejected(next_of(reader(inbox))) == "no-permission":
                    code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert names(inbox / "failed") == ["secret", "secret.reason.txt"]
        inbox.chmod(0o555)
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                next(reader(inbox))
            except DriverError as error:
                os._exit(0 if "let the agent's user write there" in str(error) else 1)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


file_names = st.one_of(
    st.binary(min_size=1, max_size=255).map(os.fsdecode),
    st.text(min_size=1, max_size=60),
    st.sampled_from(["паспорт 1.jpg", "two\nlines.jpg", "with space.jpg", "-rf", "processed", "a" * 255, "ж" * 127]),
)


@given(name=file_names)
@settings(max_examples=150, deadline=None)
def test_whatever_a_file_is_called_it_ends_in_one_of_the_two_folders(name: str) -> None:
    raw = os.fsencode(name) if not any("\ud800" <= c < "\udc80" or "\udcff" < c <= "\udfff" for c in name) else b"x"
    if b"/" in raw or b"\0" in raw or len(raw) > 255 or raw.startswith(b".") or raw in {b"processed", b"failed"}:
        return
    if raw.lower().endswith((b".tmp", b".part", b".partial", b".filepart", b".crdownload")):
        return
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as place:
        patch.setattr(folder_module, "LOOK_SECONDS", 0)
        for content, end in (("fine", "processed"), ("bad", "failed")):
            with open(os.fsencode(place) + b"/" + raw, "w") as file:  # noqa: PTH123
                file.write(content)
            next_of(reader(Path(place)))
            assert len(list((Path(place) / end).iterdir())) == (1 if end == "processed" else 2)
            assert not os.path.lexists(os.fsencode(place) + b"/" + raw)
