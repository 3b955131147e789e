"""``edge-agent calibrate colourtest``: print the reference card, and take in what was measured of the print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.table import Table

from edge_agent import calibration
from edge_agent.cli.calibrate.device import find_device
from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, console, errors

_SHOWN = 8


def colourtest(
    device: Annotated[
        str, typer.Argument(help="Name of the device, as in its file; not for --print-card.", show_default=False)
    ] = "",
    print_card: Annotated[
        Path | None, typer.Option("--print-card", help="Write the card to be printed: a .pdf or a .png.")
    ] = None,
    measured: Annotated[
        Path | None, typer.Option("--measured", help="What a spectrophotometer measured of the print: CSV, see below.")
    ] = None,
    illuminant: Annotated[str, typer.Option("--illuminant", help="Of the measurement: D50 or D65, 2 degrees.")] = "D50",
    card: Annotated[str, typer.Option("--card", help="Number of the print, as written on it.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Print the reference card for colour tests, and take in once for each print which colours it really has.

    The CSV has the columns patch, L, a, b (CIELAB) and one row for each of the 30 colours: the 24 patches row by row by
    their names ("dark skin" to "black 2"), and "ramp 1" (light) to "ramp 6" (dark). Names that are missing are shown.

    Exit codes: 0 kept or written, 1 refused, and why, 2 wrong arguments.

    Examples:

      edge-agent calibrate colourtest --print-card card.pdf

      sudo -u edge-agent edge-agent calibrate colourtest lane-1-colourtest --measured card-7.csv --card 7
    """
    if (print_card is None) == (measured is None) or (measured is not None and not device):
        _fail("either --print-card FILE, or DEVICE --measured CSV", Exit.USAGE)
    if print_card is not None:
        _print(print_card)
    if measured is not None:
        _keep(device, measured, illuminant, card, config)


def _print(file: Path) -> None:
    from edge_agent.processing.colourtest.printing import card_pdf, card_png  # noqa: PLC0415  (heavy)

    makers = {".pdf": card_pdf, ".png": card_png}
    if file.suffix.lower() not in makers:
        _fail("the card is written as .pdf or .png", Exit.USAGE)
    try:
        file.write_bytes(makers[file.suffix.lower()]())
    except OSError as error:
        _fail(f"{file} cannot be written: {error.strerror}", Exit.FAILED)
    console.print(f"{file}: print it at 100 % without colour correction, and measure the print once.", markup=False)


def _keep(device: str, measured: Path, illuminant: str, card: str, config: Path) -> None:
    from edge_agent.processing.colourtest.measured import (  # noqa: PLC0415  (heavy)
        MeasuredError,
        from_csv,
        off_nominal,
        to_values,
    )

    if illuminant not in {"D50", "D65"}:
        _fail("--illuminant is D50 or D65", Exit.USAGE)
    found = find_device(device, config, kind="drugkit.colourtest")
    try:
        labs = from_csv(measured.read_text(), illuminant)
    except OSError as error:
        _fail(f"{measured}: {error.strerror}", Exit.USAGE)
    except (UnicodeDecodeError, MeasuredError) as error:
        _fail(f"{measured} is refused: {error}", Exit.FAILED)
    off = off_nominal(labs)
    table = Table("colour", "L*", "a*", "b*", "dE00 from what was to be printed")
    for name in sorted(off, key=lambda name: -off[name])[:_SHOWN]:
        table.add_row(name, *(f"{value:.1f}" for value in labs[name]), f"{off[name]:.1f}")
    console.print(table)
    try:
        calibration.save(
            found.calibration,
            calibration.Calibration(
                fixture=f"reference card {card}".strip(),
                readings={"illuminant": illuminant, "largest_difference": round(max(off.values()), 2)},
                values=to_values(labs),
            ),
        )
    except calibration.CalibrationError as error:
        _fail(str(error), Exit.FAILED)
    console.print(f"Kept in {found.calibration}; used from now on.", markup=False)


def _fail(message: str, code: Exit) -> NoReturn:
    errors.print(f"edge-agent calibrate: {message}", markup=False)
    raise typer.Exit(code)
