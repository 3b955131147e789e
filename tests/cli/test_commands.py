"""What all commands have in common."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from edge_agent.cli import COMMANDS, app

runner = CliRunner()

HEAVY = """
import sys
from edge_agent.cli import app
try:
    app(["--help"])
except SystemExit:
    pass
print(*sorted({"numpy", "cv2", "numba", "PIL", "skimage"} & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_its_exit_codes(name: str) -> None:
    result = runner.invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert "xit codes" in result.stdout


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in {"read", "journal"}])
def test_every_command_has_examples(name: str) -> None:
    assert f"edge-agent {name}" in runner.invoke(app, [name, "--help"]).stdout


@pytest.mark.parametrize("name", ["passport", "mrz"])
def test_so_have_those_of_read(name: str) -> None:
    assert f"edge-agent read {name}" in runner.invoke(app, ["read", name, "--help"]).stdout


@pytest.mark.parametrize("name", ["status", "list", "show", "replay", "export"])
def test_so_have_those_of_journal(name: str) -> None:
    assert f"edge-agent journal {name}" in runner.invoke(app, ["journal", name, "--help"]).stdout


def test_an_unknown_command_is_a_usage_error() -> None:
    assert runner.invoke(app, ["fly"]).exit_code == 2


def test_asking_for_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []


@pytest.mark.slow
def test_kernels_are_compiled_into_the_cache_named(tmp_path: object) -> None:
    command = [sys.executable, "-m", "edge_agent", "kernels"]
    done = subprocess.run(
        command,
        env={"PATH": "/usr/bin:/bin", "CACHE_DIRECTORY": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ready in" in done.stdout
