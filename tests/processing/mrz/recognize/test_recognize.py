"""The recognizer: what comes out of a clean line, of a line that lies askew, and of no line at all."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import degrade
from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.decode import decode
from edge_agent.processing.mrz.picture import Picture
from edge_agent.processing.mrz.recognize import align, see
from edge_agent.processing.mrz.recognize.network import LAYERS, OUTPUTS, STEP, WEIGHTS, network
from edge_agent.processing.mrz.recognize.network.kernels import TOP
from edge_agent.processing.mrz.recognize.straighten import CAPITALS, MARGIN, MIDDLE, PITCH, band, strips
from edge_agent.simulate.documents import specimen
from edge_agent.simulate.page import Quad


def _zone(seed: int) -> tuple[tuple[str, ...], np.ndarray, tuple[Quad, ...]]:
    rng = np.random.default_rng(seed)
    made = specimen(rng)
    while True:
        grey, quads = degrade.zone(rng, made.lines, 0.05)
        if np.linalg.norm(quads[0][3] - quads[0][0]) > 10:
            return made.lines, grey, quads


def _text(lines: tuple[np.ndarray, ...]) -> tuple[str, ...]:
    return tuple("".join(ALPHABET[i] for i in line.argmax(axis=1)) for line in lines)


def test_the_weights_are_small_and_say_where_they_come_from() -> None:
    assert WEIGHTS.stat().st_size < 1_000_000
    assert "synthetic" in network().provenance["what"]
    assert "benchmarks.train_mrz" in network().provenance["how"]


def test_in_integers_the_network_says_what_it_says_in_floats() -> None:
    _, grey, quads = _zone(0)
    strip = strips(Picture(grey), [band(quads[0], 44)])
    x = strip[..., None].astype(np.float64)
    for i, (layer, matrix, bias) in enumerate(zip(LAYERS, network().matrices, network().biases, strict=True)):
        padded = np.pad(x, ((0, 0), (layer.above, layer.above), (layer.left, layer.left), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (layer.high, layer.wide), axis=(1, 2))
        windows = windows[:, :: layer.down, :: layer.right].transpose(0, 1, 2, 4, 5, 3)
        x = windows.reshape(*windows.shape[:3], -1) @ matrix + bias
        if i < len(LAYERS) - 1:
            x = np.maximum(x, 0)
    assert network()(strip) == pytest.approx(x[:, 0], abs=0.1)
    assert np.abs(network()(strip) - x[:, 0]).mean() < 0.005


def test_no_sum_of_the_network_leaves_32_bits() -> None:
    for rounded in network().layers:
        most = np.abs(rounded.weights.astype(np.int64)).sum(axis=(1, 2, 4)).max() * TOP
        assert 2**28 < most < 2**31


@pytest.mark.parametrize("seed", range(6))
def test_a_clean_zone_is_seen_as_it_is(seed: int) -> None:
    lines, grey, quads = _zone(seed)
    evidence, *_ = see(Picture(grey), quads)
    assert _text(evidence.lines) == lines
    for found, true in zip(evidence.quads, quads, strict=True):
        assert np.abs(found - true).max() < 0.3 * evidence.capitals


@pytest.mark.parametrize("seed", range(6))
def test_quads_need_not_be_precise(seed: int) -> None:
    lines, grey, quads = _zone(seed)
    rng = np.random.default_rng(seed)
    rough = []
    for quad in quads:
        along, down = (quad[1] - quad[0]) / 44, quad[3] - quad[0]
        tilt = np.tan(np.radians(rng.choice((-0.7, 0.7)))) * 44 / 2
        ends = rng.uniform(-1.6, 1.6, 2)
        high = rng.uniform(-0.14, 0.14, 2)
        rough.append(
            (
                quad
                + np.outer((ends[0], ends[1], ends[1], ends[0]), along)
                + np.outer((high[0] - tilt, high[0] + tilt, high[1] + tilt, high[1] - tilt), down)
            ).astype(np.float32)
        )
    evidence, *_ = see(Picture(grey), rough)
    decoded = decode(evidence.lines)
    assert decoded is not None
    assert decoded.lines == lines


def test_upside_down_is_turned() -> None:
    lines, grey, quads = _zone(1)
    evidence, *_ = see(Picture(grey), [np.roll(quad, 2, axis=0) for quad in reversed(quads)])
    assert _text(evidence.lines) == lines


@pytest.mark.slow
def test_other_print_and_ornaments_are_no_zone() -> None:
    rng = np.random.default_rng(7)
    for _ in range(30):
        grey = degrade.negative(rng)
        height, width = grey.shape
        quads = [
            np.array(((5, y), (width - 5, y), (width - 5, y + height / 4), (5, y + height / 4)), np.float32)
            for y in (height * 0.2, height * 0.6)
        ]
        assert all(evidence.quality < 0.5 for evidence in see(Picture(grey), quads))


def test_a_row_is_found_in_what_the_network_says() -> None:
    steps = 60
    outputs = np.full((steps, OUTPUTS), -6.0, np.float32)
    centres = 7 + 3.7 * np.arange(12)
    for place in centres:
        for step in (int(place), int(place) + 1):
            share = 1 - abs(step - place)
            outputs[step, len(ALPHABET)] = np.log((share + 0.01) / (1.01 - share))
    outputs[:, len(ALPHABET) + 1] = 0.5
    outputs[:, len(ALPHABET) + 2] = 0.0
    found = align.march(outputs)
    assert max(range(1, 20), key=found.score) == 12
    (_, (end,)), *_ = align.placements([found], [12], np.zeros(1))
    row = align.row(found, 12, end)
    assert row.centres == pytest.approx(centres * STEP + (STEP - 1) / 2, abs=0.5)
    assert row.shift == pytest.approx(np.full(12, 2.0), abs=0.1)
    assert row.presence.min() > 0.8


def test_a_refined_band_follows_the_text() -> None:
    quad = np.array(((50, 40), (650, 40), (650, 60), (50, 60)), np.float32)
    line = band(quad, 30)
    reading = align.Row(
        np.zeros((30, 37), np.float32),
        MARGIN + (np.arange(30) + 0.5) * PITCH * 1.06 + 5,
        np.ones(30, np.float32),
        np.linspace(-3, 4, 30),
        np.full(30, 0.1),
    )
    lean = np.array((0.1, -0.05))
    better = align.refined(line, reading, lean, 30)
    at = MARGIN + (np.arange(30) + 0.5) * PITCH - 0.5
    tops = better.to_picture(np.column_stack((at, np.full(30, MIDDLE - CAPITALS / 2))))
    up = CAPITALS / 2 * np.exp(0.1)
    leaning = reading.centres - up * np.linspace(*lean, 30)
    expected = np.column_stack((leaning, MIDDLE + reading.shift - up))
    assert tops == pytest.approx(line.to_picture(expected), abs=0.3)


def test_lines_that_begin_askew_lean_and_a_single_line_is_taken_to_stand() -> None:
    quads = [
        np.array(((x, y), (x + 600, y), (x + 600, y + 20), (x, y + 20)), np.float32) for x, y in ((50, 40), (60, 90))
    ]
    row = align.Row(
        np.zeros((30, 37), np.float32),
        MARGIN + (np.arange(30) + 0.5) * PITCH - 0.5,
        np.ones(30, np.float32),
        np.zeros(30),
        np.zeros(30),
    )
    bands = [band(quad, 30) for quad in quads]
    # 10 to the right and 50 down, in a picture whose pixels are 20 / PITCH across and 20 / CAPITALS down.
    assert align.leans(bands, [row, row]) == pytest.approx(10 / 50 * PITCH / CAPITALS)
    assert not align.leans(bands[:1], [row]).any()
    assert align.is_off(row, align.leans(bands, [row, row])[0])


def test_a_large_picture_is_scaled_down_without_a_shift() -> None:
    rng = np.random.default_rng(3)
    small = rng.integers(0, 256, (14, 80)).astype(np.float32)
    large = np.kron(small, np.ones((12, 12))).astype(np.uint8)
    quad = np.array(((60, 30), (900, 30), (900, 130), (60, 130)), np.float32)
    (strip,) = strips(Picture(large), [band(quad, 9)])
    (fine,) = strips(Picture(large[::3, ::3]), [band((quad - 1) / 3, 9)])
    assert np.corrcoef(strip.ravel(), fine.ravel())[0, 1] > 0.98
