"""A swipe reader on a pseudo terminal, the whole way to the broker, also when it is unplugged in between."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from edge_agent.processing.mrz.framing import FRAMINGS
from edge_agent.simulate.broker import EmbeddedBroker
from tests.brokers import Collector
from tests.drivers.wires import Wire
from tests.e2e.post import Post, wait_until
from tests.processing.mrz.zones import GOOD

pytestmark = pytest.mark.e2e

ACCESS_IS = FRAMINGS[0]
PASSPORT = tuple(GOOD["TD3 of Doc 9303 part 4"].split())
CARD = tuple(GOOD["TD1 of Doc 9303 part 5"].split())


def test_a_swiped_document_becomes_an_event_before_and_after_the_cable_was_pulled(
    tmp_path: Path, embedded_broker: EmbeddedBroker
) -> None:
    device = "blo/v1/kz/kordai/lane-1-swipe"
    with (
        Wire(tmp_path / "reader") as wire,
        Collector(embedded_broker.port, f"{device}/#") as office,
        Post(tmp_path / "post", embedded_broker.port) as post,
    ):
        post.device("lane-1-swipe", "passport.swipe", port=wire.link)

        def status(state: str) -> str:
            """The device's status, once it is this."""

            def reason() -> str | None:
                last = json.loads(office.on("/status")[-1].payload) if office.on("/status") else {}
                return f"is {state}: {last['reason']}" if last.get("state") == state else None

            return str(wait_until(reason, 20, f"a reader that is {state}"))

        def read(count: int) -> dict:
            wait_until(lambda: len(office.on("/passport/read")) == count, 10, f"event {count}")
            return json.loads(office.on("/passport/read")[-1].payload)["data"]

        post.start()
        status("ok")
        wire.send(ACCESS_IS.wrap(PASSPORT))
        first = read(1)
        assert (first["source"], first["verdict"], first["lines"]) == ("swipe", "valid", list(PASSPORT))

        wire.unplug()
        assert "was it unplugged? Plug it in again" in status("degraded")
        with Wire(tmp_path / "another reader, that takes the number"):
            time.sleep(2)
            wire.plug()
            status("ok")
            wire.send(ACCESS_IS.wrap(CARD))
            assert read(2)["lines"] == list(CARD)
        assert post.stop() == 0
