from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys

import pytest

from tests.brokers import Collector

COMMAND = [sys.executable, "-m", "edge_agent", "broker"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_ends_cleanly(how: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        said = running.stdout.readline()
        found = re.fullmatch(r"MQTT 5 on 127.0.0.1:(\d+), MQTT 3.1.1 on 127.0.0.1:(\d+). Ctrl-C ends it.\n", said)
        assert found is not None
        with Collector(int(found[1]), "a") as collector:
            collector.publish("a", "b")
            collector.wait_for(1)
        running.send_signal(how)
        assert running.communicate(timeout=10) == ("", "")
        assert running.returncode == 0


def test_a_port_that_is_taken_is_said_and_ends_with_3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*COMMAND, "--port", port], check=False, capture_output=True, text=True, timeout=20)
    assert done.returncode == 3
    assert f"127.0.0.1:{port}" in done.stderr
    assert done.stdout == ""
