"""One MQTT connection, made with the settings of the post and explained in words when it fails.

paho-mqtt without its thread: whoever owns a ``Link`` turns it, so there is nothing to lock. A link is used for one
connection and thrown away; what was not acknowledged is published again from the journal, not from paho's memory.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.config.models import BrokerSettings, TlsSettings
from edge_agent.config.secrets import SecretError, Secrets

PROTOCOLS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
SEND_BUFFER = 256 * 1024
"""Small, so that what the system has taken is soon on the wire, and a dead link is noticed."""
WINDOW = 20
"""Unacknowledged messages at most; the fastest for paho, and what mosquitto announces."""


class BrokerError(Exception):
    """The broker cannot be reached, does not accept us, or is gone; says why and what to do."""


class UnsupportedProtocolError(BrokerError):
    """The broker does not speak this version of MQTT."""


class HungUpError(BrokerError):
    """The broker took our CONNECT and hung up without a word: an old one does so, but so does a bad link."""


class PackedProperties(Properties):
    """MQTT 5 properties that many messages share, encoded once."""

    def __init__(self, packet_type: int, **values: object) -> None:
        super().__init__(packet_type)  # type: ignore[no-untyped-call]  # paho leaves it without types
        for name, value in values.items():
            setattr(self, name, value)
        object.__setattr__(self, "_packed", super().pack())  # type: ignore[no-untyped-call]  # the same

    def pack(self) -> bytes:
        """The encoded properties."""
        packed: bytes = object.__getattribute__(self, "_packed")
        return packed


def tls_context(settings: TlsSettings, secrets: Secrets) -> ssl.SSLContext:
    """TLS 1.2 or newer, with the broker's certificate and host name always checked.

    Raises:
        BrokerError: a certificate or key cannot be used.

    """
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate is not None:
            key = secrets.path(settings.key) if settings.key is not None else None
            context.load_cert_chain(settings.certificate, key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(part) for part in (settings.ca, settings.certificate, settings.key) if part)
        raise BrokerError(f"The certificates cannot be used ({error}): look at {files}.") from error
    return context


def explain(error: Exception, host: str, port: int) -> str:
    """What went wrong on the way to the broker, and what a technician can do about it."""
    where = f"{host}:{port}"
    match error:
        case ssl.SSLCertVerificationError():
            return f"{where} shows a certificate that is not accepted ({error.verify_message}): look at ca and host."
        case ssl.SSLError():
            return f"{where} does not agree on TLS ({error.reason or error}): look at port, certificate and key."
        case socket.gaierror():
            return f"The name {host} is not known here: look at host and the post's DNS."
        case ConnectionRefusedError():
            return f"Nothing listens on {where}: is the broker running, and is the port right?"
        case TimeoutError():
            return f"{where} does not answer: look at the link and at firewalls."
        case _:
            return f"No connection to {where} ({error.strerror if isinstance(error, OSError) else error})."


class Link:
    """An open connection.

    Attributes:
        window: messages that may be unacknowledged, by us or by the broker's wish.
        max_packet: largest packet that the broker takes, in bytes.
        wrote: monotonic time when the network last took bytes from us.

    """

    def __init__(
        self,
        settings: BrokerSettings,
        secrets: Secrets,
        *,
        client_id: str,
        protocol: str = "5",
        will: tuple[str, bytes] | None = None,
        on_published: Callable[[int, ReasonCode], None] | None = None,
        on_message: Callable[[MQTTMessage], None] | None = None,
    ) -> None:
        """Connect, and return when the broker has accepted us.

        ``will`` is the (topic, payload) of a retained last will.

        Raises:
            BrokerError: not accepted, or no answer within ``settings.timeout`` seconds.
            UnsupportedProtocolError: the broker does not speak ``protocol``.

        """
        self.window = WINDOW
        self.max_packet = 2**28
        self.protocol = protocol
        self.wrote = time.monotonic()
        self._where = (settings.host, settings.port)
        self._accepted: ReasonCode | None = None
        self._lost: str | None = None
        self._client = client = Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=PROTOCOLS[protocol], reconnect_on_failure=False
        )
        client.connect_timeout = settings.timeout
        client.max_inflight_messages_set(WINDOW + 1)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        if on_published is not None:
            client.on_publish = lambda _c, _u, mid, code, _p: on_published(mid, code)
        if on_message is not None:
            client.on_message = lambda _c, _u, message: on_message(message)
        client.on_socket_register_write = lambda *_: None  # so that publishing only queues, and `turn` writes
        try:
            if settings.username is not None:
                password = secrets.text(settings.password) if settings.password else None
                client.username_pw_set(settings.username, password)
            if settings.tls is not None:
                client.tls_set_context(tls_context(settings.tls, secrets))
        except SecretError as error:  # the configuration was checked, but secrets change beside it
            raise BrokerError(str(error)) from error
        if will is not None:
            client.will_set(*will, qos=1, retain=True)
        self._connect(settings)

    def _connect(self, settings: BrokerSettings) -> None:
        clean: dict[str, Any] = {"clean_start": True} if self.protocol == "5" else {}
        try:
            self._client.connect(settings.host, settings.port, settings.keepalive, **clean)
        except (OSError, ValueError) as error:
            raise BrokerError(explain(error, *self._where)) from error
        if isinstance(sock := self._client.socket(), socket.socket):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        deadline = time.monotonic() + settings.timeout
        while self._accepted is None:
            if time.monotonic() > deadline:
                raise BrokerError("{}:{} accepts the connection but says nothing: is it a broker?".format(*self._where))
            try:
                self.turn(0.2)
            except BrokerError as error:
                if self._accepted is None:
                    hint = "the client's certificate and key" if settings.tls is not None else "port and tls"
                    raise HungUpError(f"{settings.host}:{settings.port} hung up unasked: look at {hint}.") from error
                break
        self._judge()

    def _judge(self) -> None:
        code = self._accepted
        if code is None or not code.is_failure:
            return
        name = str(code)
        if name in {"Unsupported protocol version", "Protocol error"}:
            raise UnsupportedProtocolError(f"{self._where[0]} does not speak MQTT {self.protocol}.")
        hint = {
            "Bad user name or password": "look at username and password",
            "Not authorized": "look at username, password and certificate, and at the broker's list of clients",
            "Client identifier not valid": "look at client_id",
        }.get(name, "ask whoever runs the broker")
        raise BrokerError(f"{self._where[0]}:{self._where[1]} refuses this post ({name}): {hint}.")

    def _on_connect(self, _c: Client, _u: Any, _flags: ConnectFlags, code: ReasonCode, said: Properties | None) -> None:
        self._accepted = code
        if said is not None:
            self.window = min(WINDOW, getattr(said, "ReceiveMaximum", WINDOW))
            self.max_packet = getattr(said, "MaximumPacketSize", self.max_packet)

    def _on_disconnect(
        self, _c: Client, _u: Any, flags: DisconnectFlags, code: ReasonCode, _p: Properties | None
    ) -> None:
        who = "The broker closed the connection" if flags.is_disconnect_packet_from_server else "The connection is gone"
        self._lost = f"{who} ({code})."

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, properties: Properties | None = None) -> int:
        """Queue a message with QoS 1 and return its packet identifier; ``turn`` sends it.

        Raises:
            BrokerError: the connection is gone.

        """
        info = self._client.publish(topic, payload, 1, retain, properties if self.protocol == "5" else None)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerError(self._lost or "The connection is gone.")
        return info.mid

    def subscribe(self, *filters: str) -> None:
        """Subscribe with QoS 1."""
        self._client.subscribe([(name, 1) for name in filters])

    def turn(self, timeout: float, wake: int | None = None) -> bool:
        """Send and receive what there is, waiting at most ``timeout`` seconds; whether ``wake`` became readable.

        Raises:
            BrokerError: the connection is gone.

        """
        client = self._client
        sock = client.socket()
        if sock is None:
            raise BrokerError(self._lost or "The connection is gone.")
        if isinstance(sock, ssl.SSLSocket) and sock.pending():
            timeout = 0
        reading = [sock] if wake is None else [sock, wake]
        readable, writable, _ = select.select(reading, [sock] if client.want_write() else [], [], timeout)
        if writable:
            client.loop_write()
            self.wrote = time.monotonic()
        if sock in readable or (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            client.loop_read()
        client.loop_misc()
        if client.socket() is None:
            raise BrokerError(self._lost or "The connection is gone.")
        return wake in readable

    def close(self) -> None:
        """Say goodbye, so that the broker does not publish the last will."""
        self._client.disconnect()
        self._client.loop_write()


def speaks_only_311(settings: BrokerSettings, secrets: Secrets, client_id: str) -> bool:
    """Whether a broker that hung up on MQTT 5 accepts MQTT 3.1.1, and then hangs up on MQTT 5 once more.

    All of that is asked, since 3.1.1 has no way to report that an event was refused: it must not be used by mistake.
    """
    try:
        Link(settings, secrets, client_id=client_id, protocol="3.1.1").close()
    except BrokerError:
        return False
    try:
        Link(settings, secrets, client_id=client_id, protocol="5").close()
    except (HungUpError, UnsupportedProtocolError):
        return True
    except BrokerError:
        return False
    return False


def content_type(media_type: str) -> PackedProperties:
    """The MQTT 5 properties of a message that holds this."""
    return PackedProperties(PacketTypes.PUBLISH, ContentType=media_type)
