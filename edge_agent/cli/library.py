"""``edge-agent library``: a site's own libraries of spectra."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from edge_agent.cli.console import Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from edge_agent.spectral_library import Library

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)


class Kind(StrEnum):
    """What spectra a library holds."""

    RAMAN = "raman"
    INFRARED = "infrared"


@app.callback()
def library() -> None:
    """Make and look at a site's own libraries of spectra. None comes with the agent.

    Exit codes: 0 done, 1 it cannot be made or used, and why, 2 wrong arguments.
    """


LibraryArgument = Annotated[Path, typer.Argument(help="File of the library.", show_default=False)]


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Spectra: JCAMP-DX, SPC, columns of text.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="File of the library to make.", show_default=False)],
    technique: Annotated[Kind, typer.Option("--technique", "-t", help="What is taken of the folder.")],
    licence: Annotated[str, typer.Option("--licence", help="Under which all of it is held.")] = "",
    source: Annotated[str, typer.Option("--source", help="Who measured or published it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a library of a folder of spectra, with licence and provenance for each entry.

    A MANIFEST.csv in the folder may give name, cas, licence and source for each file. What cannot be read is named.

    Exit codes: 0 made, 1 nothing to make it of, or an entry without licence, 2 wrong arguments.

    Examples:

      edge-agent library import spectra/ /var/lib/edge-agent/libraries/raman.spectra -t raman --licence "own work"

      edge-agent library import --technique infrared --licence "CC BY 4.0" --source "University X" ftir/ ftir.spectra
    """
    from edge_agent.processing.spectra.spectrum import Technique  # noqa: PLC0415  (heavy, and not needed for --help)
    from edge_agent.spectral_library import Import, LibraryError, Provenance  # noqa: PLC0415

    try:
        making = Import(folder, Technique(technique.value), Provenance(licence, source))
        shown = track(
            making,
            "Reading",
            total=len(making.files),
            console=errors,
            transient=True,
            disable=as_json or not sys.stderr.isatty(),
        )
        taken = list(shown)
        count = making.write(out)
    except LibraryError as error:
        errors.print(f"edge-agent library: {error}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    left_out = [each for each in taken if each.problem]
    if as_json:
        problems = [{"file": each.file, "problem": each.problem} for each in left_out]
        print(json.dumps({"library": str(out), "entries": count, "left_out": problems}))
        return
    for each in left_out:
        console.print(f"  left out {each.file}: {each.problem}", markup=False, style="yellow", soft_wrap=True)
    console.print(f"[green]made[/] {escape(str(out))}: {count} {technique.value} spectra of {len(taken)} files")


@app.command("list")
def list_(file: LibraryArgument, as_json: JsonOption = False) -> None:
    """List a library: each entry with its licence and where it comes from. All of it is checked for damage.

    Exit codes: 0 done, 1 it is damaged or no library, 2 wrong arguments.

    Examples:

      edge-agent library list raman.spectra

      edge-agent library list raman.spectra --json
    """
    opened = _open(file)
    if as_json:
        for entry in opened.entries:
            print(entry.model_dump_json())
        return
    grid = opened.shelf.grid
    table = Table("name", "CAS", "licence", "source", box=None, padding=(0, 2))
    for entry in opened.entries:
        table.add_row(*map(escape, (entry.name, entry.cas, entry.licence, entry.source)))
    console.print(table)
    console.print(
        f"{len(opened.entries)} {opened.shelf.technique.value} spectra of {len(set(opened.substances))} substances, "
        f"{grid.first:g} to {grid.first + grid.step * (grid.count - 1):g} 1/cm every {grid.step:g}; "
        f"identity {opened.identity}"
    )


@app.command("search")
def search_(
    file: LibraryArgument,
    spectrum: Annotated[Path, typer.Argument(help="Spectrum to look for.", show_default=False)],
    technique: Annotated[Kind | None, typer.Option("--technique", "-t", help="If the file does not say.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the entries most like a spectrum, as it is: no verdict, and no check of the instrument's wavenumbers.

    What may be said of a sample, `edge-agent read spectrum --library` says.

    Exit codes: 0 done, 1 the library or the spectrum cannot be used, 2 wrong arguments.

    Examples:

      edge-agent library search raman.spectra sample.spc
    """
    from edge_agent.daemon.preload import prepare_environment  # noqa: PLC0415

    prepare_environment()
    opened = _open(file)
    from drivers.drugkit.wavenumbers import usable  # noqa: PLC0415  (heavy, and not needed for --help)
    from edge_agent.processing.spectra.prepare import prepare  # noqa: PLC0415
    from edge_agent.processing.spectra.search import search  # noqa: PLC0415
    from edge_agent.processing.spectra.spectrum import SpectrumError, Technique  # noqa: PLC0415

    try:
        kind = Technique(technique.value) if technique is not None else opened.shelf.technique
        hits = search(opened.shelf, prepare(usable(spectrum.read_bytes(), kind), opened.shelf.grid))
    except SpectrumError as error:
        errors.print(f"edge-agent library: {spectrum}: {error.message}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    except OSError as error:
        errors.print(f"edge-agent library: {spectrum}: {error.strerror}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    table = Table("name", "CAS", "derivative", "bands", "masked", box=None, padding=(0, 2))
    for hit in hits:
        entry = opened.entries[hit.entry]
        if as_json:
            likeness = {"correlation": hit.correlation, "derivative": hit.derivative, "masked": hit.masked}
            print(json.dumps({**entry.model_dump(), **likeness}))
        else:
            numbers = (f"{value:.3f}" for value in (hit.derivative, hit.correlation, hit.masked))
            table.add_row(escape(entry.name), escape(entry.cas), *numbers)
    if not as_json:
        console.print(table)


def _open(file: Path) -> Library:
    from edge_agent.spectral_library import LibraryError, load  # noqa: PLC0415  (heavy, and not needed for --help)

    try:
        return load(file)
    except LibraryError as error:
        errors.print(f"edge-agent library: {error}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
