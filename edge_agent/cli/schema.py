"""``edge-agent schema``: the JSON Schemas and the AsyncAPI document."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from edge_agent.cli.console import Exit, console, errors

ASYNCAPI = "asyncapi"


def schema(
    name: Annotated[str | None, typer.Argument(help="The schema to print; all are listed if left out.")] = None,
    write: Annotated[Path | None, typer.Option("--write", "-w", help="Folder to write all of them to.")] = None,
    list_: Annotated[bool, typer.Option("--list", "-l", help="List the names only, one a line.")] = False,
) -> None:
    """Print what events look like, for those who receive them: JSON Schemas (2020-12) and an AsyncAPI 3 document.

    Exit codes: 0 done, 1 the folder cannot be written, 2 wrong arguments or no such schema.

    Examples:

      edge-agent schema

      edge-agent schema passport.read.v1

      edge-agent schema asyncapi > asyncapi.json

      edge-agent schema --write schemas/
    """
    if sum((name is not None, write is not None, list_)) > 1:
        _give_up("name a schema, or --write, or --list: only one of them", Exit.USAGE)
    documents = all_documents()
    if write is not None:
        try:
            write_all(documents, write)
        except OSError as error:
            _give_up(f"{write} cannot be written: {error.strerror}", Exit.FAILED)
        console.print(f"{len(documents)} files written to {write}")
    elif list_:
        print("\n".join(documents))
    elif name is None:
        _show(documents)
    elif name in documents:
        sys.stdout.write(text(documents[name]))
    else:
        near = get_close_matches(name, documents, 1, 0.4)
        hint = f"; did you mean {near[0]}?" if near else ""
        _give_up(f"there is no schema {name}{hint} See: edge-agent schema --list", Exit.USAGE)


def all_documents() -> dict[str, dict[str, Any]]:
    """Every document by its name, which is also that of its file; drivers that are installed add their own events."""
    from edge_agent.events import asyncapi, schema  # noqa: PLC0415  (pydantic, not needed for --help)

    import_drivers()
    events = schema.known_events()
    return {ASYNCAPI: asyncapi.document(events), **schema.documents(events)}


def import_drivers() -> None:
    """Import every driver that is installed, so that its events are known; say which cannot be."""
    from edge_agent.registry import find, kinds  # noqa: PLC0415

    for kind in kinds():
        try:
            find(kind)
        except Exception as error:
            errors.print(
                f"edge-agent schema: without {kind}, which cannot be imported ({error})", soft_wrap=True, markup=False
            )


def text(document: dict[str, Any]) -> str:
    """A document as it stands in its file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write_all(documents: dict[str, dict[str, Any]], folder: Path) -> None:
    """Write each document to ``{name}.json``.

    Raises:
        OSError: the folder cannot be made, or a file not be written.

    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(text(document), encoding="utf-8")


def _show(documents: dict[str, dict[str, Any]]) -> None:
    table = Table("name", "what it describes", box=None)
    for name, document in documents.items():
        described = document.get("description") or "All messages, with their topics (AsyncAPI 3)"
        table.add_row(name, described.split(";")[0].replace("``", ""))
    console.print(table)


def _give_up(why: str, code: Exit) -> None:
    errors.print(f"edge-agent schema: {why}", soft_wrap=True, markup=False)
    raise typer.Exit(code)
