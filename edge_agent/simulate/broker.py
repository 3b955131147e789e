"""The embedded broker for trials: a real MQTT broker in a process of its own, installed by pip.

It is rumqttd, wrapped by ``iotcore``. Everything is kept in memory: sessions and retained messages are gone when it
ends, so it is nothing for the field. It speaks MQTT 5 and MQTT 3.1.1 on a port each, since rumqttd tells them apart by
the listener only.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from typing import Self

MAX_PAYLOAD = 64 * 1024**2
"""Bytes. rumqttd's own limit of 20 kB ends the connection of whoever sends a picture."""
START_TIMEOUT = 10.0

_LISTENER = """
[{version}.1]
name = "{version}"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[{version}.1.connections]
connection_timeout_ms = 10000
max_payload_size = {payload}
max_inflight_count = 100
dynamic_filters = true
"""
_ROUTER = """
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 10485760
max_segment_count = 10
"""


class EmbeddedBrokerError(Exception):
    """The broker cannot run; says why and what to do."""


class EmbeddedBroker:
    """A broker that runs as long as the ``with`` block, or until this process ends in whatever way.

    Attributes:
        host: address on which it listens.
        port: port for MQTT 5.
        port_311: port for MQTT 3.1.1.

    """

    def __init__(self, port: int = 1883, port_311: int | None = None, host: str = "127.0.0.1") -> None:
        """Choose the ports: 0 stands for any that is free, and the one for MQTT 3.1.1 is the next if left out.

        Raises:
            EmbeddedBrokerError: iotcore is not installed, or a port is taken.

        """
        if importlib.util.find_spec("iotcore") is None:
            raise EmbeddedBrokerError("The embedded broker is not installed: pip install 'edge-agent[trial]'")
        self.host = host
        self.port = _available(host, port)
        self.port_311 = _available(host, (port + 1 if port else 0) if port_311 is None else port_311)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start, and return when both ports answer.

        Raises:
            EmbeddedBrokerError: it does not come up.

        """
        command = [sys.executable, "-m", __name__, self.host, str(self.port), str(self.port_311)]
        self._process = subprocess.Popen(  # in a session of its own, so that Ctrl-C ends whoever uses it first
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + START_TIMEOUT
        while not (_answers(self.host, self.port) and _answers(self.host, self.port_311)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise EmbeddedBrokerError(f"The embedded broker did not come up on {self.host}:{self.port}.")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()  # it keeps nothing that would have to be saved
            self._process.communicate()
            self._process = None

    def wait(self) -> int:
        """Wait until the broker ends by itself, which it should not, and return its exit code."""
        return 0 if self._process is None else self._process.wait()


def _available(host: str, port: int) -> int:
    """The port itself, or a free one for 0."""
    try:
        with socket.create_server((host, port)) as sock:
            return int(sock.getsockname()[1])
    except (OSError, OverflowError) as error:
        raise EmbeddedBrokerError(
            f"The embedded broker cannot listen on {host}:{port} ({error}): end what uses it, or take another port."
        ) from error


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 0.2).close()
    except OSError:
        return False
    return True


def _serve(host: str, port: int, port_311: int) -> None:
    """Be the broker's process, until the parent's end of standard input closes."""
    from iotcore.iotcore import IotCoreBroker  # noqa: PLC0415  (optional, and only needed here)

    logging.disable()  # rumqttd logs each packet
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        listeners = (("v5", port), ("v4", port_311))
        file.write(_ROUTER)
        file.writelines(
            _LISTENER.format(version=version, host=host, port=number, payload=MAX_PAYLOAD)
            for version, number in listeners
        )
        file.flush()
        broker = IotCoreBroker(config_path=file.name)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    broker.run_forever()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
