"""``edge-agent record density``: a reading of a density meter, typed in."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption, Exit, JsonOption, console
from edge_agent.cli.record.spool import DeviceOption, give_up, put, spool
from edge_agent.events.envelope import uuid7
from edge_agent.events.inspection import DensityRead


def density(
    value: Annotated[float, typer.Argument(help="What the meter shows.", show_default=False)],
    place: Annotated[str, typer.Option(help="Where it was held.")] = "",
    expected: Annotated[float | None, typer.Option(help="What a sound vehicle shows at this place.")] = None,
    material: Annotated[str, typer.Option(help="What is in between.")] = "",
    unit: Annotated[str, typer.Option(help="Unit of the meter.")] = "scale divisions",
    device: DeviceOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Put a reading of a density meter into the spool; it becomes an event when the agent runs.

    Exit codes: 0 recorded, 1 it could not be, and why, 2 wrong arguments.

    Examples:

      edge-agent record density 142 --place "rear left tyre" --expected 60
    """
    target = spool("inspection.density", device, config)
    try:
        read = DensityRead(value=value, unit=unit, source="typed", expected=expected, place=place, material=material)
    except ValueError:
        give_up("a reading is a number; unit, place and material have at most 20, 200 and 200 characters", Exit.USAGE)
    file = put(target, str(uuid7()), read.model_dump_json())
    if as_json:
        print(json.dumps({"file": str(file), "reading": read.model_dump(mode="json")}))
    else:
        console.print(f"Recorded: {value:g} {unit}; it is sent when the agent runs.", markup=False)
