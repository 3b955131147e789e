"""Endoscopes: pictures and videos, the time at which they were taken, cards that come and go, and broken files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from drivers.inspection import endoscope as module
from drivers.inspection.endoscope import Endoscope, EndoscopeSettings
from edge_agent.driver import DriverError, Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.inspection import EndoscopeMedia

SHOWN = "2026:11:20 14:03:11"
FILE_TIME = datetime(2026, 11, 20, 9, 3, 12, tzinfo=UTC)


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.005)
    return tmp_path / "share"


def picture(path: Path, *, shown: str | None = SHOWN, zone: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    shooting = exif.get_ifd(0x8769)
    if shown:
        shooting[0x9003] = shown
    if zone:
        shooting[0x9011] = zone
    Image.fromarray(np.full((60, 80, 3), 90, np.uint8)).save(path, exif=exif)
    return aged(path)


def film(path: Path, frames: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
    for number in range(frames):
        writer.write(np.full((120, 160, 3), 5 * number % 256, np.uint8))
    writer.release()
    return aged(path)


def aged(path: Path) -> Path:
    os.utime(path, (FILE_TIME.timestamp(),) * 2)
    return path


def driver(share: Path, **settings: Any) -> Endoscope:
    share.mkdir(exist_ok=True)
    return Endoscope(EndoscopeSettings(folder=share, settle_seconds=0, patience_seconds=0, **settings))


def first(observations: Iterator[Observation | None]) -> Observation:
    observation = next(each for each in observations if each is not None)
    assert observation.acknowledge is not None
    observation.acknowledge()
    return observation


def media(observation: Observation) -> EndoscopeMedia:
    assert isinstance(observation.data, EndoscopeMedia)
    return observation.data


def test_a_picture_with_the_clock_put_right(share: Path) -> None:
    data = picture(share / "IMG_0001.JPG").read_bytes()
    observation = first(driver(share, utc_offset="+05:00", clock_offset_seconds=61).observe())
    found = media(observation)
    assert (found.medium, found.media_type, found.width, found.height) == ("picture", "image/jpeg", 80, 60)
    assert (found.sha256, found.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert (found.captured, found.captured_from) == (datetime(2026, 11, 20, 9, 2, 10, tzinfo=UTC), "exif")
    assert (found.device_time, found.file_time) == ("2026-11-20T14:03:11", FILE_TIME)
    assert observation.evidence[0].data == data
    assert (share / "processed" / "IMG_0001.JPG").exists()
    assert "IMG_0001" not in found.model_dump_json()


def test_a_time_zone_in_the_picture_is_believed(share: Path) -> None:
    picture(share / "a.jpg", zone="+06:00")
    found = media(first(driver(share, utc_offset="-01:30").observe()))
    assert found.captured == datetime(2026, 11, 20, 8, 3, 11, tzinfo=UTC)


@pytest.mark.parametrize("shown", [None, "0000:00:00 00:00:00", "2026:13:01 00:00:00", "yesterday"])
def test_without_a_time_in_it_the_time_of_the_file_is_told_as_such(share: Path, shown: str | None) -> None:
    picture(share / "a.jpg", shown=shown)
    found = media(first(driver(share).observe()))
    assert (found.captured, found.captured_from, found.device_time) == (FILE_TIME, "file", None)


def test_a_video_has_its_length_and_a_picture_out_of_it(share: Path) -> None:
    path = film(share / "MOV_0002.AVI")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    observation = first(driver(share).observe())
    found = media(observation)
    assert (found.medium, found.media_type, found.seconds) == ("video", "video/x-msvideo", pytest.approx(3, abs=0.2))
    assert (found.width, found.height, found.sha256) == (160, 120, digest)
    (preview,) = observation.evidence
    assert (preview.role, preview.media_type) == ("preview", "image/jpeg")
    shown = cv2.imdecode(np.frombuffer(preview.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shown is not None
    assert abs(int(shown.mean()) - 50) < 15


def test_a_large_video_is_never_held_in_memory(share: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 4096)
    path = film(share / "long.avi", frames=200)
    observations = driver(share).observe()
    beats = 0
    for observation in observations:
        if observation is not None:
            break
        beats += 1
    assert beats >= path.stat().st_size // 4096  # between any two pieces, the driver shows that it is alive


def test_a_card_with_its_folders_that_comes_and_goes(share: Path) -> None:
    scope = Endoscope(EndoscopeSettings(folder=share, settle_seconds=0, patience_seconds=0))
    observations = scope.observe()
    assert next(observations) is None
    assert "put the card in" in scope.trouble
    with pytest.raises(DriverError, match="put the card in"):
        scope.probe()
    picture(share / "DCIM" / "100SCOPE" / "SCP00001.JPG")
    assert media(first(observations)).medium == "picture"
    assert (share / "DCIM" / "100SCOPE" / "processed" / "SCP00001.JPG").exists()
    assert scope.trouble == ""
    share.rename(share.with_name("taken out"))
    assert [next(observations), next(observations)] == [None, None]
    assert "put the card in" in scope.trouble
    share.with_name("taken out").rename(share)
    film(share / "DCIM" / "101SCOPE" / "SCP00002.AVI")
    assert media(first(observations)).medium == "video"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.jpg", b"", "empty-file"),
        ("text.jpg", b"nothing to see", "not-an-image"),
        ("cut.jpg", None, "truncated-image"),
        ("head.avi", b"RIFF\xff\xff\xff\xffAVI LIST" + bytes(100), "broken-video"),
        ("head.mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(50), "broken-video"),
    ],
)
def test_bad_files_are_set_aside_with_the_reason(share: Path, name: str, data: bytes | None, reason: str) -> None:
    share.mkdir()
    if data is None:
        whole = picture(share / name).read_bytes()
        data = whole[: len(whole) // 2]
    (share / name).write_bytes(data)
    found = first(driver(share).observe()).data
    assert isinstance(found, InputRejected)
    assert found.reason == reason
    assert (share / "failed" / name).read_bytes() == data


def test_what_is_larger_than_allowed_is_not_even_read(share: Path) -> None:
    film(share / "a.avi")
    found = first(driver(share, max_bytes=1000).observe()).data
    assert isinstance(found, InputRejected)
    assert (found.reason, found.sha256) == ("too-large", None)


def test_a_video_cut_in_the_middle_is_told_with_what_there_is(share: Path) -> None:
    path = film(share / "a.avi", frames=100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    data = first(driver(share).observe()).data
    assert isinstance(data, EndoscopeMedia | InputRejected)


def test_a_picture_is_known_again_when_its_card_is_put_in_again(share: Path) -> None:
    path = picture(share / "a.jpg")
    before = next(each for each in driver(share).observe() if each is not None)
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    path.unlink()
    aged(copy.rename(path))  # another inode, as on a card that was mounted anew
    after = next(each for each in driver(share).observe() if each is not None)
    assert before.key == after.key
    picture(share / "b.jpg")
    observations = driver(share).observe()
    assert [first(observations).key == before.key, first(observations).key == before.key] == [True, False]
