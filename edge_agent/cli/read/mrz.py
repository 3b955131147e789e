"""``edge-agent read mrz``: zones given as text."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator

from edge_agent.cli.console import JsonOption
from edge_agent.cli.read.zones import Result, result, show


def mrz(as_json: JsonOption = False) -> None:
    """Parse and check machine readable zones given as text on standard input, separated by empty lines.

    Exit codes: 0 every document is valid, 1 at least one is not, 2 wrong arguments.

    Examples:

      edge-agent read mrz < zones.txt

      xclip -o | edge-agent read mrz --json
    """
    show((_parse(text) for text in _documents(sys.stdin)), as_json=as_json)


def _parse(text: str) -> Result:
    from drivers.passport.event import passport_read  # noqa: PLC0415  (heavy, and not needed for --help)
    from edge_agent.events.passport import Source  # noqa: PLC0415
    from edge_agent.processing.mrz.parse import parse  # noqa: PLC0415

    started = time.perf_counter()
    parsed = parse(text)
    milliseconds = round((time.perf_counter() - started) * 1000, 3)
    return result(None, passport_read(parsed, source=Source.SWIPE, engine="", milliseconds=milliseconds))


def _documents(lines: Iterator[str]) -> Iterator[str]:
    for empty, group in itertools.groupby(lines, key=lambda line: not line.strip()):
        if not empty:
            yield "".join(group)
