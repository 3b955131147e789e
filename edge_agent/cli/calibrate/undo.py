"""``edge-agent calibrate undo``: back to the calibration before."""

from __future__ import annotations

from typing import Annotated

import typer

from edge_agent import calibration
from edge_agent.cli.calibrate.device import find_device
from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, console, errors


def undo(
    device: Annotated[str, typer.Argument(help="Name of the device, as in its file.", show_default=False)],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Go back to a device's calibration before the present one. It is used from then on.

    Exit codes: 0 done, 1 there is none to go back to, 2 wrong arguments.

    Examples:

      sudo -u edge-agent edge-agent calibrate undo lane-1-raman
    """
    found = find_device(device, config)
    try:
        now = calibration.undo(found.calibration)
    except calibration.CalibrationError as error:
        errors.print(f"edge-agent calibrate: {error}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    console.print(f"{device} is calibrated as of {now.made:%Y-%m-%d %H:%M} UTC again, by {now.by} with {now.fixture}.")
