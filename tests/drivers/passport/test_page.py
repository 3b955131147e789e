"""Pages out of a scanner's folder: what can be read, and every kind of file that cannot."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from drivers import folder as folder_module
from drivers.passport.page import PageFolder, PageSettings
from edge_agent.driver import Observation
from edge_agent.events.device import InputRejected
from edge_agent.events.passport import PassportRead, Verdict
from edge_agent.simulate.documents import specimen
from edge_agent.simulate.render import render


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture(scope="module")
def page() -> tuple[tuple[str, ...], np.ndarray]:
    rng = np.random.default_rng(2)
    made = specimen(rng)
    return made.lines, render(made, rng, dpi=200).image


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folder_module, "LOOK_SECONDS", 0.005)
    return tmp_path


def only(inbox: Path) -> Observation:
    driver = PageFolder(PageSettings(folder=inbox, settle_seconds=0, patience_seconds=0))
    observation = next(o for o in driver.observe() if o is not None)
    assert observation.acknowledge is not None
    observation.acknowledge()
    return observation


def bomb() -> bytes:
    """A PNG of 30,000 x 30,000 pixels in less than 3 MB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(90_001) * 3000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_page_becomes_an_event_with_its_picture_as_evidence(inbox: Path, page: tuple) -> None:
    lines, image = page
    (inbox / "page.jpg").write_bytes(jpeg(image))
    observation = only(inbox)
    read = observation.data
    assert isinstance(read, PassportRead)
    assert read.lines[1] == lines[1]
    assert read.fields.issuing_state == "UTO"
    assert (inbox / "processed" / "page.jpg").exists()
    (evidence,) = observation.evidence
    assert evidence.media_type == "image/jpeg"
    assert evidence.thumbnail is not None
    thumbnail = cv2.imdecode(np.frombuffer(evidence.thumbnail(), np.uint8), cv2.IMREAD_COLOR)
    assert thumbnail is not None
    assert max(thumbnail.shape) == 480


def test_exif_orientation_is_honoured(inbox: Path, page: tuple) -> None:
    lines, image = page
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(image[..., ::-1])).save(inbox / "page.jpg", exif=exif, quality=92)
    read = only(inbox).data
    assert isinstance(read, PassportRead)
    assert read.lines[1] == lines[1]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".webp"])
def test_other_formats_and_odd_names(inbox: Path, page: tuple, suffix: str) -> None:
    (inbox / f"паспорт №1\nи ещё{suffix}").write_bytes(cv2.imencode(suffix, page[1])[1].tobytes())
    read = only(inbox).data
    assert isinstance(read, PassportRead)
    assert read.verdict is not Verdict.UNREADABLE


def test_a_page_without_a_zone_is_an_event_and_goes_to_failed(inbox: Path) -> None:
    (inbox / "grey.png").write_bytes(cv2.imencode(".png", np.full((300, 400), 128, np.uint8))[1].tobytes())
    read = only(inbox).data
    assert isinstance(read, PassportRead)
    assert read.verdict is Verdict.UNREADABLE
    assert "No machine readable zone" in (inbox / "failed" / "grey.png.reason.txt").read_text()


@cache
def bad_inputs() -> dict[str, tuple[str, bytes]]:
    picture = jpeg(np.random.default_rng(1).integers(0, 255, (400, 600, 3), dtype=np.uint8))
    png = io.BytesIO()
    Image.new("RGB", (50, 50)).save(png, "PNG")
    return {
        "empty.jpg": ("empty-file", b""),
        "cut.jpg": ("truncated-image", picture[: len(picture) // 2]),
        "only a header.jpg": ("truncated-image", picture[:100]),
        "cut.png": ("truncated-image", png.getvalue()[:60]),
        "text.jpg": ("not-an-image", b"Dear officer, the scanner is broken."),
        "bomb.png": ("too-large", bomb()),
        "page.pdf": ("not-an-image", b"%PDF-1.7\n" + bytes(500)),
    }


@pytest.mark.parametrize("name", bad_inputs())
def test_bad_input_ends_in_quarantine_with_its_reason(inbox: Path, name: str) -> None:
    reason, data = bad_inputs()[name]
    (inbox / name).write_bytes(data)
    observation = only(inbox)
    assert isinstance(observation.data, InputRejected)
    assert observation.data.reason == reason
    assert observation.data.size == len(data)
    assert (inbox / "failed" / name).read_bytes() == data
    assert (inbox / "failed" / f"{name}.reason.txt").read_text().strip() == observation.data.message
    assert name not in observation.data.model_dump_json()
