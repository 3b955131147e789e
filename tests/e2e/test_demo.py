"""The demo, as a stranger runs it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge_agent.config.loader import load
from edge_agent.simulate.checkpoint import CONFIG

pytestmark = pytest.mark.e2e

PORT = 11883


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edge_agent", "demo", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def counts(output: str) -> list[int]:
    """Presented, journalled, published, received."""
    return [int(number) for number in re.findall(r"\d+", output.splitlines()[-2])]


def test_it_ends_by_itself_and_everything_arrived() -> None:
    output, said = start("--seconds", "8", "--every", "1").communicate(timeout=90)
    presented, *others = counts(output)
    assert presented >= 5
    assert others == [presented] * 3
    assert len(re.findall(r"^[0-9:.]+ +kz/kordai ", output, re.MULTILINE)) == presented
    assert said == ""
    for device in load(CONFIG).devices:
        assert re.search(rf"^. {device.name} .*[1-9]", output, re.MULTILINE), f"nothing came from {device.name}"


def test_ctrl_c_ends_it_cleanly() -> None:
    process = start("--every", "1")
    try:
        assert process.stdout is not None
        shown = []
        while not shown or not re.match(r"[0-9:.]+ +kz/kordai ", shown[-1]):  # a busy machine takes long to begin
            shown.append(process.stdout.readline())
            assert shown[-1], "it ended before anything arrived"
        time.sleep(3)
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
