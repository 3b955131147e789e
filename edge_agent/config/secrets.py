"""Secrets: systemd credentials, or files beside the configuration. Never in the TOML."""

from __future__ import annotations

import os
from pathlib import Path


class SecretError(Exception):
    """A secret is missing or lies open."""


class Secrets:
    """The secrets of a post, by name."""

    def __init__(self, config: Path) -> None:
        self._folders = [Path(p) for p in [os.environ.get("CREDENTIALS_DIRECTORY", "")] if p] + [config / "secrets"]

    def path(self, name: str) -> Path:
        """The file that holds a secret."""
        for folder in self._folders:
            if (folder / name).is_file():
                return folder / name
        raise SecretError(name)

    def text(self, name: str) -> str:
        """A secret as text."""
        return self.path(name).read_text().rstrip("\n")
