"""The device that is calibrated: its settings, and where its calibration is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from edge_agent import calibration
from edge_agent.cli.console import Exit, errors
from edge_agent.config.loader import ConfigError, load
from edge_agent.config.models import DeviceSettings
from edge_agent.daemon.paths import state_directory


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the post. ``calibration`` is its file in the state directory ``state``."""

    settings: DeviceSettings
    state: Path
    calibration: Path


def find_device(name: str, config: Path, *, kind: str = "") -> Device:
    """The device of this name in a configuration, whether it is enabled or not.

    Args:
        name: as in its file.
        config: the folder with agent.toml.
        kind: what its driver must be, e.g. ``drugkit.spectrum``; any if empty.

    Raises:
        typer.Exit: 1 if the configuration has mistakes, 2 if there is no such device; it was said why.
    """
    try:
        checked = load(config)
    except ConfigError as error:
        for mistake in error.mistakes:
            errors.print(str(mistake), markup=False)
        raise typer.Exit(Exit.FAILED) from None
    fitting = {each.name: each for each in checked.devices if kind in {"", each.driver}}
    if name not in fitting:
        known = ", ".join(fitting) or "none"
        what = f"with the driver {kind} " if kind else ""
        errors.print(
            f'edge-agent calibrate: there is no device "{name}" {what}in {config}; there are: {known}', markup=False
        )
        raise typer.Exit(Exit.USAGE)
    state = state_directory(checked.agent)
    return Device(fitting[name], state, calibration.path(name, state))
