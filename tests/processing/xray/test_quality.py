"""The test piece: figures that agree with what the simulated scanner is known to be, and fall when it gets worse."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from drivers.xray.piece import load
from edge_agent.processing.xray.calibration import fit, nominal
from edge_agent.processing.xray.correct import correct
from edge_agent.processing.xray.piece import Wire
from edge_agent.processing.xray.quality import Health, PieceError, measure
from edge_agent.processing.xray.scan import Scan
from edge_agent.processing.xray.sharpness import mtf50
from edge_agent.simulate.xray.piece import phantom_of
from edge_agent.simulate.xray.scanner import Detector, Scanner

PIECE = load("simulated")


@cache
def scanned(seed: int = 1, wire_scale: float = 1.0, **detector: float) -> Scan:
    scanner = Scanner(detector=Detector(**detector))  # type: ignore[arg-type]  # numbers all
    return scanner.scan(phantom_of(PIECE, wire_scale=wire_scale), seed)


def health(scan: Scan) -> Health:
    return measure(scan, correct(scan), PIECE, nominal())


def figures(scan: Scan) -> dict[str, float | None]:
    return {figure.name: figure.value for figure in health(scan).figures}


def test_wires_have_the_diameters_of_the_gauge() -> None:
    for awg, diameter in ((24, 0.511), (30, 0.255), (32, 0.202), (36, 0.127), (40, 0.080)):
        assert Wire(awg, (0, 0, 1, 1)).diameter_mm == pytest.approx(diameter, abs=0.001)


def test_a_good_scanner_is_measured_as_what_it_is() -> None:
    found = figures(scanned())
    assert found["open_beam_high"] == pytest.approx(51_000, rel=0.01)
    assert found["dark_low"] == pytest.approx(1000, abs=5)
    assert found["noise_high"] == pytest.approx(1.54, rel=0.05)
    assert found["dead_elements_high"] == 0
    assert found["thinnest_wire_awg"] == 36
    assert 35 < (found["steel_penetration"] or 0) < 48
    assert found["steel_steps_rising"] == found["pmma_steps_rising"] == 5
    # A pixel's own aperture halves the contrast at 0.6034 cycles per pixel.
    assert found["mtf50_across_columns"] == pytest.approx(0.6034 / 0.8, rel=0.08)
    assert found["mtf50_across_rows"] == pytest.approx(0.6034 / 0.8, rel=0.08)
    assert [found[f"patch_{name}"] for name in ("sugar_40mm", "glass_10mm", "copper_3mm")] == [100, 100, 100]


def test_its_wedges_make_material_curves() -> None:
    assert fit(health(scanned()).readings).misfit < 0.01


def test_fewer_photons_show_in_noise_wires_steps_and_penetration() -> None:
    good, weak = figures(scanned()), figures(scanned(photons=5000))
    assert weak["noise_high"] == pytest.approx(2 * (good["noise_high"] or 0), rel=0.1)
    for name in ("wire_awg36_cnr", "steel_least_step_cnr", "pmma_least_step_cnr"):
        assert 0.3 < (weak[name] or 0) / (good[name] or 1) < 0.7
    assert (weak["steel_penetration"] or 0) < (good["steel_penetration"] or 0) - 4


def test_thinner_wires_dead_elements_and_a_drifting_beam_show() -> None:
    assert (figures(scanned(wire_scale=0.5))["wire_awg36_cnr"] or 0) < 0.4 * (figures(scanned())["wire_awg36_cnr"] or 0)
    faulty = figures(scanned(dead=(10, 200), gain_drift=0.05))  # type: ignore[arg-type]  # elements
    assert faulty["dead_elements_high"] == 2
    assert faulty["drift_high"] is not None
    assert faulty["drift_high"] < -0.1


def test_a_gain_that_changed_somewhere_shows_against_the_last_calibration() -> None:
    scan = scanned()
    before = health(scan).gains
    weaker = np.ones(scan.high.shape[1])  # type: ignore[union-attr]  # it has one
    weaker[100:140] = 0.9
    changed = replace(scan, high=(scan.high * weaker).astype(np.uint16))
    same = {f.name: f.value for f in measure(scan, correct(scan), PIECE, nominal(), gains=before).figures}
    found = {f.name: f.value for f in measure(changed, correct(changed), PIECE, nominal(), gains=before).figures}
    assert same["gain_change_high"] == pytest.approx(0, abs=1e-6)
    assert found["gain_change_high"] == pytest.approx(10, abs=1.5)


def test_something_else_on_the_belt_is_no_test_piece() -> None:
    scan = scanned()
    empty = replace(scan, low=scan.low[:50], high=scan.high[:50])  # type: ignore[index]  # it has both
    with pytest.raises(PieceError, match="Nothing"):
        health(empty)
    half = replace(scan, low=scan.low[:300], high=scan.high[:300])  # type: ignore[index]  # it has both
    with pytest.raises(PieceError, match="nothing but the piece"):
        health(half)
    with pytest.raises(PieceError, match="pitch"):
        health(replace(scan, pitch_mm=None))


def test_one_energy_is_measured_as_far_as_it_goes() -> None:
    scan = scanned()
    found = health(Scan(single=scan.high, pitch_mm=scan.pitch_mm, dark={}))
    values = {figure.name: figure for figure in found.figures}
    assert found.readings == ()
    assert values["noise_single"].value is not None
    assert values["patch_sugar_40mm"].value is None
    assert "two energies" in values["patch_sugar_40mm"].note


def edge(blur: float, noise: float, slant: float) -> np.ndarray:
    fine = 8
    y, x = (np.arange(75 * fine) + 0.5) / fine, (np.arange(50 * fine) + 0.5) / fine
    distance = x[None, :] - (25.3 + math.tan(math.radians(slant)) * (y - 37))[:, None]
    step = 0.5 * (1 + np.vectorize(math.erf)(distance / math.sqrt(2) / blur))
    pixels = step.reshape(75, fine, 50, fine).mean(axis=(1, 3))
    return np.asarray(30_000 + 25_000 * pixels + np.random.default_rng(0).normal(0, noise, pixels.shape))


@pytest.mark.parametrize("slant", [-4.0, 3.0])
@pytest.mark.parametrize("blur", [0.5, 1.0])
def test_sharpness_is_that_of_the_blur_that_was_put_in(blur: float, slant: float) -> None:
    frequencies = np.linspace(0.01, 1, 2000)
    known = np.abs(np.sinc(frequencies)) * np.exp(-2 * (np.pi * frequencies * blur) ** 2)
    expected = frequencies[np.argmax(known < 0.5)]
    assert mtf50(edge(blur, 400, slant)) == pytest.approx(expected, rel=0.12)


def test_where_there_is_no_edge_no_sharpness_is_made_up() -> None:
    flat = np.random.default_rng(1).normal(30_000, 500, (75, 50))
    assert mtf50(flat) is None
    assert mtf50(flat[:8, :8]) is None
