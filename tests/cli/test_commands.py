"""What all commands have in common."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_group
from typer.testing import CliRunner

import edge_agent
from edge_agent.cli import app

runner = CliRunner()

HEAVY = """
import sys
import edge_agent
from edge_agent.cli import app
try:
    app(["--help"])
except SystemExit:
    pass
print(*sorted({"numpy", "cv2", "numba", "PIL", "skimage"} & set(sys.modules)), file=sys.stderr)
"""


def commands(group: TyperGroup, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command, those of groups included."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        yield (*before, name)
        if isinstance(command, TyperGroup):
            yield from commands(command, (*before, name))


ALL = list(commands(get_group(app)))
GROUPS = {words[:-1] for words in ALL}


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_help_with_its_exit_codes(words: tuple[str, ...]) -> None:
    result = runner.invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    assert "xit codes" in result.stdout


@pytest.mark.parametrize("words", [words for words in ALL if words not in GROUPS], ids=" ".join)
def test_every_command_has_examples(words: tuple[str, ...]) -> None:
    assert f"edge-agent {' '.join(words)}" in runner.invoke(app, [*words, "--help"]).stdout


def test_an_unknown_command_is_a_usage_error() -> None:
    assert runner.invoke(app, ["fly"]).exit_code == 2


def test_it_says_which_version_it_is() -> None:
    assert runner.invoke(app, ["--version"]).stdout == f"edge-agent {version('edge-agent')}\n"


def test_asking_for_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []


def public_kernels() -> set[str]:
    """The names of all kernels that others may call; ``denoise`` is what ``classify`` does, alone."""
    names: set[str] = set()
    for file in Path(edge_agent.__file__).parent.rglob("kernels.py"):
        if "processing" in file.parts:
            names |= set(re.findall(r"^@(?:numba\.njit|_jit)\b.*\ndef ([a-z]\w*)", file.read_text(), re.MULTILINE))
    return names - {"denoise"}


@pytest.mark.slow
def test_kernels_are_compiled_into_the_cache_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edge_agent", "kernels"]
    done = subprocess.run(
        command,
        env={"PATH": "/usr/bin:/bin", "CACHE_DIRECTORY": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ready in" in done.stdout
    compiled = {re.sub(r"^kernels\.(\w+)-.*", r"\1", file.name) for file in tmp_path.rglob("*.nbi")}
    assert len(public_kernels()) > 30
    assert public_kernels() - compiled == set()
