"""``edge-agent kernels``: compile the image kernels for this computer, at installation time."""

from __future__ import annotations

import os
import time

import typer

from edge_agent.cli.console import Exit, console, errors
from edge_agent.daemon.preload import prepare_environment, warm


def kernels() -> None:
    """Compile the image kernels of all drivers for this computer, so that the agent starts with them ready.

    They go to $CACHE_DIRECTORY (set by systemd), else to the user's cache; the agent does the same by itself when they
    are missing, which takes it a minute at its first start. Run it as the user of the agent.

    Exit codes: 0 done, 1 they cannot be compiled or kept.

    Examples:

      edge-agent kernels

      sudo -u edge-agent env CACHE_DIRECTORY=/var/cache/edge-agent edge-agent kernels
    """
    prepare_environment()  # before any driver is imported
    from edge_agent.registry import find, kinds  # noqa: PLC0415

    started = time.perf_counter()
    try:
        note = warm(tuple(sorted({module for kind in kinds() for module in find(kind).preload})))
    except Exception as error:
        errors.print(f"edge-agent kernels: {type(error).__name__}: {error}", markup=False)
        raise typer.Exit(Exit.FAILED) from None
    cache = os.environ["NUMBA_CACHE_DIR"]
    if note is not None and "this run only" in note:
        errors.print(f"edge-agent kernels: {note}", markup=False)
        raise typer.Exit(Exit.FAILED)
    console.print(f"ready in {time.perf_counter() - started:.1f} s, kept in {cache}{f' ({note})' if note else ''}")
