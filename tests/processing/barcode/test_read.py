"""Bar codes in pictures as they come: turned, small, side by side, damaged, or not there at all."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from benchmarks.barcode import right, samples
from edge_agent.processing.barcode.overlay import overlay
from edge_agent.processing.barcode.read import read
from edge_agent.processing.barcode.regions import regions
from edge_agent.simulate.papers import drawn, page

PHOTOGRAPHS = Path(__file__).parents[4] / "shared" / "data" / "cctv" / "barcodes"
PATIENT = 20.0
"""Seconds, so that a busy machine reads as much as an idle one."""


def contents(image: np.ndarray) -> list[str | None]:
    return [symbol.text for symbol in read(image, PATIENT).symbols]


@pytest.mark.parametrize("name", ["QRCode", "Code128", "PDF417", "Aztec", "DataMatrix", "Code39", "ITF"])
@pytest.mark.parametrize("angle", [0, 12, 33, 90])
def test_codes_are_read_at_any_angle(name: str, angle: int) -> None:
    text = "12345670" if name == "ITF" else "EDGE AGENT 4711"
    image = page([drawn(name, text)], angle=angle, rng=np.random.default_rng(1))
    assert contents(image) == [text]


def test_several_codes_of_a_page_come_from_top_to_bottom_with_their_places() -> None:
    codes = [drawn("QRCode", "first"), drawn("Code128", "second"), drawn("DataMatrix", "third")]
    image = page(codes, angle=0, rng=np.random.default_rng(1))
    symbols = read(image, PATIENT).symbols
    assert [symbol.text for symbol in symbols] == ["first", "second", "third"]
    heights = [float(symbol.corners[:, 1].mean()) for symbol in symbols]
    assert heights == sorted(heights)
    assert all((symbol.corners >= 0).all() and (symbol.corners < max(image.shape)).all() for symbol in symbols)


def test_the_same_contents_in_two_places_are_two_codes() -> None:
    assert contents(page([drawn("QRCode", "twin")] * 2, angle=0, rng=np.random.default_rng(1))) == ["twin", "twin"]


def test_fnc1_and_bytes_are_kept() -> None:
    element = zxingcpp.create_barcode("(01)09501101530003(10)ABC(21)X", zxingcpp.BarcodeFormat.DataMatrix, gs1=True)
    image = page([np.array(element.to_image(scale=6))], angle=0, rng=np.random.default_rng(1))
    (symbol,) = read(image, PATIENT).symbols
    assert (symbol.text, symbol.gs1) == ("010950110153000310ABC\x1d21X", True)
    (binary,) = read(page([drawn("QRCode", bytes(range(256)))], angle=0, rng=np.random.default_rng(1)), PATIENT).symbols
    assert (binary.text, binary.data) == (None, bytes(range(256)))


def test_a_damaged_code_is_counted_not_guessed() -> None:
    image = page([drawn("QRCode", "a text that is long enough to matter " * 3)], angle=0, rng=np.random.default_rng(1))
    (symbol,) = read(image, PATIENT).symbols
    low, high = symbol.corners.min(0).astype(int), symbol.corners.max(0).astype(int)
    middle = (low + high) // 2
    image[low[1] : high[1], middle[0] : high[0] - (high[0] - low[0]) // 4] = 255
    reading = read(image, PATIENT)
    assert (len(reading.symbols), reading.damaged) == (0, 1)


def test_nothing_is_read_into_noise_bars_or_text() -> None:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 255, (300, 400), dtype=np.uint8)
    bars = np.repeat(rng.integers(0, 2, (1, 200), dtype=np.uint8) * 255, 150, axis=0).repeat(3, axis=1)
    text = np.full((300, 500), 255, np.uint8)
    for row in range(8):
        cv2.putText(text, "No bar code is here 4711", (10, 30 + 32 * row), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    for image in (noise, bars, text, np.full((5, 5), 7, np.uint8), np.zeros((1, 1), np.uint8)):
        assert read(image, 1).symbols == ()


def test_looking_ends_when_the_time_is_up() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 200), dtype=np.uint8)
    assert not read(noise, 0).complete


def test_regions_say_how_bars_are_turned() -> None:
    image = page([drawn("Code128", "which way is up")], angle=25, rng=np.random.default_rng(1))
    best = regions(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))[0]
    assert best.coherence > 0.8
    assert abs(abs(best.angle) - 25) < 4


def test_what_was_read_is_drawn_in_a_copy() -> None:
    image = page([drawn("QRCode", "ключ")], angle=0, rng=np.random.default_rng(1))
    before = image.copy()
    seen = overlay(image, read(image, PATIENT).symbols)
    assert (image == before).all()
    assert seen.shape == image.shape
    assert (seen != image).any()


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="the photographs are not here")
def test_photographs_are_read_and_never_more_wrongly_than_once_in_a_hundred() -> None:
    chosen = random.Random(1).sample(list(samples(PHOTOGRAPHS)), 120)
    read_right = wrong = readable = 0
    for sample in chosen:
        said = [symbol.text or symbol.data.decode("latin-1") for symbol in read(sample.image, 1).symbols]
        readable += sample.contents is not None
        read_right += sample.contents is not None and any(right(sample.contents, each) for each in said)
        wrong += any(sample.contents is None or not right(sample.contents, each) for each in said)
    assert read_right >= 0.97 * readable
    assert wrong <= 1
