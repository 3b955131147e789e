"""What the daemon tells systemd about itself: sd_notify(3) in a few lines, silent where no systemd listens."""

from __future__ import annotations

import os
import socket
import time

TIMEOUT = 1.0
"""Seconds to wait for a systemd that does not read; a state that it did not take is not worth more."""


def ready() -> None:
    """Started, or done with reloading."""
    _send("READY=1")


def reloading() -> None:
    """The configuration is being read again; end with ``ready``."""
    _send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


def stopping() -> None:
    """On the way out."""
    _send("STOPPING=1")


def status(text: str) -> None:
    """One line for ``systemctl status``; line breaks, which would begin another message, become blanks."""
    _send(f"STATUS={' '.join(text.split())}")


def watchdog() -> None:
    """Everything moves: do not restart us."""
    _send("WATCHDOG=1")


def watchdog_seconds() -> float | None:
    """How often to call ``watchdog``, in seconds: half of what systemd waits for. None if it does not wait for us.

    Source: sd_watchdog_enabled(3).
    """
    limit = os.environ.get("WATCHDOG_USEC", "")
    if not limit.isdecimal() or int(limit) == 0 or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(limit) / 2e6


def _send(state: str) -> None:
    """Send one datagram to $NOTIFY_SOCKET: a path, or @ and the name of an abstract socket."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(TIMEOUT)
            sock.sendto(state.encode(), address.replace("@", "\0", 1) if address.startswith("@") else address)
    except OSError:  # systemd is not there or does not read: nobody to tell
        return
