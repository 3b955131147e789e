"""``edge-agent calibrate spectrum``: the wavenumbers of a spectrometer against polystyrene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from edge_agent import calibration
from edge_agent.cli.calibrate.device import find_device
from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, console, errors

if TYPE_CHECKING:
    from edge_agent.processing.spectra.polystyrene import Check
    from edge_agent.processing.spectra.spectrum import Spectrum

KINDS = ("drugkit.spectrum", "drugkit.spectrum-serial")


def spectrum(
    device: Annotated[str, typer.Argument(help="Name of the device, as in its file.", show_default=False)],
    file: Annotated[
        Path, typer.Argument(help="The spectrum of polystyrene that it has just measured.", show_default=False)
    ],
    fixture: Annotated[
        str, typer.Option("--fixture", help="Which test piece: its number, or what is written on it.")
    ] = "polystyrene",
    picture: Annotated[
        Path | None, typer.Option("--picture", "-p", help="Draw the spectrum with the lines that were found.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what was measured, and keep nothing.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Measure how far a spectrometer's wavenumbers are off, by the lines of polystyrene, and correct them from now on.

    Reference lines: ASTM E1840 (Raman), European Pharmacopoeia 2.2.24 (infrared).

    Exit codes: 0 kept, 1 refused, and why, 2 wrong arguments.

    Examples:

      sudo -u edge-agent edge-agent calibrate spectrum lane-1-spectrometer film.spc --fixture "film 7"

      edge-agent calibrate spectrum lane-1-spectrometer film.jdx --dry-run --picture film.png
    """
    found = find_device(device, config)
    if found.settings.driver not in KINDS:
        errors.print(f"edge-agent calibrate: {device} is no spectrometer ({found.settings.driver})", markup=False)
        raise typer.Exit(Exit.USAGE)
    from drivers.drugkit.wavenumbers import as_calibration, measured, usable  # noqa: PLC0415
    from edge_agent.processing.spectra.polystyrene import TOLERANCE  # noqa: PLC0415  (heavy, not needed for --help)
    from edge_agent.processing.spectra.spectrum import SpectrumError, Technique  # noqa: PLC0415

    said = str(getattr(found.settings.settings, "technique", "auto"))
    technique = Technique.OTHER if said == "auto" else Technique(said)
    try:
        data = file.read_bytes()
        check = measured(data, technique)
    except OSError as error:
        errors.print(f"edge-agent calibrate: {file}: {error.strerror}", markup=False)
        raise typer.Exit(Exit.USAGE) from None
    except SpectrumError as error:
        errors.print(f"edge-agent calibrate: refused: {error.message}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    _print(check)
    if picture is not None:
        _draw(picture, usable(data, technique), check)
    if dry_run:
        console.print("Nothing was kept (--dry-run).")
        return
    try:
        before = calibration.load(found.calibration)
        calibration.save(found.calibration, as_calibration(check, fixture))
    except calibration.CalibrationError as error:
        errors.print(f"edge-agent calibrate: {error}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    off = "needed" if check.needed else f"small: within {TOLERANCE:g} 1/cm even without it"
    console.print(
        f"[green]kept[/] for {device}; the correction is {off}."
        + (
            f" The one of {before.made:%Y-%m-%d} can be had back with `edge-agent calibrate undo {device}`."
            if before
            else ""
        )
    )


def _print(check: Check) -> None:
    import numpy as np  # noqa: PLC0415

    table = Table("line 1/cm", "found at", "off by", "corrected to", "off by", box=None, padding=(0, 2))
    for line in check.lines:
        corrected = line.found + float(check.correction.at(np.array([line.found]))[0])
        table.add_row(
            f"{line.reference:.1f}",
            f"{line.found:.1f}",
            f"{line.found - line.reference:+.1f}",
            f"{corrected:.1f}",
            f"{corrected - line.reference:+.1f}",
        )
    for line in check.strays:
        table.add_row(f"{line.reference:.1f}", f"{line.found:.1f}", "left out: it does not fit the others", "", "")
    console.print(table)
    console.print(f"  worst {check.worst:.1f} 1/cm as measured, {check.residual:.1f} after the correction")


def _draw(picture: Path, spectrum: Spectrum, check: Check) -> None:
    from edge_agent.processing.images import encode  # noqa: PLC0415
    from edge_agent.processing.spectra.plot import plot  # noqa: PLC0415

    marks = [(line.found, f"{line.reference:.0f}") for line in check.lines]
    image = plot(f"polystyrene, worst {check.worst:.1f} 1/cm", "1/cm", [("measured", spectrum.x, spectrum.y)], marks)
    try:
        picture.write_bytes(encode(image, picture.suffix))
    except (OSError, ValueError) as error:
        errors.print(f"edge-agent calibrate: {picture} cannot be written: {error}", markup=False)
        raise typer.Exit(Exit.USAGE) from None
