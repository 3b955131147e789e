"""Files that are there whole or not at all, and outlive a power failure once they are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, mode: int = 0o600, owner: os.stat_result | None = None) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place when the block ends, and vanishes when it raises.

    Args:
        path: What is written or replaced; its folder is there.
        mode: Rights of the file.
        owner: Whose file it becomes where root writes it.

    Raises:
        OSError: it cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fchmod(file.fileno(), mode)
            if owner is not None and os.geteuid() == 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write(path: Path, data: bytes, *, mode: int = 0o600, owner: os.stat_result | None = None) -> None:
    """Write a file as ``replacing`` does.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path, mode=mode, owner=owner) as temporary:
        temporary.write_bytes(data)
