"""``edge-agent read barcode``: bar codes in pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import track

from edge_agent.cli.console import Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from edge_agent.events.inspection import BarcodeRead

MAX_BYTES = 256 * 1024**2


def barcode(
    files: Annotated[list[Path], typer.Argument(help="Pictures: JPEG, PNG, TIFF, BMP, WebP.", show_default=False)],
    picture: Annotated[
        Path | None,
        typer.Option("--picture", "-p", help="Write the picture with what was read drawn over it; one FILE only."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.05, max=60, help="How long to look at a picture at most.")] = 1.5,
    as_json: JsonOption = False,
) -> None:
    """Read the bar codes in pictures. Their contents stay text: no link is opened.

    Exit codes: 0 something was read in every picture, 1 in at least one nothing was, 2 wrong arguments.

    Examples:

      edge-agent read barcode waybill.jpg

      edge-agent read barcode --json papers/*.jpg > codes.jsonl

      edge-agent read barcode --picture seen.png waybill.jpg
    """
    if picture is not None and len(files) != 1:
        errors.print("edge-agent read: --picture needs exactly one file to read")
        raise typer.Exit(Exit.USAGE)
    with_progress = not as_json and len(files) > 1 and errors.is_terminal
    steps = track(files, "Reading", console=errors, transient=True) if with_progress else files
    everything = True
    for file in steps:
        events, damaged, problem = _read(file, seconds, picture)
        everything &= bool(events)
        if as_json:
            codes = [_shown(event) for event in events]
            print(json.dumps({"file": str(file), "codes": codes, "damaged": damaged, "error": problem}), flush=True)
        else:
            _print(file, events, damaged, problem)
    if not everything:
        raise typer.Exit(Exit.FAILED)


def _read(file: Path, seconds: float, picture: Path | None) -> tuple[list[BarcodeRead], int, str | None]:
    """The events of a picture, how many codes are damaged, and what is wrong with the file."""
    from drivers.inspection.barcode_reading import events  # noqa: PLC0415  (heavy, and not needed for --help)
    from edge_agent.events.evidence import sha256  # noqa: PLC0415
    from edge_agent.processing.barcode.overlay import overlay  # noqa: PLC0415
    from edge_agent.processing.barcode.read import read  # noqa: PLC0415
    from edge_agent.processing.images import ImageError, decode, encode  # noqa: PLC0415

    try:
        if file.stat().st_size > MAX_BYTES:
            return [], 0, f"The file is larger than {MAX_BYTES >> 20} MiB."
        data = file.read_bytes()
        image = decode(data)
    except ImageError as error:
        return [], 0, error.message
    except OSError as error:
        return [], 0, f"{error.strerror}."
    reading = read(image, seconds)
    if picture is not None:
        try:
            picture.write_bytes(encode(overlay(image, reading.symbols), picture.suffix))
        except (OSError, ValueError) as error:
            errors.print(f"edge-agent read: {picture} cannot be written: {error}", markup=False)
            raise typer.Exit(Exit.USAGE) from None
    problem = None if reading.symbols else "No bar code was read."
    return events(reading, "picture", sha256(data)), reading.damaged, problem


def _shown(event: BarcodeRead) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"picture", "number", "of", "damaged", "source"})


def _print(file: Path, events: list[BarcodeRead], damaged: int, problem: str | None) -> None:
    name = str(file) if str(file).isprintable() else ascii(str(file))[1:-1]
    console.print(f"[bold]{len(events)}[/] in", name, style=None if events else "yellow", soft_wrap=True)
    for event in events:
        said = event.text if event.text is not None else f"base64:{event.base64}"
        console.print(f"  {event.format}", style="green", end="  ")
        console.print(ascii(said)[1:-1] if not said.isprintable() else said, markup=False, soft_wrap=True)
        for line in _meaning(event):
            console.print(f"    {line}", markup=False, soft_wrap=True)
    if damaged:
        console.print(f"  {damaged} more can be seen whose checks fail", style="yellow")
    if problem:
        console.print(f"  {problem}", markup=False, style="yellow")


def _meaning(event: BarcodeRead) -> list[str]:
    lines = [
        f"({element.ai}) {element.title}: {element.meaning or element.value}{'' if element.valid else '  NOT VALID'}"
        for element in event.elements
    ]
    lines += [f"container {number}, check digit right" for number in event.containers]
    lines += [f"container {number}, check digit WRONG" for number in event.doubtful_containers]
    if event.boarding_pass is not None:
        lines.append(f"boarding pass: {event.boarding_pass.surname}, {event.boarding_pass.given_names}")
        lines += [
            f"{leg.carrier} {leg.flight}  {leg.origin} to {leg.destination}, day {leg.day} of the year, seat {leg.seat}"
            for leg in event.boarding_pass.legs
        ]
    return lines
