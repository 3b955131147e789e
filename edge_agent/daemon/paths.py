"""Where the agent keeps what it must not lose, and what it can make again."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from typing import BinaryIO

from edge_agent import __version__
from edge_agent.config.models import AgentSettings


def state_directory(settings: AgentSettings) -> Path:
    """What systemd says, else the configuration; paths in device files are relative to it."""
    return Path(os.environ.get("STATE_DIRECTORY") or settings.state_directory)


def journal_path(settings: AgentSettings) -> Path:
    """The file of the journal."""
    return state_directory(settings) / "journal.db"


def lock(folder: Path) -> BinaryIO:
    """Make the state directory this process's own until it ends.

    Raises:
        OSError: another agent runs in it.
    """
    file = (folder / "agent.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(f"another agent runs already in {folder}; stop it first") from None
    return file


def kernel_cache() -> Path:
    """Compiled kernels: in systemd's cache directory, else the user's; by version, since kernels change."""
    base = os.environ.get("CACHE_DIRECTORY") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Path(base).expanduser() / f"edge-agent-kernels-{__version__}-py{python}"
