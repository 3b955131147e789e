"""How readings of machine readable zones are shown, from pictures and from text alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape
from rich.table import Table

from edge_agent.cli.console import Exit, console

if TYPE_CHECKING:
    from edge_agent.events.passport import PassportRead

Result = dict[str, Any]
"""One document: file, format, lines, fields, checks, valid, confidence, ms, error."""

_OUTCOMES = {"passed": "[green]passed[/]", "failed": "[red]FAILED[/]", "not_applicable": "[dim]not applicable[/]"}


def result(file: str | None, read: PassportRead) -> Result:
    """What is shown of a reading."""
    data = read.model_dump(mode="json")
    said = {name: data[name] for name in ("format", "lines", "fields", "checks", "valid", "confidence")}
    return {"file": file, **said, "ms": read.milliseconds, "error": read.problem or None}


def failed(file: Path, why: str) -> Result:
    """What is shown of a file that cannot be read at all."""
    nothing: Result = {"format": None, "lines": [], "fields": {}, "checks": {}, "valid": False, "confidence": None}
    return {"file": str(file), **nothing, "ms": None, "error": why}


def show(results: Iterator[Result], *, as_json: bool) -> None:
    """Print the results as they come.

    Raises:
        typer.Exit: with 1 if a document is not valid.

    """
    valid = True
    for result in results:
        valid &= result["valid"]
        if as_json:
            # A name that is no UTF-8 goes out escaped, so that the line always can be written.
            print(json.dumps(result), flush=True)
        else:
            _print(result)
    if not valid:
        raise typer.Exit(Exit.FAILED)


def _print(result: Result) -> None:
    verdict = "[green]valid[/]" if result["valid"] else "[yellow]not valid[/]" if result["lines"] else "[red]unread[/]"
    took = f"  [dim]{result['ms']:.0f} ms[/]" if result["ms"] is not None else ""
    name = result["file"] or ""
    name = name if name.isprintable() else ascii(name)[1:-1]
    console.print(f"{verdict}  {result['format'] or ''}  {escape(name)}{took}", soft_wrap=True)
    for line in result["lines"]:
        console.print(f"  {line}", markup=False, style="bold", soft_wrap=True)
    if result["error"]:
        console.print(f"  {result['error']}", markup=False, style="yellow")
    if result["format"]:
        table = Table.grid(padding=(0, 2))
        for field, value in result["fields"].items():
            if value is not None:
                table.add_row(f"  {field.replace('_', ' ')}", escape(str(value)))
        for check, outcome in result["checks"].items():
            table.add_row(f"  check {check.replace('_', ' ')}", _OUTCOMES[outcome])
        console.print(table)
    console.print()
