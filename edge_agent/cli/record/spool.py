"""The spool folder of a device, into which a command puts what an officer typed, whether the agent runs or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from edge_agent.cli.console import Exit, errors
from edge_agent.config.loader import ConfigError, load
from edge_agent.daemon.paths import journal_path, state_directory
from edge_agent.durable import write

DeviceOption = Annotated[
    str | None, typer.Option("--device", help="Which device, where the post has more than one of the kind.")
]


@dataclass(frozen=True, slots=True)
class Spool:
    """Where files go, and the journal of the same post."""

    folder: Path
    journal: Path


def spool(kind: str, name: str | None, config: Path) -> Spool:
    """The spool of the device of this kind.

    Raises:
        typer.Exit: the configuration has mistakes, or there is no such device, or more than one; it was said why.
    """
    try:
        checked = load(config)
    except ConfigError:
        give_up("the configuration has mistakes: see `edge-agent check`", Exit.FAILED)
    devices = [each for each in checked.devices if each.driver == kind and each.enabled and name in {None, each.name}]
    if not devices:
        wanted = f" {name}" if name else ""
        give_up(f"no device{wanted} with the driver {kind} is switched on: see config/devices", Exit.FAILED)
    if len(devices) > 1:
        names = ", ".join(each.name for each in devices)
        give_up(f"more than one device has the driver {kind}: say --device with one of {names}", Exit.USAGE)
    folder: Path = getattr(devices[0].settings, "folder")  # noqa: B009  (settings of any driver)
    return Spool(state_directory(checked.agent) / folder, journal_path(checked.agent))


def put(place: Spool, name: str, text: str) -> Path:
    """Put a file into the spool: it appears whole or not at all, and outlives a power failure from then on.

    Raises:
        typer.Exit: it cannot be written; it was said why.
    """
    final = place.folder / f"{name}.json"
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
        write(final, text.encode(), mode=0o640)
    except OSError as error:
        give_up(f"{place.folder} cannot be written to ({error.strerror}): try as the user of the agent", Exit.FAILED)
    return final


def give_up(why: str, code: Exit) -> NoReturn:
    """Say why nothing was recorded, and end."""
    errors.print(f"edge-agent record: {why}", markup=False, soft_wrap=True)
    raise typer.Exit(code)
