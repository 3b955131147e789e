"""``edge-agent run``: the daemon."""

from __future__ import annotations

import os
import sys

from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the agent in the foreground until it is told to stop.

    SIGTERM or Ctrl-C ends it, SIGHUP applies a changed configuration. Exit codes: 0 stopped, 1 the configuration has
    mistakes, 3 the journal can be neither opened nor created, 70 a
    defect of the agent: start it again.

    Examples:

      edge-agent run --config ./config

      systemctl start edge-agent
    """
    os.execv(sys.executable, [sys.executable, "-P", "-m", "edge_agent.daemon", str(config)])  # noqa: S606  (no shell)
