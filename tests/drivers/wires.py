"""Real pseudo terminals in place of serial ports, and a cable that can be pulled."""

from __future__ import annotations

import os
import pty
from pathlib import Path
from typing import Self


class Wire:
    """A serial cable: ``send`` is the device's end, ``link`` the name under which the port appears.

    Like USB adapters it may come back under another number: ``link`` then points elsewhere, as udev's names do.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self._master: int | None = None

    def plug(self) -> Self:
        """Make the port appear."""
        self._master, slave = pty.openpty()
        path = os.ttyname(slave)
        os.close(slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(path)
        return self

    def send(self, data: bytes) -> None:
        """Let the device say something."""
        assert self._master is not None
        os.write(self._master, data)

    def unplug(self) -> None:
        """Pull the cable."""
        self.link.unlink(missing_ok=True)
        if self._master is not None:
            os.close(self._master)
            self._master = None

    def __enter__(self) -> Self:
        return self.plug()

    def __exit__(self, *_: object) -> None:
        self.unplug()
