"""The command line: one module per command."""

from __future__ import annotations

from typing import Annotated

import typer

from edge_agent import __version__
from edge_agent.cli.groups import group

COMMANDS = (
    "run",
    "check",
    "devices",
    "camera",
    "calibrate",
    "read",
    "record",
    "watch",
    "journal",
    "library",
    "drivers",
    "schema",
    "kernels",
    "broker",
    "demo",
)

app = group(
    __name__,
    COMMANDS,
    epilog="Exit codes: 0 done, 1 the answer is no (mistakes found, page not valid ...), 2 wrong arguments, "
    "3 a broker or device does not answer.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"edge-agent {__version__}")
        raise typer.Exit


@app.callback()
def edge_agent(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The daemon on a border crossing point, and the tools of the technician who looks after it."""


def main() -> None:
    """Entry point of ``edge-agent``."""
    app()
