"""The demo, as a stranger runs it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("demo")]  # one port for all of them

CONFIG = Path(__file__).parents[2] / "config"
PORT = 11883


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edge_agent", "demo", "--config", str(CONFIG), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def counts(output: str) -> list[int]:
    """Presented, journalled, published, received."""
    return [int(number) for number in re.findall(r"\d+", output.splitlines()[-2])]


def test_it_ends_by_itself_and_every_page_arrived() -> None:
    output, said = start("--seconds", "6", "--every", "1").communicate(timeout=60)
    presented, *others = counts(output)
    assert presented >= 5
    assert others == [presented] * 3
    assert output.count("passport.read.v1") == presented
    assert said == ""


def test_ctrl_c_ends_it_cleanly() -> None:
    process = start("--every", "1")
    try:
        time.sleep(6)
        process.send_signal(signal.SIGINT)
        output, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, said
    presented, *others = counts(output)
    assert presented > 0
    assert others == [presented] * 3


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", PORT)):
        process = start("--seconds", "1")
        _, said = process.communicate(timeout=30)
    assert process.returncode == 3
    assert str(PORT) in said
