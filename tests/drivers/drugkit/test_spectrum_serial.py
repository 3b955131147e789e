"""Spectra that come over a serial line, in pieces of any size."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.drugkit.spectrum_serial import Framer, SerialSpectrum, SerialSpectrumSettings
from edge_agent.events.device import InputRejected
from edge_agent.events.spectrum import SpectrumMeasured
from edge_agent.simulate.spectra import X, as_measured, jcamp, made_up

FRAME = b"##TITLE=a\n##XYDATA=\n1 2\n##END="


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]


@given(st.lists(st.integers(0, 40), max_size=20))
def test_frames_are_found_wherever_the_pieces_end(sizes: list[int]) -> None:
    stream = b"\0noise##TIT" + FRAME + b"\r\n\r\n" + FRAME + b"##TI"
    framer = Framer(b"##TITLE=", b"##END=", 1000)
    frames = [frame for piece in cut(stream, sizes) for frame in framer.feed(piece)]
    assert frames == [(True, FRAME), (True, FRAME)]
    assert framer.idle() == b""


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(1, 50))
def test_no_noise_makes_it_hold_more_than_its_limit(noise: bytes, size: int) -> None:
    framer = Framer(b"##TITLE=", b"##END=", 64)
    for at in range(0, len(noise), size):
        framer.feed(b"##TITLE=" + noise[at : at + size])
        assert len(framer._held) <= 64 + 58
    framer.idle()
    assert framer.feed(FRAME) == [(True, FRAME)]


def test_a_spectrum_without_end_is_given_up() -> None:
    framer = Framer(b"##TITLE=", b"##END=", 64)
    ((whole, frame),) = framer.feed(b"##TITLE=" + b"1" * 100)
    assert not whole
    assert len(frame) == 108
    framer.feed(b"##TITLE=half")
    assert framer.idle() == b"##TITLE=half"


def test_a_spectrum_on_the_line_becomes_an_event_and_half_of_one_is_reported() -> None:
    controller, device = os.openpty()
    driver = SerialSpectrum(SerialSpectrumSettings(port=os.ttyname(device), patience_seconds=0.2))
    counts = as_measured(made_up("x", 1).bands(X), np.random.default_rng(0))[:400]
    observations = driver.observe()
    assert next(observations) is None
    data = jcamp("x", X[:400], counts)
    for at in range(0, len(data), 256):
        os.write(controller, data[at : at + 256])
    seen = next(each for each in observations if each is not None)
    assert isinstance(seen.data, SpectrumMeasured)
    assert (seen.data.verdict, seen.data.points) == ("not_compared", 400)
    assert seen.evidence[0].data == data.rstrip()
    os.write(controller, data[:200])
    seen = next(each for each in observations if each is not None)
    assert isinstance(seen.data, InputRejected)
    assert seen.data.reason == "truncated-spectrum"
    observations.close()
    os.close(controller)
    os.close(device)
