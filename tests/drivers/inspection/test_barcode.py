"""Bar codes from a folder, a camera and a hand scanner, as events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from drivers import folder as folder_module
from drivers.inspection.barcode import Barcode, BarcodeSettings
from edge_agent.driver import DriverError, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.evidence import sha256
from edge_agent.events.inspection import BarcodeRead
from edge_agent.simulate.papers import drawn, page
from tests.drivers.wires import Wire

PASS = "M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 226F001A0025 106>60000"
PATIENT = 5


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.005)
    return tmp_path


def pictures(inbox: Path) -> Barcode:
    where = {"folder": inbox, "settle_seconds": 0, "patience_seconds": 0, "seconds": PATIENT}
    return Barcode(BarcodeSettings.model_validate({"pictures": where}))


def png(*codes: np.ndarray, angle: float = 20) -> bytes:
    image = page(codes, angle=angle, rng=np.random.default_rng(1))
    return cv2.imencode(".png", image)[1].tobytes()


def take(observations: Iterator[Observation | None], count: int) -> list[Observation]:
    deadline = time.monotonic() + 20
    found: list[Observation] = []
    for observation in observations:
        if observation is not None:
            found.append(observation)
            if observation.acknowledge is not None:
                observation.acknowledge()
        if len(found) == count:
            return found
        assert time.monotonic() < deadline, f"only {len(found)} came"
    raise AssertionError("the driver ended")


def read(observation: Observation) -> BarcodeRead:
    assert isinstance(observation.data, BarcodeRead)
    return observation.data


def test_each_code_of_a_picture_is_an_event_and_the_file_goes_after_the_last(inbox: Path) -> None:
    data = png(drawn("Code128", "CSQU3054383"), drawn("PDF417", PASS), drawn("QRCode", "https://x.example/"))
    (inbox / "papers.png").write_bytes(data)
    observations = pictures(inbox).observe()
    found = [next(observation for observation in observations if observation is not None) for _ in range(3)]
    assert [observation.acknowledge is None for observation in found] == [True, True, False]
    assert len({observation.key for observation in found}) == 3
    assert (inbox / "papers.png").exists()
    assert found[2].acknowledge is not None
    found[2].acknowledge()
    assert (inbox / "processed" / "papers.png").exists()
    container, boarding, link = map(read, found)
    assert (container.format, container.standard, container.containers) == ("Code 128", "ISO 6346", ["CSQU3054383"])
    assert boarding.boarding_pass is not None
    assert (boarding.standard, boarding.boarding_pass.surname) == ("IATA BCBP", "DESMARAIS")
    assert (link.standard, link.text, link.base64) == ("link", "https://x.example/", None)
    assert [(each.number, each.of, each.picture) for each in (container, boarding, link)] == [
        (number, 3, sha256(data)) for number in (1, 2, 3)
    ]
    assert found[0].evidence[0].data == data
    assert BarcodeRead.classification == "personal"


def test_bytes_are_kept_as_base64(inbox: Path) -> None:
    (inbox / "a.png").write_bytes(png(drawn("QRCode", b"\x00\xff\x80")))
    (observation,) = take(pictures(inbox).observe(), 1)
    assert (read(observation).text, read(observation).base64) == (None, "AP+A")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("no code.png", cv2.imencode(".png", np.full((60, 60), 255, np.uint8))[1].tobytes(), "no-barcode"),
        ("text.jpg", b"Dear officer", "not-an-image"),
        ("cut.png", png(drawn("QRCode", "whole"))[:2000], "truncated-image"),
        ("empty.png", b"", "empty-file"),
    ],
)
def test_what_has_no_code_is_set_aside_with_what_to_do(inbox: Path, name: str, data: bytes, reason: str) -> None:
    (inbox / name).write_bytes(data)
    (observation,) = take(pictures(inbox).observe(), 1)
    assert isinstance(observation.data, InputRejected)
    assert observation.data.reason == reason
    assert (inbox / "failed" / name).read_bytes() == data
    assert (inbox / "failed" / f"{name}.reason.txt").read_text().strip() == observation.data.message


@pytest.mark.slow
def test_a_code_under_the_camera_is_read_once_for_each_time(tmp_path: Path) -> None:
    with_code = page([drawn("QRCode", "laid down")], angle=10, rng=np.random.default_rng(1))
    desk = np.full_like(with_code, 96)
    film = tmp_path / "film.avi"
    size = (with_code.shape[1], with_code.shape[0])
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 5, size)
    for image in (desk, with_code, with_code, with_code, desk):
        writer.write(image)
    writer.release()
    camera = {"device": str(film), "again_seconds": 3600, "seconds": 0.2}
    found: list[Observation] = []
    observations = Barcode(BarcodeSettings.model_validate({"camera": camera})).observe()
    with pytest.raises(DriverError, match="delivers no pictures any more"):
        found.extend(observation for observation in observations if observation is not None)
    assert [(read(each).text, read(each).source) for each in found] == [("laid down", "camera")]
    assert found[0].evidence[0].media_type == "image/jpeg"


def test_a_hand_scanner_and_its_cable(tmp_path: Path) -> None:
    wire = Wire(tmp_path / "scanner")
    driver = Barcode(BarcodeSettings.model_validate({"scanner": {"port": str(wire.link)}}))
    observations = driver.observe()
    next(observations)
    assert "plug it in" in driver.trouble
    with wire:
        next(observations)
        next(observations)
        assert driver.trouble == ""
        wire.send(b"]C1010950110153000310ABC\x1d21X\r]Q1" + PASS.encode() + b"\r\n")
        gs1, boarding = map(read, take(observations, 2))
        assert (gs1.format, gs1.standard, gs1.source) == ("Code 128", "GS1", "scanner")
        assert [element.value for element in gs1.elements] == ["09501101530003", "ABC", "X"]
        assert boarding.boarding_pass is not None
        wire.unplug()
        with pytest.raises(DriverError, match="was it unplugged"):
            take(observations, 1)


def test_it_must_say_where_codes_come_from() -> None:
    with pytest.raises(ValidationError, match="does not say where codes come from"):
        BarcodeSettings()
