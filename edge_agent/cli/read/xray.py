"""``edge-agent read xray``: scans of X-ray scanners, with what an officer ought to look at."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from edge_agent.cli.console import Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from drivers.xray.layout import Layout
    from drivers.xray.reading import Made, Reader
    from edge_agent.events.xray import XrayScan

MAX_BYTES = 512 * 1024**2
_BEGINNINGS = {b"II*\0": "tiff-pair", b"MM\0*": "tiff-pair", b"\xff\xd8\xff": "picture", b"\x89PNG": "picture"}


def xray(
    files: Annotated[
        list[Path], typer.Argument(help="Files of scans, or folders of them; those of one scan are found together.")
    ],
    picture: Annotated[
        Path | None,
        typer.Option("--picture", "-p", help="Write the scan with the proposals drawn over it; one scan only."),
    ] = None,
    layout: Annotated[
        str, typer.Option("--layout", "-l", help="dicos, fs6000, ase, tiff-pair, picture, or a layout file.")
    ] = "",
    view: Annotated[
        str, typer.Option("--view", help="What --picture shows: one of the operator's views.")
    ] = "composite",
    palette: Annotated[str, typer.Option("--palette", help="Colours of materials.")] = "standard",
    calibration: Annotated[
        Path | None, typer.Option("--calibration", help="The scanner's calibration file; else a textbook scanner.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Analyse scans of X-ray scanners: materials, and proposals of what to look at, with their reasons.

    Exit codes: 0 every scan could be analysed, 1 at least one could not, 2 wrong arguments.

    Examples:

      edge-agent read xray scan.dcs

      edge-agent read xray low.dcs high.dcs --picture seen.png

      edge-agent read xray --layout fs6000 20261123_0815/ --json
    """
    from edge_agent.daemon.preload import prepare_environment  # noqa: PLC0415

    prepare_environment()
    from drivers.xray.layout import load  # noqa: PLC0415
    from drivers.xray.reading import Reader, warm  # noqa: PLC0415  (reads that environment)
    from drivers.xray.settings import XraySettings  # noqa: PLC0415
    from edge_agent.driver import DriverError  # noqa: PLC0415

    paths = [each for path in files for each in (sorted(path.iterdir()) if path.is_dir() else [path])]
    try:
        described = load(layout or _guess(paths))
        reader = Reader("", XraySettings(folder=Path(), views=[view], palette=palette), described)
    except DriverError as error:
        errors.print(f"edge-agent read: {error}", markup=False)
        raise typer.Exit(Exit.USAGE) from None
    warm()
    if calibration is not None:
        reader.calibration_file = calibration
    sets = list(_sets(paths, described))
    if picture is not None and len(sets) != 1:
        errors.print(f"edge-agent read: --picture needs exactly one scan, and there are {len(sets)}")
        raise typer.Exit(Exit.USAGE)
    good = True
    for names, roles in sets:
        good &= _one(names, roles, reader, described, picture, view, palette, as_json=as_json)
    if reader.trouble:
        errors.print(f"edge-agent read: {reader.trouble}", markup=False)
    if not good:
        raise typer.Exit(Exit.FAILED)


def _guess(paths: Sequence[Path]) -> str:
    """The layout by how the first file begins."""
    for path in paths[:1]:
        try:
            with path.open("rb") as file:
                start = file.read(4)
        except OSError:
            break
        return next((name for magic, name in _BEGINNINGS.items() if start.startswith(magic)), "dicos")
    return "dicos"


def _sets(paths: Sequence[Path], layout: Layout) -> Iterator[tuple[list[Path], list[str]]]:
    """The files of each scan with their roles."""
    from drivers.folder import File  # noqa: PLC0415
    from drivers.xray.grouping import Grouping  # noqa: PLC0415

    grouping = Grouping(layout, Path("/"))
    grouped: dict[str, tuple[list[Path], list[str]]] = {}
    for path in paths:
        scan, role = grouping.belongs(File(str(path.resolve()), (0, 0, 0))) or (f"\0{path}", "")
        names, roles = grouped.setdefault(scan, ([], []))
        names.append(path)
        roles.append(role)
    yield from grouped.values()


def _one(
    names: Sequence[Path],
    roles: Sequence[str],
    reader: Reader,
    layout: Layout,
    picture: Path | None,
    view: str,
    palette: str,
    *,
    as_json: bool,
) -> bool:
    from drivers.xray.formats.scan import Part, read  # noqa: PLC0415
    from drivers.xray.grouping import REPORT, described  # noqa: PLC0415
    from edge_agent.processing.xray import plausible  # noqa: PLC0415
    from edge_agent.processing.xray.scan import ScanError  # noqa: PLC0415

    started = time.perf_counter()
    shown = [str(name) for name in names]
    try:
        if "" in roles:
            raise ScanError("unknown-file", "By its name this is no file of a scan in this layout: see --layout.")
        if sum(name.stat().st_size for name in names) > MAX_BYTES:
            raise ScanError("too-large", f"The scan is larger than {MAX_BYTES >> 20} MiB.")
        data = [name.read_bytes() for name in names]
        if any(role.endswith(REPORT) for role in roles):
            return _report(shown, data[0], as_json=as_json)
        parts = [Part(described(layout, role), each) for role, each in zip(roles, data, strict=True)]
        made = reader.analyse(plausible.examine(read(parts, layout)), started)
    except ScanError as error:
        return _failed(shown, error.message, as_json=as_json)
    except OSError as error:
        return _failed(shown, f"{error.strerror}.", as_json=as_json)
    if picture is not None:
        _draw(made, picture, view, palette)
    if as_json:
        print(json.dumps({"files": shown, **made.data.model_dump(mode="json"), "error": None}), flush=True)
    else:
        _show(shown, made.data)
    return True


def _failed(names: Sequence[str], why: str, *, as_json: bool) -> bool:
    if as_json:
        print(json.dumps({"files": names, "error": why}), flush=True)
    else:
        console.print(f"[red]unread[/]  {escape(', '.join(names))}\n  [yellow]{escape(why)}[/]\n", soft_wrap=True)
    return False


def _report(names: Sequence[str], data: bytes, *, as_json: bool) -> bool:
    """Show a threat detection report."""
    from drivers.xray.dicos import report  # noqa: PLC0415
    from drivers.xray.event import xray_report  # noqa: PLC0415

    said = xray_report(report.read(data))
    if as_json:
        print(json.dumps({"files": names, **said.model_dump(mode="json"), "error": None}), flush=True)
        return True
    decision = {True: "alarm", False: "clear", None: "undecided"}[said.alarm]
    console.print(f"[bold]report[/] by {escape(said.made_by)}: {decision}  {escape(names[0])}", soft_wrap=True)
    for each in said.assessed:
        console.print(f"  {each.category}, {each.flag}, {each.ability}  {each.box or ''}", markup=False)
    return True


def _draw(made: Made, picture: Path, view: str, palette: str) -> None:
    from edge_agent.processing.images import encode  # noqa: PLC0415
    from edge_agent.processing.xray.overlay import Mark, overlay  # noqa: PLC0415
    from edge_agent.processing.xray.views import view as view_of  # noqa: PLC0415

    if made.analysis is None:
        errors.print("edge-agent read: there is only the scanner's own picture: nothing to draw over")
        return
    data = made.data
    marks = [Mark(_tuple(each.box), each.reason) for each in data.proposals]
    marks += [Mark(_tuple(each.box), f"shadow: {each.label} ({each.score:.2f})", shadow=True) for each in data.shadow]
    shown = overlay(view_of(made.analysis.corrected, view, palette, made.curves), marks, data.remarks)
    try:
        picture.write_bytes(encode(shown[..., ::-1].copy(), picture.suffix))
    except (OSError, ValueError) as error:
        errors.print(f"edge-agent read: {picture} cannot be written: {error}", markup=False)
        raise typer.Exit(Exit.USAGE) from None


def _tuple(box: Any) -> tuple[int, int, int, int]:
    return box.column, box.row, box.columns, box.rows


def _show(names: Sequence[str], data: XrayScan) -> None:
    size = f"{data.columns} x {data.rows}" if data.columns else "picture"
    channels = ", ".join(data.channels)
    console.print(
        f"[bold]{len(data.proposals)} proposals[/]  {size}, {channels}  {escape(', '.join(names))}  "
        f"[dim]{data.milliseconds:.0f} ms[/]",
        soft_wrap=True,
    )
    table = Table.grid(padding=(0, 2))
    for number, each in enumerate(data.proposals, 1):
        place = f"{each.box.columns} x {each.box.rows} at {each.box.column}, {each.box.row}"
        table.add_row(
            f"  {number}", f"[yellow]{each.kind.replace('_', ' ')}[/]", escape(each.reason), f"[dim]{place}[/]"
        )
    if data.proposals:
        console.print(table)
    areas = [f"{each.material} {each.share:.0%}" for each in data.classes]
    if areas:
        console.print(f"  of what is in the beam: {', '.join(areas)}")
    for remark in data.remarks:
        console.print(f"  {remark}", markup=False, style="dim")
    console.print()
