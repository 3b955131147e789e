"""The publisher: one connection to the broker after the other, carrying what the outbox hands out."""

from __future__ import annotations

import logging
import os
import random
import time
from pathlib import Path
from threading import Thread

from paho.mqtt.client import MQTTMessage
from paho.mqtt.reasoncodes import ReasonCode
from pydantic import ValidationError

from edge_agent.config.models import BrokerSettings
from edge_agent.config.secrets import Secrets
from edge_agent.daemon.intake import Intake
from edge_agent.daemon.journal import Journal, JournalDamagedError, JournalUnwritableError
from edge_agent.daemon.mqtt import (
    BrokerError,
    HungUpError,
    Link,
    PackedProperties,
    UnsupportedProtocolError,
    content_type,
    speaks_only_311,
)
from edge_agent.daemon.outbox import Kind, Message, Outbox, Retained
from edge_agent.events.status import Receipt, ReplayRequest
from edge_agent.events.topics import Post

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds between two attempts to connect: doubled each time, with jitter."""
GOODBYE_SECONDS = 2.0
PACKET_OVERHEAD = 64
MAX_COMMAND = 4096


class Publisher(Thread):
    """The thread between the journal and the broker.

    Attributes:
        tick: monotonic time of its last turn; the watchdog looks at it.
        trouble: why nothing is delivered just now, in words, or None.
        published: events acknowledged by the broker since the start.

    """

    def __init__(
        self, journal: Path, post: Post, settings: BrokerSettings, secrets: Secrets, intake: Intake, will: bytes
    ) -> None:
        super().__init__(name="publisher", daemon=True)
        self.tick = time.monotonic()
        self.trouble: str | None = "Not connected to the broker yet."
        self.published = 0
        self.retained = Retained()
        self._journal = journal
        self._post = post
        self._settings = settings
        self._secrets = secrets
        self._intake = intake
        self._client_id = settings.client_id or f"edge-{post.country}-{post.bcp}"
        self._will = (post.status(), will)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = False
        self._goodbye = float("inf")
        self._protocol = "3.1.1" if settings.protocol == "3.1.1" else "5"
        self._pause = FIRST_PAUSE
        self._properties: dict[str, PackedProperties] = {}

    # -- called from other threads --------------------------------------------------------------------------------

    def wake(self) -> None:
        """There is something new in the journal."""
        os.eventfd_write(self._wake, 1)

    def retain(self, topic: str, payload: bytes) -> None:
        """Keep a retained message (birth, status) at the broker, now and after every reconnection."""
        if self.retained.set(topic, payload):
            self.wake()

    def stop(self) -> None:
        """Publish the last statuses, say goodbye and end."""
        self._goodbye = time.monotonic() + GOODBYE_SECONDS
        self._stopping = True
        self.wake()

    # -- the thread -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Connect, publish, and connect again, until stopped."""
        while not self._stopping:
            self.tick = time.monotonic()
            try:
                with Journal(self._journal) as journal:
                    self._publish(journal)
            except BrokerError as error:
                self._lost(str(error))
                self._reconsider_protocol(error)
            except JournalDamagedError as error:
                self._intake.damaged(str(error))
            except JournalUnwritableError as error:
                self._lost(f"The journal cannot be read ({error}).")
            self._rest()

    def _lost(self, why: str) -> None:
        if self.trouble != why and not self._stopping:
            log.warning("broker: %s", why)
        self.trouble = why

    def _reconsider_protocol(self, error: BrokerError) -> None:
        if self._settings.protocol != "auto" or self._protocol != "5":
            return
        old = isinstance(error, UnsupportedProtocolError)
        old = old or (
            isinstance(error, HungUpError) and speaks_only_311(self._settings, self._secrets, self._client_id)
        )
        if old:
            log.warning("broker: it speaks only MQTT 3.1.1, which cannot tell when it refuses an event")
            self._protocol, self._pause = "3.1.1", 0.0

    def _rest(self) -> None:
        until = time.monotonic() + self._pause * random.uniform(0.8, 1.2)
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        while not self._stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
            self.tick = time.monotonic()

    def _publish(self, journal: Journal) -> None:
        """Use one connection until it is lost or the publisher is to stop.

        Raises:
            BrokerError: the connection is lost or makes no progress.
            JournalDamagedError: the journal cannot be read.

        """
        generation = self._intake.generation
        outbox = Outbox(journal, self._intake.outcomes, self.retained)
        sent: dict[int, Message] = {}
        acknowledged = looked = time.monotonic()

        def on_published(mid: int, code: ReasonCode) -> None:
            nonlocal acknowledged
            acknowledged = time.monotonic()
            message = sent.pop(mid, None)
            if message is None:
                return
            outbox.settle(message, str(code) if code.is_failure else None)
            if message.kind is Kind.EVENT and not code.is_failure:
                self.published += 1

        settings = self._settings
        self.tick = time.monotonic() + 3 * settings.timeout  # looking up the name and connecting block
        link = Link(
            settings,
            self._secrets,
            client_id=self._client_id,
            protocol=self._protocol,
            will=self._will,
            on_published=on_published,
            on_message=self._on_message,
        )
        log.info("broker: connected with MQTT %s", link.protocol)
        self.trouble = None
        link.subscribe(self._post.receipt("+"), self._post.replay("+"))
        while True:
            stopping = self._stopping
            while len(sent) < link.window and (message := outbox.next(only_status=stopping)) is not None:
                if len(message.topic) + len(message.payload) + PACKET_OVERHEAD > link.max_packet:
                    outbox.settle(message, f"larger than the {link.max_packet} bytes that the broker takes")
                else:
                    properties = self._content_type(message.media_type)
                    retain = message.kind is Kind.STATUS
                    sent[link.publish(message.topic, message.payload, retain=retain, properties=properties)] = message
            if link.turn(0.05 if stopping else 1.0, self._wake):
                os.eventfd_read(self._wake)
                outbox.look()
            now = self.tick = time.monotonic()
            if now - looked >= 1.0:
                looked = now
                outbox.look(everywhere=True)
                self._pause = FIRST_PAUSE
            if stopping and (not sent or now > self._goodbye):
                link.close()
                return
            if sent and now - max(acknowledged, link.wrote) > settings.timeout:
                raise BrokerError(f"The broker acknowledged nothing for {settings.timeout} seconds: connecting again.")
            if generation != self._intake.generation:
                link.close()
                return

    def _content_type(self, media_type: str) -> PackedProperties:
        if media_type not in self._properties:
            self._properties[media_type] = content_type(media_type)
        return self._properties[media_type]

    def _on_message(self, message: MQTTMessage) -> None:
        """A receipt or a request for a replay, from a consumer; what is not one is refused and said."""
        *_, command, consumer = message.topic.split("/")
        try:
            if len(message.payload) > MAX_COMMAND:
                raise ValueError("too long")
            if command == "receipt":
                receipt = Receipt.model_validate_json(message.payload)
                self._intake.outcomes.receipts.append((consumer, receipt.through))
            else:
                wanted = ReplayRequest.model_validate_json(message.payload)
                self._intake.outcomes.replays.append((wanted.first, wanted.last))
        except (ValueError, ValidationError):
            log.warning("a %s from %s is not one, and is ignored", command, consumer)
