"""Secrets: systemd credentials, or files beside the configuration. Never in the TOML, where only their names stand.

A secret is looked for in the folder that systemd names in ``$CREDENTIALS_DIRECTORY`` (see ``LoadCredential=`` in
systemd.exec(5)), then in ``secrets/`` beside ``agent.toml``. There it must be readable by its owner only. A process
that systemd did not start, as a technician's ``edge-agent check``, looks where the service is handed them from.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_BYTES = 64 * 1024
STORES = (Path("/run/credentials/edge-agent.service"), Path("/etc/credstore"))
"""What the running service was handed, and where the next start takes it from; only root may look."""


class SecretError(Exception):
    """A secret is missing, lies open or cannot be read; says which and what to do."""


class Secrets:
    """The secrets of a post, by name."""

    def __init__(self, config: Path) -> None:
        handed = os.environ.get("CREDENTIALS_DIRECTORY")
        self._handed = (Path(handed),) if handed else STORES
        self._own = config / "secrets"

    def path(self, name: str) -> Path:
        """The file that holds a secret.

        Raises:
            SecretError: it is missing, or others can read it.

        """
        if "/" in name or name in {"", ".", ".."}:
            raise SecretError("this is not the name of a credential: name a file, without its folder")
        for folder in self._handed:
            if os.access(folder / name, os.R_OK):
                return folder / name  # systemd sees to it that nobody else can read it
        path = self._own / name
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            raise SecretError(
                f"the secret {name} is missing: write it into {path} (chmod 600), "
                "or into /etc/credstore, from where systemd hands over what LoadCredential= names (only root may look)"
            ) from None
        except OSError as error:
            raise SecretError(f"the secret {path} cannot be read: {error.strerror}") from error
        if not stat.S_ISREG(mode):
            raise SecretError(f"the secret {path} is not a file")
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SecretError(f"the secret {path} is open to others (mode {mode & 0o777:o}): chmod 600 {path}")
        return path

    def text(self, name: str) -> str:
        """A secret as text, without the line end that editors add.

        Raises:
            SecretError: it is missing, others can read it, it is empty or not text.

        """
        path = self.path(name)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            text = data.decode().rstrip("\r\n")
        except OSError as error:
            raise SecretError(f"the secret {path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise SecretError(f"the secret {path} is not text in UTF-8") from None
        if not text:
            raise SecretError(f"the secret {path} is empty")
        if len(data) > MAX_BYTES:
            raise SecretError(f"the secret {path} is larger than {MAX_BYTES // 1024} KiB")
        return text
