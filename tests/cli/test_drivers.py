from __future__ import annotations

import json
from importlib.metadata import EntryPoint

import pytest
from pydantic import BaseModel, Field
from typer.testing import CliRunner

from edge_agent import registry
from edge_agent.cli import app
from edge_agent.driver import Driver, DriverSettings


class Corner(BaseModel):
    x: float
    y: float = Field(default=0, description="Upwards")


class Lamp(BaseModel):
    level: int = Field(default=3, ge=0, le=9, description="Brightness")


class ShownSettings(DriverSettings):
    port: str = Field(min_length=1, description="Serial port")
    lamp: Lamp = Lamp()
    corners: tuple[Corner, ...] = Field(default=(), description="Of the region")
    until: float | None = Field(default=None, description="Nothing ends it if left out")


class Shown(Driver[ShownSettings]):
    """A lamp on a wire.

    What else there is to say of it.
    """

    kind = "test.shown"
    Settings = ShownSettings

    def observe(self):  # type: ignore[no-untyped-def]  # never called
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {
        "test.shown": EntryPoint("test.shown", f"{__name__}:Shown", registry.GROUP),
        "test.torn": EntryPoint("test.torn", "no_such_module:Torn", registry.GROUP),
    }
    monkeypatch.setattr(registry, "kinds", lambda: here)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("EDGE_AGENT_PRELOAD", "")
    monkeypatch.setenv("COLUMNS", "200")


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["drivers", *arguments])
    return done.exit_code, done.output


def test_a_driver_is_shown_with_all_its_settings() -> None:
    code, output = run("test.shown")
    assert code == 0
    lines = [line.rstrip() for line in output.splitlines()]
    assert lines[1] == "A lamp on a wire."
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines[2:] if line]
    assert cells == [
        ["setting", "default", "allowed", "what it is for"],
        ["port", "required", "text that is not empty", "Serial port"],
        ["lamp.level", "3", "a whole number from 0 to 9", "Brightness"],
        ["corners", "[]", "a list, each a table with the keys x, y", "Of the region"],
        ["corners[].x", "required", "a number"],
        ["corners[].y", "0", "a number", "Upwards"],
        ["until", "-", "a number", "Nothing ends it if left out"],
    ]


def test_json_is_one_object_a_driver() -> None:
    code, output = run("--json")
    shown, torn = map(json.loads, output.splitlines())
    assert code == 1
    assert (shown["kind"], shown["problem"]) == ("test.shown", "")
    assert shown["settings"][1] == {
        "key": "lamp.level",
        "required": False,
        "default": "3",
        "allowed": "a whole number from 0 to 9",
        "description": "Brightness",
    }
    assert torn["problem"] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert torn["settings"] == []


def test_a_driver_that_cannot_be_used_is_told_and_ends_with_1() -> None:
    code, output = run("test.torn")
    assert code == 1
    assert "cannot be used: ModuleNotFoundError: No module named 'no_such_module'" in output


def test_a_kind_that_does_not_exist_ends_with_2() -> None:
    code, output = run("test.shwon")
    assert code == 2
    assert (
        output
        == "edge-agent drivers: there is no driver test.shwon; did you mean test.shown? See: edge-agent drivers\n"
    )
