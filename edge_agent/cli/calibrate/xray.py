"""``edge-agent calibrate xray``: the daily routine of an X-ray scanner, and its material curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.table import Table

from edge_agent import calibration
from edge_agent.cli.calibrate.device import Device, find_device
from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from drivers.xray.settings import XraySettings
    from edge_agent.events.xray import XrayQuality
    from edge_agent.processing.xray.quality import Health
    from edge_agent.processing.xray.scan import Scan

KINDS = ("xray.folder", "xray.dicos")
_STATES = {
    "ok": "[green]ok[/]",
    "drifting": "[yellow]drifting[/]",
    "outside": "[red]OUTSIDE[/]",
    "unknown": "[dim]-[/]",
}


def xray(
    device: Annotated[str, typer.Argument(help="Name of the scanner, as in its file.", show_default=False)],
    files: Annotated[list[Path], typer.Argument(help="The files of one scan of the test piece.", show_default=False)],
    check: Annotated[
        bool, typer.Option("--check", help="Only measure: the material curves stay as they are. For every day.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", "-r", help="Write a report with pictures: one HTML file.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Measure an X-ray scanner with a scan of its test piece, and calibrate its material curves.

    Wires, penetration, wedges, sharpness, materials, open beam, dark level and dead elements are measured, compared
    with the site's limits in the device's file and with the kept history, and told in an event by the running agent.
    Without --check the curves that tell materials apart are fitted to the wedges, and kept if they fit.

    Exit codes: 0 kept, and with --check nothing is beyond a limit; 1 refused, and why, or with --check something is
    beyond its limit; 2 wrong arguments.

    Examples:

      sudo -u edge-agent edge-agent calibrate xray lane-3-xray piece_low.dcs piece_high.dcs

      sudo -u edge-agent edge-agent calibrate xray lane-3-xray --check --report today.html piece_*.dcs
    """
    found = find_device(device, config)
    if found.settings.driver not in KINDS:
        errors.print(f"edge-agent calibrate: {device} is no X-ray scanner, but {found.settings.driver}", markup=False)
        raise typer.Exit(Exit.USAGE)
    from edge_agent.daemon.preload import prepare_environment  # noqa: PLC0415

    prepare_environment()
    from drivers.xray import health, piece, routine  # noqa: PLC0415  (reads that environment)
    from edge_agent.driver import DriverError  # noqa: PLC0415
    from edge_agent.processing.xray.calibration import CalibrationError  # noqa: PLC0415
    from edge_agent.processing.xray.scan import ScanError  # noqa: PLC0415

    settings: XraySettings = found.settings.settings  # type: ignore[assignment]  # by its driver
    history_file = health.history_of(device, found.state)
    history = health.load(history_file)
    try:
        described = piece.load(settings.test_piece)
        before = calibration.load(found.calibration)
        scan = routine.with_dark(_read(files, settings), before)
        measured, quality = routine.examine(scan, described, before, history, settings)
    except (DriverError, ScanError, CalibrationError, calibration.CalibrationError) as error:
        _refuse(getattr(error, "message", "") or str(error))
    except OSError as error:
        _refuse(f"{error.filename}: {error.strerror}")
    refused, kept = "", None
    if not check:
        try:
            kept = routine.calibrate(measured, described, highest_kev=settings.highest_kev)
        except CalibrationError as error:
            refused = f"The calibration is refused: {error}"
    if report is not None:
        _report(report, device, quality, history, scan, measured, refused)
    _keep(found, kept, history_file, quality)
    if as_json:
        print(quality.model_dump_json())
    else:
        _show(quality)
    if refused:
        _refuse(refused)
    if kept is not None and not as_json:
        misfit = kept.values["curves"]["misfit"]
        console.print(
            f"Calibrated: the wedges fit with an error of {misfit:.2%} on average. Kept in {found.calibration}."
        )
    if check and quality.verdict == "outside":
        raise typer.Exit(Exit.FAILED)


def _refuse(why: str) -> NoReturn:
    errors.print(f"edge-agent calibrate: {why}", markup=False)
    raise typer.Exit(Exit.FAILED)


def _read(files: Sequence[Path], settings: XraySettings) -> Scan:
    """The scan in its files.

    Raises:
        ScanError: they cannot be used.
    """
    from drivers.folder import File  # noqa: PLC0415
    from drivers.xray.formats.scan import Part, read  # noqa: PLC0415
    from drivers.xray.grouping import Grouping, described  # noqa: PLC0415
    from drivers.xray.layout import load  # noqa: PLC0415
    from edge_agent.processing.xray import plausible  # noqa: PLC0415
    from edge_agent.processing.xray.scan import ScanError  # noqa: PLC0415

    layout = load(getattr(settings, "layout", "dicos"))
    grouping = Grouping(layout, Path("/"))
    parts = []
    for path in files:
        place = grouping.belongs(File(str(path.resolve()), (0, 0, 0)))
        if place is None:
            raise ScanError("unknown-file", f"{path.name} is by its name no file of a scan of this scanner.")
        parts.append(Part(described(layout, place[1]), path.read_bytes()))
    return plausible.examine(read(parts, layout))


def _keep(found: Device, kept: calibration.Calibration | None, history_file: Path, quality: XrayQuality) -> None:
    from drivers.xray import health  # noqa: PLC0415

    try:
        if kept is not None:
            calibration.save(found.calibration, kept)
        health.add(history_file, quality)
    except (OSError, calibration.CalibrationError) as error:
        _refuse(f"It cannot be kept: {error}")


def _report(
    path: Path,
    device: str,
    quality: XrayQuality,
    history: Sequence[XrayQuality],
    scan: Scan,
    measured: Health,
    refused: str,
) -> None:
    from drivers.xray import page  # noqa: PLC0415
    from edge_agent.processing.xray.views import view  # noqa: PLC0415

    body = page.report(device, quality, history, view(scan), measured.places, [refused] if refused else [])
    try:
        path.write_bytes(body)
    except OSError as error:
        errors.print(f"edge-agent calibrate: {path} cannot be written: {error.strerror}", markup=False)
        raise typer.Exit(Exit.USAGE) from None


def _show(quality: XrayQuality) -> None:
    table = Table("figure", "value", "limits", "before", "per month", "", title=quality.fixture)
    table.columns[0].no_wrap = True
    for figure in quality.figures:
        limits = " to ".join("" if limit is None else f"{limit:g}" for limit in (figure.least, figure.most))
        table.add_row(
            figure.name,
            "-" if figure.value is None else f"{figure.value:.4g} {figure.unit}",
            limits if limits != " to " else "",
            "" if figure.before is None else f"{figure.before:.4g}",
            "" if figure.per_month is None else f"{figure.per_month:+.3g}",
            f"{_STATES[figure.state]} {figure.note if figure.state in {'drifting', 'outside'} else ''}",
        )
    console.print(table)
