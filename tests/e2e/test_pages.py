"""Every kind of bad input in the scanner's folder of a real agent, and a good page after them all."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.simulate.documents import specimen
from edge_agent.simulate.render import render
from tests.brokers import Mosquitto, program
from tests.drivers.passport.test_page import bad_inputs
from tests.e2e.post import Post, wait_until

pytestmark = pytest.mark.e2e


def test_bad_input_ends_in_quarantine_and_the_next_page_is_read(tmp_path: Path, mosquitto: Mosquitto) -> None:
    rng = np.random.default_rng(2)
    made = specimen(rng)
    page = cv2.imencode(".jpg", render(made, rng, dpi=200).image)[1].tobytes()
    with Post(tmp_path / "post", mosquitto.port) as post:
        inbox = post.state / "inbox"
        inbox.mkdir()
        post.device("lane-1", "passport.page", folder="inbox", patience_seconds=0.5)
        bad = bad_inputs()
        for name, (_, data) in bad.items():
            (inbox / name).write_bytes(data)
        (inbox / "a folder.jpg").mkdir()
        os.mkfifo(inbox / "a pipe.jpg")
        (inbox / "a link.jpg").symlink_to("/etc/passwd")
        expected = len(bad) + 3
        command = [program("mosquitto_sub"), "-V", "5", "-q", "1", "-p", str(mosquitto.port), "-F", "%t %p"]
        command += ["-t", "blo/v1/kz/kordai/lane-1/+/+", "-C", str(expected + 1), "-W", "60"]
        listener = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        post.start()
        wait_until(lambda: post.stand().last_sequence >= expected, 40, "a rejection of each")
        (inbox / "паспорт №1.jpg").write_bytes(page)
        wait_until(lambda: post.stand().last_sequence > expected, 40, "the good page")
        output, _ = listener.communicate(timeout=60)
        assert post.workers()["lane-1"]
        assert post.stop() == 0
    events = [(topic, json.loads(payload)) for topic, payload in (line.split(" ", 1) for line in output.splitlines())]
    rejected = [event["data"]["reason"] for topic, event in events if topic.endswith("/lane-1/device/rejected")]
    assert sorted(rejected) == sorted([*(reason for reason, _ in bad.values()), *["not-a-file"] * 3])
    (read,) = [event for topic, event in events if topic.endswith("/lane-1/passport/read")]
    assert read["data"]["lines"][1] == made.lines[1]
    assert len(list((inbox / "failed").glob("*.reason.txt"))) == expected
    assert [path.name for path in (inbox / "processed").iterdir()] == ["паспорт №1.jpg"]
    assert {path.name for path in inbox.iterdir()} == {"processed", "failed"}
