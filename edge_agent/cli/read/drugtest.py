"""``edge-agent read drugtest``: colour tests in pictures and films."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.markup import escape
from rich.table import Table

from edge_agent.cli.console import Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from drivers.drugkit.colour_reading import References
    from drivers.drugkit.side_data import Kit
    from edge_agent.events.drugkit import ColourTestRead

MAX_BYTES = 512 * 1024**2
_VERDICTS = {
    "consistent": "[yellow]consistent with[/]",
    "not_consistent": "[cyan]not consistent with any of the table[/]",
    "inconclusive": "[red]inconclusive[/]",
}


def drugtest(
    files: Annotated[
        list[Path], typer.Argument(help="Pictures (8 or 16 bits) or films with the card.", show_default=False)
    ],
    reagent: Annotated[str, typer.Option("--reagent", "-r", help="A.1 to A.12 as in NIJ 0604.01, or scott.")] = "",
    seconds: Annotated[float | None, typer.Option("--seconds", help="From the drop to the picture.", min=0)] = None,
    card: Annotated[Path | None, typer.Option("--card", help="What was measured of this print (CSV).")] = None,
    illuminant: Annotated[str, typer.Option("--illuminant", help="Of that measurement: D50 or D65.")] = "D50",
    lot: Annotated[str, typer.Option("--lot", help="Of the kit.")] = "",
    discard: Annotated[
        datetime | None, typer.Option("--discard", help="Discard date of the kit.", formats=["%Y-%m-%d"])
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option("--picture", "-p", help="Write the picture with what was read drawn over it; one FILE only."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read the colour of a test on its reference card, and say what it is consistent with. Presumptive, always.

    With a reagent that takes several steps (A.3, scott), several FILES are its steps in their order. Which test it is
    a picture may also say itself, as JSON in its EXIF ImageDescription.

    Exit codes: 0 each could be judged, 1 at least one is inconclusive, 2 wrong arguments.

    Examples:

      edge-agent read drugtest --reagent A.5 --seconds 80 ampoule.jpg

      edge-agent read drugtest --reagent scott step-1.tif step-2.tif step-3.tif

      edge-agent read drugtest --reagent A.5 --json --picture seen.png reaction.mp4
    """
    from drivers.drugkit.side_data import Kit  # noqa: PLC0415  (heavy, and not needed for --help)
    from edge_agent.processing.colourtest.sequence import known_tests  # noqa: PLC0415

    tests = known_tests()
    if reagent and reagent not in tests:
        _usage(f'there is no reagent "{reagent}"; there are: {", ".join(tests)}')
    if picture is not None and len(files) != 1:
        _usage("--picture needs exactly one file to read")
    steps = len(tests[reagent].steps) if reagent else 1
    in_steps = steps > 1 and 1 < len(files) <= steps
    kit = Kit(reagent=reagent, lot=lot, discard=discard.date() if discard else None, seconds=seconds)
    conclusive = _read_all(files, kit, _references(card, illuminant), picture, in_steps=in_steps, as_json=as_json)
    if not conclusive:
        raise typer.Exit(Exit.FAILED)


def _read_all(
    files: list[Path], kit: Kit, references: References, picture: Path | None, *, in_steps: bool, as_json: bool
) -> bool:
    """Read and print each; false if one is inconclusive. Of a test in steps only the last counts."""
    from dataclasses import replace  # noqa: PLC0415

    from drivers.drugkit.colour_reading import Memory, read_file  # noqa: PLC0415
    from drivers.folder import RejectedError  # noqa: PLC0415
    from edge_agent.events.drugkit import ColourTestRead  # noqa: PLC0415

    memory, conclusive = Memory(), True
    for number, file in enumerate(files, 1):
        try:
            if file.stat().st_size > MAX_BYTES:
                raise RejectedError("too-large", f"The file is larger than {MAX_BYTES >> 20} MiB.")
            data = file.read_bytes()
            content = read_file(data, replace(kit, test="files", step=number) if in_steps else kit, references, memory)
        except (RejectedError, OSError) as error:
            why = f"{error.strerror}." if isinstance(error, OSError) else str(error)
            if as_json:
                print(json.dumps({"file": str(file), "error": why}), flush=True)
            else:
                errors.print(f"{file}: {why}", markup=False)
            conclusive = False
            continue
        read = content.data
        assert isinstance(read, ColourTestRead)
        conclusive &= read.verdict != "inconclusive" or (in_steps and number < len(files))
        if as_json:
            print(json.dumps({"file": str(file), **read.model_dump(mode="json"), "error": None}), flush=True)
        else:
            _print(file, read)
        if picture is not None:
            _draw(content.evidence[0].data if content.evidence else data, read, picture)
    return conclusive


def _usage(message: str) -> NoReturn:
    errors.print(f"edge-agent read: {message}", markup=False)
    raise typer.Exit(Exit.USAGE)


def _references(card: Path | None, illuminant: str) -> References:
    from edge_agent.processing.colourtest.measured import MeasuredError, from_csv  # noqa: PLC0415

    if card is None:
        return None
    if illuminant not in {"D50", "D65"}:
        _usage("--illuminant is D50 or D65")
    try:
        return from_csv(card.read_text(), illuminant)
    except (OSError, UnicodeDecodeError, MeasuredError) as error:
        _usage(f"{card}: {error}")


def _print(file: Path, read: ColourTestRead) -> None:
    name = str(file) if str(file).isprintable() else ascii(str(file))[1:-1]
    said = _VERDICTS[read.verdict]
    console.print(f"{said}  {read.reagent} {read.reagent_name}  {escape(name)}  [dim]{read.milliseconds:.0f} ms[/]")
    if read.problem:
        console.print(f"  {read.problem}", markup=False, style="yellow")
    table = Table.grid(padding=(0, 2))
    for group in read.groups:
        table.add_row(
            f"  {group.name}", f"{', '.join(group.munsell)}  dE00 {group.distance:.1f}", ", ".join(group.substances)
        )
    for label, value in _facts(read):
        table.add_row(f"  {label}", "", escape(value))
    console.print(table)
    console.print(f"  {read.notice}", markup=False, style="bold")
    console.print()


def _facts(read: ColourTestRead) -> list[tuple[str, str]]:
    facts = [
        ("consistent with", ", ".join(read.consistent_with)),
        ("not consistent with", ", ".join(read.not_consistent_with)),
        ("findings", ", ".join(read.findings)),
    ]
    if read.colour is not None:
        facts.append(("colour (L*, a*, b*)", f"{read.colour}  +- {read.uncertainty}"))
    if read.blank is not None:
        facts.append(("blank", str(read.blank)))
    if read.card is not None:
        card = read.card
        fit = f"dE00 median {card.residual_median}, p95 {card.residual_p95}; " if card.residual_median else ""
        facts.append(("card", f"{fit}{card.resolution} pixels/mm, {card.bits} bits"))
    if read.reaction_seconds is not None:
        facts.append(("seconds after the drop", f"{read.reaction_seconds:.0f}"))
    facts += [(f"step {step.number}", f"{step.name}: {step.colour or 'not seen'}") for step in read.steps]
    if read.kit_lot or read.discard_date:
        facts.append(("kit", f"lot {read.kit_lot or '?'}, to be discarded on {read.discard_date or '?'}"))
    return [(label, value) for label, value in facts if value]


def _draw(data: bytes, read: ColourTestRead, picture: Path) -> None:
    from edge_agent.processing.colourtest.locate import locate  # noqa: PLC0415
    from edge_agent.processing.colourtest.overlay import overlay  # noqa: PLC0415
    from edge_agent.processing.images import ImageError, decode, encode  # noqa: PLC0415

    try:
        image = decode(data, full_depth=True)
    except ImageError:
        return
    swatches = [(name, lab) for name, lab in (("sample", read.colour), ("blank", read.blank)) if lab is not None]
    lines = [
        f"{read.reagent} {read.reagent_name}: {read.verdict.replace('_', ' ')}",
        *(f"{group.name}, dE00 {group.distance:.1f}: {', '.join(group.substances)}" for group in read.groups[:6]),
        *([read.problem] if read.problem else []),
        f"{', '.join(read.findings)}",
        read.notice,
    ]
    try:
        located = locate(image) if image.ndim == 3 else None
        picture.write_bytes(encode(overlay(image, located, swatches, lines), picture.suffix))
    except (OSError, ValueError) as error:
        errors.print(f"edge-agent read: {picture} cannot be written: {error}", markup=False)
        raise typer.Exit(Exit.USAGE) from None
