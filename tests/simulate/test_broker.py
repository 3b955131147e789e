from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge_agent.simulate.broker import MAX_PAYLOAD, EmbeddedBroker, EmbeddedBrokerError
from tests.brokers import Collector, listens, program


def test_retained_messages_and_pictures_pass(embedded_broker: EmbeddedBroker) -> None:
    port = embedded_broker.port
    with Collector(port, "blo/#", client_id="early") as early:
        early.publish("blo/status", "ok", retain=True)
        early.publish("blo/evidence", "x" * 4_000_000)
        assert sorted(len(message.payload) for message in early.wait_for(2)) == [2, 4_000_000]
        with Collector(port, "blo/#", client_id="late") as late:
            [message] = late.wait_for(1)
            assert (message.topic, message.payload, message.retain) == ("blo/status", b"ok", True)
    assert MAX_PAYLOAD >= 64 * 1024**2


def test_a_client_of_mqtt_311_sees_what_one_of_mqtt_5_publishes(embedded_broker: EmbeddedBroker) -> None:
    command = [program("mosquitto_sub"), "-p", str(embedded_broker.port_311), "-t", "blo/#", "-v", "-C", "1"]
    with (
        Collector(embedded_broker.port, "blo/#", client_id="sender") as sender,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as old,
    ):
        sender.publish("blo/status", "ok", retain=True)
        assert old.communicate(timeout=10)[0] == "blo/status ok\n"


def test_it_prints_nothing_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    with EmbeddedBroker(port=0) as broker, Collector(broker.port, "#") as collector:
        collector.publish("a", "b")
        collector.wait_for(1)
    assert capfd.readouterr() == ("", "")


def test_it_listens_on_the_loopback_interface_and_stops_listening() -> None:
    with EmbeddedBroker(port=0) as broker:
        addresses = {line.split()[1] for line in open("/proc/net/tcp").readlines()[1:]}  # noqa: SIM115, PTH123  (procfs)
        assert f"0100007F:{broker.port:04X}" in addresses
        assert f"00000000:{broker.port:04X}" not in addresses
    assert not listens(broker.port)
    assert not listens(broker.port_311)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedBrokerError, match=rf"127\.0\.0\.1:{port}.*take another port"):
            EmbeddedBroker(port=port)


def test_without_iotcore_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(EmbeddedBrokerError, match=r"pip install 'edge-agent\[trial\]'"):
        EmbeddedBroker(port=0)


def test_it_ends_when_its_parent_is_killed() -> None:
    script = (
        "from edge_agent.simulate.broker import EmbeddedBroker\n"
        "with EmbeddedBroker(port=0) as broker: print(broker.port, flush=True); broker.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert listens(port)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 5
    while listens(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)
