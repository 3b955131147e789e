"""A subscriber at a broker: keeps a connection, follows the stream, and answers for a consumer if there is one."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paho.mqtt.client import MQTTMessage

from edge_agent.cli.stream import Arrival, Message, Stream, parse
from edge_agent.config.models import BrokerSettings
from edge_agent.config.secrets import Secrets
from edge_agent.daemon.mqtt import BrokerError, HungUpError, Link, UnsupportedProtocolError
from edge_agent.events.topics import PREFIX

TURN_SECONDS = 0.1
RETRY_SECONDS = 1.0


class PasswordFile(Secrets):
    """One secret: the password in a file that was named on the command line."""

    NAME: Final = "password"

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            OSError: the file cannot be read.
            UnicodeDecodeError: it is not text.

        """
        super().__init__(path.parent)
        self._text = path.read_text("utf-8").rstrip("\r\n")

    def text(self, name: str) -> str:
        """The password; there is no other secret."""
        return self._text if name == self.NAME else super().text(name)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message, with what its number says if it is an event. ``size`` is that of its payload in bytes."""

    message: Message
    arrival: Arrival | None
    size: int


class Subscriber:
    """Connects, and connects again whenever the connection is lost.

    Attributes:
        stream: everything that came so far.
        where: the broker in words.
        trouble: why nothing comes just now, else empty.
        stopping: set it, also in a signal handler, to end ``messages``.

    """

    def __init__(
        self, settings: BrokerSettings, secrets: Secrets, *, post: str | None = None, consumer: str | None = None
    ) -> None:
        """Connect and subscribe to one post (``kz/kordai``) or all; a ``consumer`` sends receipts and asks for replays.

        Raises:
            BrokerError: the broker does not answer, or refuses us.
            SecretError: the password or key of the configuration cannot be read.

        """
        self.stream = Stream()
        self.where = f"{settings.host}:{settings.port}"
        self.trouble = ""
        self.stopping = False
        self._settings = settings
        self._secrets = secrets
        self._filter = f"{PREFIX}/{post}/#" if post else f"{PREFIX}/#"
        self._consumer = consumer
        self._client_id = f"watch-{os.urandom(6).hex()}"
        self._protocol = "3.1.1" if settings.protocol == "3.1.1" else "5"
        self._arrived: deque[Arrived] = deque()
        self._retry_at = 0.0
        self._link: Link | None = self._connect()

    def messages(self, until: float | None = None) -> Iterator[Arrived | None]:
        """All messages as they come; None at least ten times a second, whenever there is nothing more for the moment.

        Ends at the monotonic time ``until`` and when ``stopping`` is set.
        """
        while not self.stopping and (until is None or time.monotonic() < until):
            self._turn()
            while self._arrived:
                yield self._arrived.popleft()
            yield None

    def reply(self) -> None:
        """Send receipts and replay requests that are due, in the name of the consumer; nothing if there is none."""
        if self._consumer is None or self._link is None:
            return
        try:
            for topic, payload in self.stream.replies(self._consumer, time.monotonic()):
                self._link.publish(topic, payload)
        except BrokerError as error:
            self._lost(error)

    def close(self) -> None:
        """Send what is underway and say goodbye."""
        if self._link is None:
            return
        try:
            self._link.turn(TURN_SECONDS)
            self._link.close()
        except (BrokerError, OSError):
            return

    def _turn(self) -> None:
        if self._link is None:
            self._try_again()
            return
        try:
            self._link.turn(TURN_SECONDS)
        except BrokerError as error:
            self._lost(error)

    def _try_again(self) -> None:
        left = self._retry_at - time.monotonic()
        if left > 0:
            time.sleep(min(left, TURN_SECONDS))
            return
        try:
            self._link = self._connect()
            self.trouble = ""
        except BrokerError as error:
            self._lost(error)

    def _lost(self, error: BrokerError) -> None:
        self.trouble = str(error)
        self._link = None
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _connect(self) -> Link:
        try:
            link = self._open(self._protocol)
        except (UnsupportedProtocolError, HungUpError):
            if self._protocol != "5" or self._settings.protocol != "auto":
                raise
            link = self._open("3.1.1")
            self._protocol = "3.1.1"
        link.subscribe(self._filter)
        return link

    def _open(self, protocol: str) -> Link:
        return Link(
            self._settings, self._secrets, client_id=self._client_id, protocol=protocol, on_message=self._on_message
        )

    def _on_message(self, message: MQTTMessage) -> None:
        parsed = parse(message.topic, bytes(message.payload))
        arrival = self.stream.take(parsed, time.monotonic())
        self._arrived.append(Arrived(parsed, arrival, len(message.payload)))
