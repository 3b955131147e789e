"""``edge-agent run``: the daemon."""

from __future__ import annotations

from edge_agent.cli.console import DEFAULT_CONFIG, ConfigOption


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the agent in the foreground until it is told to stop."""
    print(config)
