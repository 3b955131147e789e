"""Starting: with the kernel cache missing, read-only or cut short; with a wrong configuration; a second time."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from edge_agent.simulate.broker import EmbeddedBroker
from tests.e2e.post import PLUGIN, Post, wait_until

pytestmark = pytest.mark.e2e


@pytest.fixture
def post(tmp_path: Path, embedded_broker: EmbeddedBroker) -> Post:
    post = Post(tmp_path / "post", embedded_broker.port)
    post.device("lane-1", "trial.kernel")
    return post


def runs(post: Post, cache: Path, **environment: str) -> str:
    """Start with this cache folder, see an event of the driver whose process needs compiled kernels, and stop."""
    with post:
        before = post.stand().last_sequence
        post.start(CACHE_DIRECTORY=str(cache), **environment)
        wait_until(lambda: post.stand().last_sequence > before, 60, "an event of a driver with kernels")
        assert post.stop() == 0
    return post.log.read_text()


def kernels(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*.nb?") if path.is_file()]


def test_a_missing_cache_is_made(post: Post, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    log = runs(post, cache)
    assert kernels(cache)
    assert "cache" not in log


@pytest.mark.parametrize("damage", [b"", b"\x80\x04rubbish", None])
def test_a_cache_that_a_power_failure_cut_short_is_made_anew(post: Post, tmp_path: Path, damage: bytes | None) -> None:
    cache = tmp_path / "cache"
    runs(post, cache)
    for path in kernels(cache):
        path.write_bytes(path.read_bytes()[:100] if damage is None else damage)
    log = runs(post, cache)
    assert "has been made anew" in log
    assert all(path.stat().st_size > 100 for path in kernels(cache))


def test_a_cache_that_cannot_be_written_is_done_without(post: Post, tmp_path: Path) -> None:
    plugin = shutil.copytree(PLUGIN, tmp_path / "plugin", ignore=shutil.ignore_patterns("__pycache__"))
    blocked = [tmp_path / "cache", tmp_path / "home", plugin / "__pycache__"]  # everywhere that numba would write
    for path in blocked:
        path.write_text("a file where the folder should be: not even root can write into it")
    log = runs(post, blocked[0], HOME=str(blocked[1]), XDG_CACHE_HOME=str(blocked[1]), PYTHONPATH=str(plugin))
    assert "compiled for this run only" in log


def test_a_wrong_configuration_is_told_in_full_and_the_exit_code_is_1(post: Post) -> None:
    post.device("lane-2", "trial.load", rate=-1)
    post.device("lane-3", "no.such.driver")
    with post:
        post.start()
        assert post.process is not None
        assert post.process.wait(20) == 1
    log = post.log.read_text()
    assert "lane-2.toml:" in log
    assert "lane-3.toml:" in log


def test_a_state_directory_that_cannot_be_used_is_exit_code_3(post: Post) -> None:
    os.rmdir(post.state)  # noqa: PTH106
    post.state.write_text("a file where the folder should be")
    with post:
        post.start()
        assert post.process is not None
        assert post.process.wait(20) == 3


def test_nothing_that_the_agent_writes_is_open_to_others(post: Post) -> None:
    with post:
        post.start()
        wait_until(lambda: post.stand().last_sequence > 0, 60, "an event")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in post.state.glob("journal.db*")}
        assert post.stop() == 0
    assert modes
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes


def test_two_agents_on_one_journal_are_refused(post: Post) -> None:
    with post:
        post.start()
        wait_until(lambda: post.stand().last_sequence > 0, 60, "an event")
        second = Post.__new__(Post)
        second.config, second.log = post.config, post.folder / "second.log"
        with second.start():
            assert second.process is not None
            assert second.process.wait(20) == 3
        assert "another agent runs already" in second.log.read_text()
        assert post.stop() == 0
