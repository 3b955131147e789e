"""Real brokers and a real subscriber for the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


def free_port() -> int:
    """A TCP port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def program(name: str) -> str:
    """The path of a Debian program that the tests need."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert found is not None, f"{name} is not installed; `make test` installs it"
    return found


@dataclass(frozen=True)
class Certificate:
    """A certificate with its private key, both in PEM."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that exists for one test."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._own = self._make(name, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")
        self.certificate = self._own.certificate

    def issue(self, name: str, *, host: str | None = None) -> Certificate:
        """Issue a certificate to ``CN=name``; a server needs a ``host``, as ``DNS:...`` or ``IP:...``."""
        extensions = ["basicConstraints=critical,CA:FALSE", *([f"subjectAltName={host}"] if host else [])]
        signed = ["-CA", str(self._own.certificate), "-CAkey", str(self._own.key)]
        return self._make(name, *extensions, options=signed)

    def _make(self, name: str, *extensions: str, options: list[str] | None = None) -> Certificate:
        made = Certificate(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        command = [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        command += ["-noenc", "-days", "2", "-subj", f"/CN={name}", "-out", str(made.certificate)]
        command += ["-keyout", str(made.key), *(options or [])]
        for extension in extensions:
            command += ["-addext", extension]
        subprocess.run(command, check=True, capture_output=True)
        return made


class Mosquitto:
    """Debian's mosquitto on a free port of the loopback interface, in a folder of its own.

    Args:
        folder: for its configuration, log and (with ``persistence``) database, which outlive a restart.
        lines: added to its configuration.
        persistence: sessions and retained messages survive ``stop``, though not ``kill``.
        acl: text of the access control list.
        users: passwords by user name; nobody else gets in.
        tls: speaks TLS only, with a certificate for 127.0.0.1 from this authority.
        require_certificate: clients need a certificate of the same authority; its CN is their user name.
    """

    def __init__(
        self,
        folder: Path,
        *lines: str,
        persistence: bool = False,
        acl: str | None = None,
        users: dict[str, str] | None = None,
        tls: Authority | None = None,
        require_certificate: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._acl = folder / "acl"
        self._process: subprocess.Popen[bytes] | None = None
        anonymous = users is None and not require_certificate
        config = [f"listener {self.port} 127.0.0.1", f"allow_anonymous {str(anonymous).lower()}"]
        if tls is not None:
            own = tls.issue("broker", host="IP:127.0.0.1")
            config += [f"cafile {tls.certificate}", f"certfile {own.certificate}", f"keyfile {own.key}"]
        if require_certificate:
            config += ["require_certificate true", "use_identity_as_username true"]
        # 0, which means no limit, makes mosquitto 2.0.11 hang up whenever it refuses a message
        config += ["log_dest stderr", "max_queued_messages 1000000"]
        if os.getuid() == 0:
            config.append("user root")  # else it could not write into the test's folder
        if persistence:
            config += ["persistence true", f"persistence_location {folder}/"]
        if acl is not None:
            self._acl.write_text(acl)
            config.append(f"acl_file {self._acl}")
        if users is not None:
            config.append(f"password_file {self._password_file(users)}")
        (folder / "mosquitto.conf").write_text("\n".join([*config, *lines]) + "\n")

    def _password_file(self, users: dict[str, str]) -> Path:
        file = self.folder / "passwords"
        file.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
        subprocess.run([program("mosquitto_passwd"), "-U", str(file)], check=True, capture_output=True)
        return file

    def start(self) -> Self:
        """Start, and wait until it listens."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # setpriv: it ends with the test even if that is killed
                ["setpriv", "--pdeathsig", "KILL", program("mosquitto"), "-c", str(self.folder / "mosquitto.conf")],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 10
        while not listens(self.port):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """SIGTERM: it saves its sessions."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """kill -9: it forgets what it had not saved."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def set_acl(self, text: str) -> None:
        """Put another access control list into force."""
        self._acl.write_text(text)
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Collector:
    """A subscriber with a session that outlives its connection and the broker's; keeps all messages.

    MQTT 5, QoS 1. Connects again by itself when the broker went away.
    """

    def __init__(self, port: int, *filters: str, client_id: str = "collector") -> None:
        self.messages: list[MQTTMessage] = []
        self._filters = filters
        self._port = port
        self.connected = threading.Event()
        self._arrived = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe([(name, 1) for name in self._filters])
        self._client.on_disconnect = lambda *_: self.connected.clear()
        self._client.on_subscribe = lambda *_: self.connected.set()
        self._client.on_message = lambda _c, _u, message: self._keep(message)

    def _keep(self, message: MQTTMessage) -> None:
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()

    def __enter__(self) -> Self:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it without types
        properties.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", self._port, 30, clean_start=False, properties=properties)
        self._client.loop_start()
        assert self.connected.wait(10), "the subscriber did not get through"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait_for(self, count: int, timeout: float = 10) -> list[MQTTMessage]:
        """Wait for at least so many messages, and return all."""
        with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self.messages) >= count, timeout)
            assert enough, f"{len(self.messages)} of {count} messages arrived in {timeout} s"
            return list(self.messages)

    def on(self, suffix: str) -> list[MQTTMessage]:
        """The messages so far whose topic ends like this."""
        return [message for message in list(self.messages) if message.topic.endswith(suffix)]

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish with QoS 1."""
        self._client.publish(topic, payload, 1, retain).wait_for_publish(5)
