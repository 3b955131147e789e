"""``edge-agent drivers``: the kinds of devices that this installation can read, and their settings."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from edge_agent.cli.console import Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from edge_agent.config.fields import Setting


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of one driver.

    Attributes:
        kind: what stands in ``driver = "..."``.
        package: the distribution that brings it.
        version: of that package.
        summary: what it is for.
        settings: those of its table ``[settings]``.
        problem: why it cannot be used; empty if it can.

    """

    kind: str
    package: str
    version: str
    summary: str = ""
    settings: tuple[Setting, ...] = ()
    problem: str = ""


def drivers(
    kind: Annotated[str | None, typer.Argument(help="Only this kind; all of them if left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The drivers that are installed, with all their settings and defaults.

    Exit codes: 0 done, 1 a driver is installed but cannot be used, 2 wrong arguments or no such driver.

    Examples:

      edge-agent drivers

      edge-agent drivers passport.page

      edge-agent drivers --json | jq -r .kind
    """
    from edge_agent.daemon.preload import prepare_environment  # noqa: PLC0415  (not needed for --help)
    from edge_agent.registry import kinds  # noqa: PLC0415

    if kind is not None and kind not in kinds():
        near = get_close_matches(kind, kinds(), 1, 0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        errors.print(f"edge-agent drivers: there is no driver {kind}{hint} See: edge-agent drivers", markup=False)
        raise typer.Exit(Exit.USAGE)
    prepare_environment()  # before any driver is imported
    found = [describe(name) for name in sorted(kinds()) if kind in {None, name}]
    for description in found:
        if as_json:
            print(json.dumps(_as_json(description), ensure_ascii=False))
        else:
            _show(description)
    if any(description.problem for description in found):
        raise typer.Exit(Exit.FAILED)


def describe(kind: str) -> Description:
    """What a driver says of itself; whatever goes wrong in importing it is its ``problem``."""
    from edge_agent.config import fields  # noqa: PLC0415  (pydantic, not needed for --help)
    from edge_agent.registry import find, kinds  # noqa: PLC0415

    distribution = kinds()[kind].dist
    package, version = (distribution.name, distribution.version) if distribution else ("", "")
    try:
        driver = find(kind)
        settings = tuple(fields.settings(driver.Settings))
    except Exception as error:  # a third party's module may fail in any way
        return Description(kind, package, version, problem=f"{type(error).__name__}: {error}")
    return Description(kind, package, version, inspect.cleandoc(driver.__doc__ or ""), settings)


def _as_json(description: Description) -> dict[str, Any]:
    return {
        "kind": description.kind,
        "package": description.package,
        "version": description.version,
        "summary": description.summary,
        "problem": description.problem,
        "settings": [
            {
                "key": _key(setting),
                "required": setting.default is None,
                "default": setting.default or None,
                "allowed": setting.allowed,
                "description": setting.description,
            }
            for setting in description.settings
        ],
    }


def _key(setting: Setting) -> str:
    """``lamp.level``, and ``regions[].name`` for what stands in each entry of a list."""
    return "".join("[]" if isinstance(part, int) else f".{part}" for part in setting.path).removeprefix(".")


def _show(description: Description) -> None:
    console.print(Text.assemble((description.kind, "bold"), f"  ({description.package} {description.version})"))
    if description.problem:
        console.print(Text(f"  cannot be used: {description.problem}", "red"), soft_wrap=True)
    if description.summary:
        console.print(Text(description.summary.split("\n\n", maxsplit=1)[0]), soft_wrap=True)
    if description.settings:
        table = Table("setting", "default", "allowed", "what it is for", box=None, padding=(0, 2, 0, 0))
        for setting in description.settings:
            left_out = Text("required", "yellow") if setting.default is None else Text(setting.default or "-")
            table.add_row(Text(_key(setting)), left_out, Text(setting.allowed), Text(setting.description))
        console.print(table)
    console.print()
