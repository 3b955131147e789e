"""Processes that the virtual checkpoint consists of."""

from __future__ import annotations

import ctypes
import signal
import subprocess
from typing import Any

END_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a process that Ctrl-C does not reach, and that does not outlive the calling thread, however it ends."""
    libc = ctypes.CDLL(None)
    return subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),  # noqa: PLW1509  (takes no lock)
        **options,
    )


def end(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """End a process politely, and after ``END_SECONDS`` at once."""
    process.send_signal(how)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
