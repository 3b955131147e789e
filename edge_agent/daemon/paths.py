"""Where the agent keeps what it must not lose, and what it can make again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edge_agent import __version__
from edge_agent.config.models import AgentSettings


def state_directory(settings: AgentSettings) -> Path:
    """What systemd says, else the configuration; paths in device files are relative to it."""
    return Path(os.environ.get("STATE_DIRECTORY") or settings.state_directory)


def journal_path(settings: AgentSettings) -> Path:
    """The file of the journal."""
    return state_directory(settings) / "journal.db"


def kernel_cache() -> Path:
    """Compiled kernels: in systemd's cache directory, else the user's; by version, since kernels change."""
    base = os.environ.get("CACHE_DIRECTORY") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Path(base).expanduser() / f"edge-agent-kernels-{__version__}-py{python}"
