"""``edge-agent devices``: what is there to be connected, and a file for each to start from."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from edge_agent.cli.console import Exit, JsonOption, console, errors

if TYPE_CHECKING:
    from edge_agent.cli.discovering import Candidate


def devices(
    discover: Annotated[bool, typer.Option("--discover", help="Look for devices.")] = False,
    interface: Annotated[
        list[str] | None,
        typer.Option("--interface", "-i", help="Network in which cameras are called, by name or own address."),
    ] = None,
    host: Annotated[str, typer.Option(help="Only this camera, without calling: ADDRESS or ADDRESS:PORT.")] = "",
    user: Annotated[str, typer.Option(help="Account at that camera.")] = "",
    password_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="File with its password.", show_default=False)
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder for a device file each, as /etc/edge-agent/devices."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="How long answers are waited for.")] = 2.0,
    timeout: Annotated[float, typer.Option(min=0.5, max=60, help="Seconds for each answer of a camera.")] = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Look for cameras on the network (WS-Discovery), serial ports and V4L2 cameras.

    No password is ever tried: a camera that wants an account tells only what it tells anybody. With --host, --user and
    --password-file one camera is asked for the rest.

    Exit codes: 0 something was found, 1 nothing was, 2 wrong arguments.

    Examples:

      edge-agent devices --discover

      edge-agent devices --discover --interface eth1 --write /etc/edge-agent/devices

      edge-agent devices --discover --host 192.168.10.21 --user agent --password-file /etc/credstore/gate-camera
    """
    from edge_agent.daemon.preload import prepare_environment  # noqa: PLC0415  (not needed for --help)

    if not discover and not host:
        _usage("say --discover to look for devices; those of the configuration are shown by: edge-agent check")
    if bool(user) != bool(password_file) or (user and not host):
        _usage("--user and --password-file go together, and with --host: an account is for one camera")
    prepare_environment()
    with errors.status("looking for devices"):
        found = _one(host, user, password_file, timeout) if host else _all(interface or [], seconds, timeout)
    for candidate in found:
        if as_json:
            print(json.dumps(asdict(candidate), ensure_ascii=False))
        else:
            _show(candidate)
        if write is not None:
            _write(candidate, write)
    if not found:
        errors.print("edge-agent devices: nothing was found")
        raise typer.Exit(Exit.FAILED)


def _all(interface: list[str], seconds: float, timeout: float) -> list[Candidate]:
    from drivers.serial_port import SerialSettings  # noqa: PLC0415
    from edge_agent.cli import discovering  # noqa: PLC0415
    from edge_agent.registry import find, kinds  # noqa: PLC0415

    settings = {kind: find(kind).Settings for kind in sorted(kinds())}
    on_serial = tuple(kind for kind, model in settings.items() if issubclass(model, SerialSettings))
    on_video = tuple(kind for kind, model in settings.items() if "device" in model.model_fields and "camera" in kind)
    try:
        own = discovering.addresses(interface)
    except ValueError as error:
        _usage(str(error))
    return [
        *discovering.cameras(own, seconds, timeout),
        *discovering.serial_ports(on_serial),
        *discovering.video_devices(on_video),
    ]


def _one(host: str, user: str, password_file: Path | None, timeout: float) -> list[Candidate]:
    from drivers.cctv.http import Account  # noqa: PLC0415
    from edge_agent.cli import discovering  # noqa: PLC0415

    name, _, port = host.partition(":")
    if not port.isdecimal() and port:
        _usage(f"{port} is no port")
    account = Account(user, lambda: password_file.read_text().rstrip("\r\n")) if password_file is not None else None
    return [discovering.camera(name, int(port or 80), account, timeout)]


def _show(candidate: Candidate) -> None:
    console.print(Text.assemble((candidate.where, "bold"), f"  {candidate.what}"))
    for word, value in candidate.facts:
        console.print(Text(f"  {word}: {value}"), soft_wrap=True)


def _write(candidate: Candidate, folder: Path) -> None:
    """Write a file to start from; one that is there stays as it is."""
    from edge_agent.cli.starter import starter  # noqa: PLC0415

    file = folder / f"{candidate.name}.toml"
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    remarks = [
        f"{candidate.what}, found at {candidate.where} on {day}. Switched off until it is looked over.",
        *(f"  {word}: {value}" for word, value in candidate.facts),
    ]
    try:
        with file.open("x") as opened:
            opened.write(starter(candidate.name, candidate.drivers, candidate.settings, remarks))
    except FileExistsError:
        errors.print(f"{file} is there already, and stays as it is", markup=False)
    except OSError as error:
        errors.print(f"{file} cannot be written ({error.strerror})", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    else:
        errors.print(f"written: {file}", markup=False)


def _usage(what: str) -> None:
    errors.print(f"edge-agent devices: {what}", markup=False)
    raise typer.Exit(Exit.USAGE)
