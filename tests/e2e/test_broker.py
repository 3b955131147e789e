"""MQTT done properly: who we trust, who we are, what is refused, and what an old broker cannot do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_agent.simulate.broker import EmbeddedBroker
from tests.brokers import Authority, Collector, Mosquitto
from tests.e2e.post import Post, wait_until

pytestmark = pytest.mark.e2e

Publish = Callable[[Post], None]


def delivered(post: Post, count: int = 5) -> Callable[[], bool]:
    return lambda: post.stand().delivered_through >= count


def says(post: Post, text: str) -> Callable[[], bool]:
    return lambda: text in post.log.read_text()


def secret(post: Post, name: str, content: str | bytes) -> str:
    folder = post.config / "secrets"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o600)
    return name


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def test_client_certificate_and_an_acl_for_each_client(tmp_path: Path, authority: Authority) -> None:
    own = authority.issue("edge-kz-kordai")
    acl = "pattern readwrite blo/v1/kz/kordai/#\n"
    broker = Mosquitto(tmp_path / "broker", tls=authority, require_certificate=True, acl=acl)
    with broker, Post(tmp_path / "post", broker.port) as post:
        tls = {"ca": str(authority.certificate), "certificate": str(own.certificate)}
        post.configure(broker.port, broker__tls={**tls, "key": secret(post, "mqtt-key", own.key.read_bytes())})
        post.device("lane-1", "trial.load", rate=50)
        post.start()
        wait_until(delivered(post), 20, "delivery")
        assert post.stop() == 0


def gets_nothing(folder: Path, broker: Mosquitto, trusted: Authority) -> None:
    """A post that trusts this authority, and has no certificate, says so in its log and delivers nothing."""
    with broker, Post(folder, broker.port) as post:
        post.configure(broker.port, broker__tls={"ca": str(trusted.certificate)})
        post.device("lane-1", "trial.load", rate=50)
        post.start()
        wait_until(says(post, "certificate"), 20, "a word about the certificate")
        assert post.stand().delivered_through == 0
        assert post.stop() == 0


def test_without_its_certificate_the_client_is_told_so(tmp_path: Path, authority: Authority) -> None:
    gets_nothing(tmp_path / "post", Mosquitto(tmp_path / "broker", tls=authority, require_certificate=True), authority)


def test_a_broker_of_another_authority_gets_nothing(tmp_path: Path, authority: Authority) -> None:
    stranger = Authority(tmp_path / "stranger", "stranger")
    gets_nothing(tmp_path / "post", Mosquitto(tmp_path / "broker", tls=stranger), authority)


def test_the_host_name_is_checked(tmp_path: Path, authority: Authority) -> None:
    broker = Mosquitto(tmp_path / "broker", tls=authority)  # its certificate is for 127.0.0.1
    with broker, Post(tmp_path / "post", broker.port) as post:
        tls = {"ca": str(authority.certificate)}
        post.configure(broker.port, broker={"host": "localhost"}, broker__tls=tls)
        post.device("lane-1", "trial.load", rate=50)
        post.start()
        wait_until(says(post, "localhost"), 20, "a word about the name")
        assert post.stand().delivered_through == 0
        post.configure(broker.port, broker__tls=tls)
        post.hang_up()
        wait_until(delivered(post), 20, "delivery under the right name")
        assert post.stop() == 0


def test_user_name_and_password(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker", users={"kordai": "correct horse"})
    with broker, Post(tmp_path / "post", broker.port) as post:
        name = secret(post, "mqtt-password", "wrong\n")
        post.configure(broker.port, broker={"username": "kordai", "password": name})
        post.device("lane-1", "trial.load", rate=50)
        post.start()
        wait_until(says(post, "password"), 20, "a word about the password")
        assert "wrong" not in post.log.read_text()
        secret(post, "mqtt-password", "correct horse\n")
        wait_until(delivered(post), 30, "delivery")
        (post.config / "secrets" / name).unlink()
        broker.stop()
        broker.start()
        wait_until(says(post, f"the secret {name} is missing"), 20, "a word about the secret")
        secret(post, "mqtt-password", "correct horse\n")
        there = post.stand().delivered_through
        wait_until(lambda: post.stand().delivered_through > there, 30, "delivery again")
        assert post.stop() == 0


def test_an_event_that_the_broker_denies_is_not_delivered_and_is_tried_again(tmp_path: Path) -> None:
    agent_only = "topic read #\ntopic readwrite blo/v1/kz/kordai/agent/#\n"
    broker = Mosquitto(tmp_path / "broker", acl=agent_only)
    with broker, Collector(broker.port, "blo/v1/#") as office, Post(tmp_path / "post", broker.port) as post:
        post.device("lane-1", "trial.load", rate=20, count=10)
        post.start()
        wait_until(lambda: post.stand().refused == 10, 20, "ten refusals")
        wait_until(lambda: "refused 10 events" in last(office, "/agent/status")["reason"], 10, "a status that says so")
        assert post.stand().undelivered == 10
        broker.set_acl("topic readwrite #\n")
        wait_until(lambda: len(office.on("/trial/load")) == 10, 30, "the events after all")
        wait_until(lambda: post.stand().undelivered == 0, 10, "a clean journal")
        assert post.stop() == 0


def test_a_broker_that_speaks_only_3_1_1(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    with (
        Collector(embedded_broker.port, "blo/v1/#") as office,
        Post(tmp_path / "post", embedded_broker.port_311) as post,
    ):
        post.device("lane-1", "trial.load", rate=50)
        post.start()
        wait_until(delivered(post), 30, "delivery")
        assert "only MQTT 3.1.1" in post.log.read_text()
        assert len(office.on("/trial/load")) >= 5
        assert post.stop() == 0


def last(office: Collector, suffix: str) -> dict[str, Any]:
    messages = office.on(suffix)
    return json.loads(messages[-1].payload) if messages else {"state": "", "reason": ""}


def test_birth_status_and_last_will(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with Post(tmp_path / "post", mosquitto.port) as post:
        post.device("lane-1", "trial.load", rate=20)
        post.start()
        wait_until(delivered(post), 20, "delivery")
        with Collector(mosquitto.port, "blo/v1/#", client_id="late") as late:  # sees the whole post at once
            wait_until(lambda: late.on("/lane-1/status") and late.on("/agent/birth"), 5, "what is retained")
            assert last(late, "/lane-1/status")["state"] == "ok"
            assert last(late, "/agent/birth")["devices"][0]["driver"] == "trial.load"
            assert last(late, "/agent/status")["state"] == "ok"
            post.kill()
            wait_until(lambda: last(late, "/agent/status")["state"] == "offline", 10, "the last will")
            assert "lost" in last(late, "/agent/status")["reason"]
            post.start()
            wait_until(lambda: last(late, "/agent/status")["state"] == "ok", 10, "the agent again")
            assert post.stop() == 0
            wait_until(lambda: last(late, "/agent/status")["state"] == "offline", 10, "a goodbye")
            assert last(late, "/agent/status")["reason"] == "Stopped."
            wait_until(lambda: last(late, "/lane-1/status")["state"] == "offline", 10, "the device's goodbye")


def test_a_consumer_asks_for_a_replay_and_gives_receipts(tmp_path: Path, mosquitto: Mosquitto) -> None:
    with Collector(mosquitto.port, "blo/v1/#") as office, Post(tmp_path / "post", mosquitto.port) as post:
        post.configure(mosquitto.port, journal={"receipts": ["office"]})
        post.device("lane-1", "trial.load", rate=100, count=50)
        post.start()
        wait_until(lambda: len(office.on("/trial/load")) == 50, 20, "fifty events")
        first = {json.loads(message.payload)["id"]: message.payload for message in office.on("/trial/load")}
        office.publish("blo/v1/kz/kordai/agent/replay/office", '{"first": 11, "last": 20}')
        office.publish("blo/v1/kz/kordai/agent/receipt/office", '{"through": 50}')
        office.publish("blo/v1/kz/kordai/agent/replay/office", "no JSON")
        office.publish("blo/v1/kz/kordai/agent/replay/office", '{"first": 1, "last": 2}' + " " * 10_000)
        wait_until(lambda: len(office.on("/trial/load")) == 60, 10, "ten events again")
        again = [message.payload for message in office.on("/trial/load")[50:]]
        assert [int(json.loads(payload)["sequence"]) for payload in again] == list(range(11, 21))
        assert all(first[json.loads(payload)["id"]] == payload for payload in again), "the same to the byte"
        wait_until(lambda: post.journal()._receipts(["office"]) == [50], 10, "the receipt on disk")
        assert post.log.read_text().count("is not one, and is ignored") == 2
        assert post.stop() == 0


def test_evidence_goes_out_beside_its_event(tmp_path: Path, mosquitto: Mosquitto) -> None:
    import hashlib

    import cv2
    import numpy as np

    grey = cv2.imencode(".png", np.full((600, 800), 128, np.uint8))[1].tobytes()
    with Collector(mosquitto.port, "blo/v1/#") as office, Post(tmp_path / "post", mosquitto.port) as post:
        for wanted in ("all", "thumbnail", "none"):
            post.device(wanted, "passport.page", keys={"evidence": wanted}, folder=f"inbox/{wanted}")
            (post.state / "inbox" / wanted).mkdir(parents=True)
            (post.state / "inbox" / wanted / "page.png").write_bytes(grey)
        post.start()
        wait_until(lambda: len(office.on("/passport/read")) == 3, 40, "three events")
        wait_until(lambda: sum("/evidence/" in m.topic for m in office.messages) == 2, 10, "two pieces of evidence")
        assert post.stop() == 0
    sent = {message.topic: message.payload for message in office.messages if "/evidence/" in message.topic}
    name = hashlib.sha256(grey).hexdigest()
    assert sent.pop(f"blo/v1/kz/kordai/all/evidence/{name}") == grey
    ((topic, thumbnail),) = sent.items()
    assert topic.endswith(hashlib.sha256(thumbnail).hexdigest())
    for message in office.on("/passport/read"):
        event = json.loads(message.payload)
        assert event["evidence"][0]["sha256"] == name
        assert event["evidence"][0]["sent"] is (event["source"] == "/blo/kz/kordai/all")
        assert event["dataclassification"] == "personal"
