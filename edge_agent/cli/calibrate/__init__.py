"""``edge-agent calibrate``: measure a device against something known, show what was measured, keep what fits."""

from __future__ import annotations

from edge_agent.cli.groups import group

COMMANDS = ("xray", "camera", "colourtest", "spectrum", "undo")

app = group(__name__, COMMANDS)


@app.callback()
def calibrate() -> None:
    """Measure a device against something known, show what was measured, and keep it if it fits.

    Exit codes: 0 kept, 1 refused, and why, 2 wrong arguments, 3 the device does not answer.
    """
