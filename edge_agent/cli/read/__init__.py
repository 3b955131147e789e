"""``edge-agent read``: read what devices deliver here and now, without any daemon."""

from __future__ import annotations

from edge_agent.cli.groups import group

COMMANDS = ("passport", "mrz", "xray", "drugtest", "spectrum", "barcode")

app = group(__name__, COMMANDS)


@app.callback()
def read() -> None:
    """Read what devices deliver here and now, without any daemon.

    Exit codes: 0 all of it could be read and is valid, 1 at least one is not, 2 wrong arguments.
    """
