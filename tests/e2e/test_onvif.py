"""What an ONVIF camera reports reaches the office through a real agent, also after the camera rebooted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.simulate.broker import EmbeddedBroker
from edge_agent.simulate.camera import Camera
from tests.brokers import Collector
from tests.e2e.post import Post, wait_until

pytestmark = pytest.mark.e2e
TAMPER = "tns1:RuleEngine/TamperDetector/Tamper"


def test_a_report_arrives_and_the_password_stays_at_home(tmp_path: Path, embedded_broker: EmbeddedBroker) -> None:
    account = {"user": "agent", "password": "open-sesame"}
    with (
        Collector(embedded_broker.port, "blo/v1/#") as office,
        Camera(**account) as camera,
        Post(tmp_path / "post", embedded_broker.port) as post,
    ):

        def reports() -> list[dict[str, object]]:
            return [json.loads(message.payload)["data"] for message in office.on("/gate/cctv/device")]

        def said(words: str) -> bool:
            return any(words in json.loads(message.payload)["reason"] for message in office.on("/gate/status"))

        (post.config / "secrets").mkdir()
        (post.config / "secrets/gate").write_text("open-sesame\n")
        (post.config / "secrets/gate").chmod(0o600)
        post.device("gate", "cctv.onvif", host="127.0.0.1", port=camera.port, user="agent", password="gate", timeout=1)
        post.start()
        wait_until(lambda: camera.subscriptions, 30, "a subscription")
        camera.notify(TAMPER, True, item="IsTamper")
        wait_until(reports, 20, "the report")
        camera.stop()
        wait_until(lambda: said("cannot be reached"), 30, "a word about the camera")
        with Camera(**account, port=camera.port) as again:
            wait_until(lambda: again.subscriptions, 30, "a subscription after the reboot")
            again.notify(TAMPER, False, item="IsTamper")
            wait_until(lambda: len(reports()) == 2, 20, "the second report")
            assert post.stop() == 0
            assert again.subscriptions == {}
        assert [(report["report"], report["active"]) for report in reports()] == [("tamper", True), ("tamper", False)]
        written = [path.read_bytes() for path in post.folder.rglob("*") if path.is_file() and path.name != "gate"]
        assert not [data for data in written if b"sesame" in data]
