"""``edge-agent read``: read documents here and now, without any daemon."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from edge_agent.cli.console import Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from edge_agent.events.passport import PassportRead

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", add_completion=False)

Result = dict[str, Any]
"""One document: file, format, lines, fields, checks, valid, confidence, ms, error."""

_OUTCOMES = {"passed": "[green]passed[/]", "failed": "[red]FAILED[/]", "not_applicable": "[dim]not applicable[/]"}
MAX_BYTES = 256 * 1024**2


@app.callback()
def read() -> None:
    """Read documents here and now, without any daemon.

    Exit codes: 0 every document is valid, 1 at least one is not, 2 wrong arguments.
    """


@app.command()
def passport(
    files: Annotated[list[Path], typer.Argument(help="Pictures: JPEG, PNG, TIFF, BMP, WebP.", show_default=False)],
    picture: Annotated[
        Path | None,
        typer.Option("--picture", "-p", help="Write the page with what was read drawn over it; one FILE only."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read the machine readable zone in pictures of documents.

    Exit codes: 0 every document is valid, 1 at least one is not, 2 wrong arguments.

    Examples:

      edge-agent read passport page.jpg

      edge-agent read passport --json scans/*.jpg > read.jsonl

      edge-agent read passport --picture seen.png page.jpg
    """
    if picture is not None and len(files) != 1:
        errors.print("edge-agent read: --picture needs exactly one file to read")
        raise typer.Exit(Exit.USAGE)
    from edge_agent.daemon.preload import prepare_environment  # noqa: PLC0415  (text does not need it)

    prepare_environment()
    from drivers.passport.reading import warm  # noqa: PLC0415  (reads that environment)

    warm()
    with_progress = not as_json and len(files) > 1 and sys.stderr.isatty()
    steps = track(files, "Reading", console=errors, transient=True) if with_progress else files
    if picture is not None:
        _draw(files[0], picture)
    _show((_read_file(file) for file in steps), as_json=as_json)


@app.command()
def mrz(as_json: JsonOption = False) -> None:
    """Parse and check machine readable zones given as text on standard input, separated by empty lines.

    Exit codes: 0 every document is valid, 1 at least one is not, 2 wrong arguments.

    Examples:

      edge-agent read mrz < zones.txt

      xclip -o | edge-agent read mrz --json
    """
    _show((_parse(text) for text in _documents(sys.stdin)), as_json=as_json)


def _read_file(file: Path) -> Result:
    from drivers.passport.reading import read_picture  # noqa: PLC0415
    from edge_agent.events.passport import Source  # noqa: PLC0415
    from edge_agent.processing.images import ImageError, decode  # noqa: PLC0415

    try:
        if file.stat().st_size > MAX_BYTES:
            return _failed(file, f"The file is larger than {MAX_BYTES >> 20} MiB.")
        image = decode(file.read_bytes())
        read = read_picture(image, source=Source.PAGE)
    except ImageError as error:
        return _failed(file, error.message)
    except OSError as error:
        return _failed(file, f"{error.strerror}.")
    return _result(str(file), read)


def _draw(file: Path, picture: Path) -> None:
    """Draw the reading of a file; what is wrong with the file itself, the reading says."""
    from edge_agent.processing.images import ImageError, decode, encode  # noqa: PLC0415
    from edge_agent.processing.mrz.overlay import overlay  # noqa: PLC0415
    from edge_agent.processing.mrz.page import read_page  # noqa: PLC0415
    from edge_agent.processing.mrz.parse import parse  # noqa: PLC0415

    try:
        image = decode(file.read_bytes())
    except (OSError, ImageError):
        return
    reading = read_page(image)
    try:
        picture.write_bytes(encode(overlay(image, reading, parse(reading.lines)), picture.suffix))
    except (OSError, ValueError) as error:
        errors.print(f"edge-agent read: {picture} cannot be written: {error}", markup=False)
        raise typer.Exit(Exit.USAGE) from None


def _parse(text: str) -> Result:
    from drivers.passport.event import passport_read  # noqa: PLC0415
    from edge_agent.events.passport import Source  # noqa: PLC0415
    from edge_agent.processing.mrz.parse import parse  # noqa: PLC0415

    started = time.perf_counter()
    parsed = parse(text)
    milliseconds = round((time.perf_counter() - started) * 1000, 3)
    read = passport_read(parsed, source=Source.SWIPE, engine="", milliseconds=milliseconds)
    return _result(None, read)


def _result(file: str | None, read: PassportRead) -> Result:
    data = read.model_dump(mode="json")
    said = {name: data[name] for name in ("format", "lines", "fields", "checks", "valid", "confidence")}
    return {"file": file, **said, "ms": read.milliseconds, "error": read.problem or None}


def _failed(file: Path, why: str) -> Result:
    nothing: Result = {"format": None, "lines": [], "fields": {}, "checks": {}, "valid": False, "confidence": None}
    return {"file": str(file), **nothing, "ms": None, "error": why}


def _documents(lines: Iterator[str]) -> Iterator[str]:
    for empty, group in itertools.groupby(lines, key=lambda line: not line.strip()):
        if not empty:
            yield "".join(group)


def _show(results: Iterator[Result], *, as_json: bool) -> None:
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
