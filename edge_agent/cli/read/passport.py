"""``edge-agent read passport``: machine readable zones in pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from edge_agent.cli.console import Exit, JsonOption, errors
from edge_agent.cli.read.zones import Result, failed, result, show

MAX_BYTES = 256 * 1024**2


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
    show((_read_file(file) for file in steps), as_json=as_json)


def _read_file(file: Path) -> Result:
    from drivers.passport.reading import read_picture  # noqa: PLC0415
    from edge_agent.events.passport import Source  # noqa: PLC0415
    from edge_agent.processing.images import ImageError, decode  # noqa: PLC0415

    try:
        if file.stat().st_size > MAX_BYTES:
            return failed(file, f"The file is larger than {MAX_BYTES >> 20} MiB.")
        image = decode(file.read_bytes())
        read = read_picture(image, source=Source.PAGE)
    except ImageError as error:
        return failed(file, error.message)
    except OSError as error:
        return failed(file, f"{error.strerror}.")
    return result(str(file), read)


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
