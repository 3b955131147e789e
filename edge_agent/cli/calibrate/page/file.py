"""A device's file, changed as a whole: checked before it is written, and the one before kept beside it."""

from __future__ import annotations

import os
from pathlib import Path

from edge_agent.config.files import Source
from edge_agent.config.loader import check_device
from edge_agent.config.mistakes import Mistake
from edge_agent.durable import replacing


class FileRefusedError(Exception):
    """The file was not written, and why."""


def file_of(name: str, config: Path) -> Path:
    """The file in ``devices/`` of the device of this name.

    Raises:
        FileRefusedError: there is none.
    """
    for path in sorted((config / "devices").glob("*.toml")):
        if Source.read(path).data.get("name") == name:
            return path.resolve()
    raise FileRefusedError(f"no file in {config / 'devices'} has the name {name}")


def before(path: Path) -> Path:
    """Where the version before is kept: hidden, so that it is not taken for a device."""
    return path.with_name(f".{path.name}.before")


def replace(path: Path, old: bytes, new: str, config: Path) -> None:
    """Put a new text in the place of an old one; survives a power failure at any moment.

    Raises:
        FileRefusedError: the new text has mistakes, the file is another one by now, or it cannot be written.
    """
    try:
        status = path.stat()
        if path.read_bytes() != old:
            raise FileRefusedError(f"{path} was changed meanwhile: load the page anew")
        with replacing(path, mode=status.st_mode & 0o777, owner=status) as temporary:
            temporary.write_text(new, encoding="utf-8", newline="")
            mistakes = check_device(temporary, config)
            if mistakes:
                raise FileRefusedError("; ".join(_told(mistake, str(temporary), path) for mistake in mistakes))
            kept = before(path)
            kept.unlink(missing_ok=True)
            kept.hardlink_to(path)
    except OSError as error:
        raise FileRefusedError(
            f"{path} cannot be written ({os.strerror(error.errno or 0)}): try it with sudo"
        ) from None


def _told(mistake: Mistake, temporary: str, path: Path) -> str:
    return str(mistake).replace(temporary, str(path))
