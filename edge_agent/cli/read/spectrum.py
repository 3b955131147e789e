"""``edge-agent read spectrum``: files of spectrometers."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from edge_agent.cli.console import Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from drivers.drugkit.spectrum_reading import Site
    from edge_agent.calibration import Calibration
    from edge_agent.events.spectrum import SpectrumMeasured
    from edge_agent.processing.spectra.identify import Identified
    from edge_agent.processing.spectra.spectrum import Spectrum


class Measures(StrEnum):
    """What an instrument measures, for files that do not say."""

    RAMAN = "raman"
    INFRARED = "infrared"
    AUTO = "auto"


_VERDICTS = {
    "match": "[green]like one substance[/]",
    "several": "[yellow]like several[/]",
    "mixture": "[yellow]like a mixture[/]",
    "no_match": "[yellow]no match[/]",
    "not_compared": "[red]not compared[/]",
}


def spectrum(
    files: Annotated[
        list[Path], typer.Argument(help="Spectra: JCAMP-DX, Galactic SPC, columns of text.", show_default=False)
    ],
    library: Annotated[
        Path | None, typer.Option("--library", "-l", help="Compare with this library (`edge-agent library import`).")
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Correct the wavenumbers by this file, calibration/DEVICE.toml."),
    ] = None,
    polystyrene: Annotated[
        Path | None,
        typer.Option("--polystyrene", help="Or by this spectrum of polystyrene, of the same instrument."),
    ] = None,
    technique: Annotated[
        Measures, typer.Option("--technique", "-t", help="For files that do not say.")
    ] = Measures.AUTO,
    picture: Annotated[
        Path | None, typer.Option("--picture", "-p", help="Draw the spectrum, and what it is most like; one FILE only.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read spectra, and say what they are like. Presumptive, whatever it says.

    With --library they are compared, if the wavenumbers of the instrument were checked with polystyrene.

    Exit codes: 0 all are read (and with a library, each is like a substance or a mixture), 1 at least one is not,
    2 wrong arguments.

    Examples:

      edge-agent read spectrum sample.jdx --picture sample.png

      edge-agent read spectrum --library raman.spectra --polystyrene film.spc sample.spc --json
    """
    if picture is not None and len(files) != 1:
        errors.print("edge-agent read: --picture needs exactly one file to read")
        raise typer.Exit(Exit.USAGE)
    from edge_agent.daemon.preload import prepare_environment  # noqa: PLC0415

    prepare_environment()
    site = _site(library, calibration, polystyrene, technique)
    good = True
    for file in files:
        good &= _show(file, site, picture, as_json=as_json)
    if not good:
        raise typer.Exit(Exit.FAILED)


def _site(library: Path | None, calibration: Path | None, polystyrene: Path | None, technique: Measures) -> Site:
    from drivers.drugkit.spectrum_reading import Site  # noqa: PLC0415  (heavy, and not needed for --help)
    from edge_agent.calibration import CalibrationError, load  # noqa: PLC0415
    from edge_agent.processing.spectra.spectrum import SpectrumError, Technique  # noqa: PLC0415
    from edge_agent.spectral_library import LibraryError  # noqa: PLC0415
    from edge_agent.spectral_library import load as load_library  # noqa: PLC0415

    kind = Technique.OTHER if technique is Measures.AUTO else Technique(technique.value)
    try:
        opened = load_library(library) if library is not None else None
        known = load(calibration) if calibration is not None else None
        if calibration is not None and known is None:
            raise CalibrationError(f"There is no calibration {calibration}.")
        if polystyrene is not None:
            known = _measured(polystyrene, kind)
    except (LibraryError, CalibrationError) as error:
        errors.print(f"edge-agent read: {error}", markup=False)
        raise typer.Exit(Exit.USAGE) from None
    except SpectrumError as error:
        errors.print(f"edge-agent read: {polystyrene}: {error.message}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    except OSError as error:
        errors.print(f"edge-agent read: {polystyrene}: {error.strerror}", markup=False)
        raise typer.Exit(Exit.USAGE) from None
    return Site(kind, opened, known)


def _measured(polystyrene: Path, kind: Any) -> Calibration:
    from drivers.drugkit.wavenumbers import as_calibration, measured  # noqa: PLC0415

    return as_calibration(measured(polystyrene.read_bytes(), kind), str(polystyrene))


def _show(file: Path, site: Site, picture: Path | None, *, as_json: bool) -> bool:
    """Print what a file says; whether it is read, and like something if it was compared."""
    from drivers.drugkit.spectrum_reading import measure  # noqa: PLC0415
    from edge_agent.driver import DriverError  # noqa: PLC0415
    from edge_agent.processing.spectra.read import MAX_BYTES  # noqa: PLC0415
    from edge_agent.processing.spectra.spectrum import SpectrumError  # noqa: PLC0415

    event, problem = None, ""
    try:
        if file.stat().st_size > MAX_BYTES:
            problem = f"The file is larger than {MAX_BYTES >> 20} MiB."
        else:
            event, drawn, found = measure(file.read_bytes(), site)
    except SpectrumError as error:
        problem = error.message
    except DriverError as error:
        problem = str(error)
    except OSError as error:
        problem = f"{error.strerror}."
    if as_json:
        said = event.model_dump(mode="json") if event is not None else {}
        print(json.dumps({"file": str(file), **said, "error": problem or None}), flush=True)
    else:
        _print(file, event, problem)
    if event is None:
        return False
    if picture is not None:
        _draw(picture, event, drawn, found, site)
    return site.library is None or event.verdict in {"match", "several", "mixture"}


def _print(file: Path, event: SpectrumMeasured | None, problem: str) -> None:
    name = str(file) if str(file).isprintable() else ascii(str(file))[1:-1]
    if event is None:
        console.print(f"[red]unread[/]  {escape(name)}\n  {escape(problem)}\n", soft_wrap=True)
        return
    unit = event.x_unit or "of unknown unit"
    console.print(
        f"{_VERDICTS[event.verdict]}  {escape(name)}  [dim]{event.milliseconds:.0f} ms[/]\n  {event.technique}"
        f" (category {event.category or 'unknown'}, presumptive), {event.points} points,"
        f" {event.x_first:g} to {event.x_last:g} {escape(unit)}"
        + (f", 1 of {event.spectra}" if event.spectra > 1 else ""),
        soft_wrap=True,
    )
    if event.consistent_with:
        console.print(f"  consistent with: {'; '.join(event.consistent_with)}", markup=False, style="bold")
    for text in (event.problem, *event.doubts):
        if text:
            console.print(f"  {text}", markup=False, style="yellow", soft_wrap=True)
    for label, text in event.instrument_says.items():
        console.print(f"  the instrument says {label}: {text}", markup=False)
    for mobility in event.mobilities:
        console.print(f"  reduced mobility {mobility.k0:g} cm2/(V s)  {mobility.name}", markup=False)
    if event.candidates:
        table = Table("candidate", "CAS", "derivative", "bands", "masked", box=None, padding=(0, 2))
        for each in event.candidates[:5]:
            numbers = (f"{value:.3f}" for value in (each.derivative, each.correlation, each.masked))
            table.add_row(escape(each.name), escape(each.cas), *numbers)
        console.print(table)
        console.print(f"  margin to the next substance {event.margin:.3f}; library {escape(event.library)}")
    console.print()


def _draw(picture: Path, event: SpectrumMeasured, spectrum: Spectrum, found: Identified | None, site: Site) -> None:
    from edge_agent.processing.images import encode  # noqa: PLC0415
    from edge_agent.processing.spectra.plot import plot  # noqa: PLC0415

    curves = [("measured", spectrum.x, spectrum.y)]
    if found is not None and site.library is not None:
        shelf = site.library.shelf
        for hit in found.hits[:2]:
            own = slice(int(shelf.starts[hit.entry]), int(shelf.ends[hit.entry]))
            bands = shelf.bands.exact[hit.entry][own].astype("f8")
            label = f"{site.library.entries[hit.entry].name}  {hit.derivative:.2f}"
            curves.append((label, shelf.grid.x()[own], bands))
    title = (
        event.verdict.replace("_", " ")
        + ", presumptive"
        + (f": {'; '.join(event.consistent_with)}" * bool(event.consistent_with))
    )
    image = plot(title, event.x_unit, curves)
    try:
        picture.write_bytes(encode(image, picture.suffix))
    except (OSError, ValueError) as error:
        errors.print(f"edge-agent read: {picture} cannot be written: {error}", markup=False)
        raise typer.Exit(Exit.USAGE) from None
