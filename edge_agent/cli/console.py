"""What all commands share: where they print, how they end, and the options they have in common."""

from __future__ import annotations

import signal
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False)
"""Results, on standard output."""
errors = Console(stderr=True, highlight=False)
"""Everything that went wrong, on standard error."""


class Exit(IntEnum):
    """How a command ends, the same for all of them."""

    OK = 0
    FAILED = 1  # it ran, and the answer is no: mistakes in the configuration, an unreadable page ...
    USAGE = 2  # wrong arguments (typer's own code)
    UNREACHABLE = 3  # a broker, device or daemon does not answer


ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="EDGE_AGENT_CONFIG", help="Folder with agent.toml and devices/."),
]
DEFAULT_CONFIG = Path("/etc/edge-agent")

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]


def end_by_signals() -> None:
    """Let SIGTERM end a command like Ctrl-C, and Ctrl-C also where a shell without job control has switched it off."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
