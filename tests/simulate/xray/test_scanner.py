"""The simulated scanner: exact without noise, noisy as photons are, with the faults that it is told to have."""

from __future__ import annotations

import time

import numpy as np
import pytest

from edge_agent.processing.xray.correct import correct
from edge_agent.processing.xray.scan import Orientation
from edge_agent.simulate.xray.beam import linac, sandwich, schiff
from edge_agent.simulate.xray.materials import MATERIALS
from edge_agent.simulate.xray.phantom import Phantom
from edge_agent.simulate.xray.scanner import Detector, Scanner, expected
from edge_agent.simulate.xray.scenes import BLOCK, bag, driven, vehicle


def test_layers_weaken_the_beam_as_the_sum_over_its_energies_says() -> None:
    beam = sandwich()
    phantom = {"steel": np.array([[0, 2, 8.0]], np.float32), "pmma": np.array([[0, 30, 0]], np.float32)}
    low, high, *_ = expected(phantom, beam)
    wanted = beam.transmission({MATERIALS[name]: layer.astype(np.float64) for name, layer in phantom.items()})
    assert low == pytest.approx(wanted[0], rel=1e-4)
    assert high == pytest.approx(wanted[1], rel=1e-4)
    assert low[0, 0] == pytest.approx(1, abs=1e-5)


def test_noise_is_that_of_photons() -> None:
    scanner = Scanner(detector=Detector(gain_spread=0, read_noise=0))
    for thickness, tolerance in ((0, 0.03), (5, 0.03), (28, 0.1)):
        layer = np.full((200, 300), thickness, np.float32)
        counts = scanner.scan({"steel": layer}, 1).high
        assert counts is not None
        signal = counts.astype(np.float64) - scanner.detector.dark
        _, mean, _, variance = (float(part[0, 0]) for part in expected({"steel": layer[:1, :1]}, scanner.beam))
        absorbed = scanner.detector.photons * scanner.beam.high.sum() / scanner.beam.arriving
        assert signal.mean() / scanner.detector.open_beam == pytest.approx(mean, rel=tolerance)
        wanted = np.sqrt(variance / absorbed) / mean
        rounding = np.sqrt(1 / 12) / (mean * scanner.detector.open_beam)
        assert signal.std() / signal.mean() == pytest.approx(np.hypot(wanted, rounding), rel=tolerance)


def test_the_same_seed_is_the_same_scan() -> None:
    scene = bag(3)
    scanner = Scanner()
    first, second, other = (scanner.scan(scene.layers, seed) for seed in (1, 1, 2))
    assert first.low is not None
    assert second.low is not None
    assert other.low is not None
    assert np.array_equal(first.low, second.low)
    assert not np.array_equal(first.low, other.low)


@pytest.mark.parametrize("lines", list(Orientation))
def test_faults_of_the_detector_are_corrected_again(lines: Orientation) -> None:
    detector = Detector(gain_spread=0.1, gain_drift=0.02, dead=(20, 71), dark=1500)
    layer = np.zeros((160, 160), np.float32)
    layer[60:100, 40:120] = 4
    scan = Scanner(detector=detector, lines=lines).scan({"steel": layer}, 5)
    found = correct(scan)
    assert any("2 dead detector elements (20, 71)" in remark for remark in found.remarks)
    open_beam = found.high[layer == 0] / 60_000
    assert open_beam.mean() == pytest.approx(1, abs=0.002)
    # By element and by line nothing of gain and drift is left beyond noise.
    rows, columns = (np.where(layer == 0, found.high, np.nan) for _ in range(2))
    assert np.nanstd(np.nanmean(rows, axis=1)) / 60_000 < 0.004
    assert np.nanstd(np.nanmean(columns, axis=0)) / 60_000 < 0.004
    inside = -np.log(found.high[64:96, 44:116].mean() / 60_000)
    wanted = -np.log(expected({"steel": np.array([[4.0]], np.float32)}, sandwich())[1][0, 0])
    assert inside == pytest.approx(wanted, rel=0.01)


def test_bremsstrahlung_ends_at_the_energy_of_the_electrons() -> None:
    energies = np.arange(100.0, 7000, 100)
    photons = schiff(energies, 6.0)
    assert (photons[energies > 6000] == 0).all()
    assert (np.diff(photons[energies < 6000]) < 0).all()
    # 4 and 6 MeV: carbon is weakened by a ratio that hardly changes, iron by a smaller one.
    beam = linac(4, 6)
    ratio = {}
    for name, thickness in (("polyethylene", 1000.0), ("steel", 100.0)):
        low, high = beam.transmission({MATERIALS[name]: np.array([thickness])})
        ratio[name] = float(np.log(low[0]) / np.log(high[0]))
    assert 1.19 < ratio["polyethylene"] < 1.24
    assert ratio["polyethylene"] > ratio["steel"] + 0.02


def test_truth_is_exact() -> None:
    scene = bag(1, hidden=True)
    block = next(thing for thing in scene.placed if thing.name == BLOCK)
    inside = scene.layers[block.material][block.top : block.bottom, block.left : block.right]
    assert (inside == block.thickness_mm).all()
    assert block.grams == pytest.approx(inside.sum() * 0.8 * 0.8 * MATERIALS[block.material].density / 1000)
    assert (scene.without(BLOCK).layers[block.material] == 0).all()


def test_a_van_driven_again_is_the_same_van_elsewhere() -> None:
    scene = vehicle(1, hidden=(0.5, 0.5))
    again = driven(scene, 4)
    thing = next(t for t in again.placed if t.name == BLOCK)
    layer = again.layers[thing.material] > 0
    rows, columns = np.flatnonzero(layer.any(axis=1)), np.flatnonzero(layer.any(axis=0))
    assert abs(rows[0] - thing.top) <= 2
    assert abs(columns[0] - thing.left) <= 2
    assert abs(columns[-1] + 1 - thing.right) <= 2


def test_shapes_have_their_volume() -> None:
    phantom = Phantom(200, 200, (0.5, 0.5))
    phantom.bottle("water", 20, 20, 60, 100, "upright")
    phantom.ellipsoid("water", 100, 20, 80, 80, 80, "ball")
    phantom.disc("steel", 60, 160, 40, 5, 0, "disc")
    volumes = [thing.grams / MATERIALS[thing.material].density for thing in phantom.placed]
    wanted = [np.pi * 3**2 * 10, 4 / 3 * np.pi * 4**3, np.pi * 2**2 * 0.5]
    assert volumes == pytest.approx(wanted, rel=0.02)


@pytest.mark.slow
def test_a_large_pair_takes_about_a_second() -> None:
    phantom = {name: np.zeros((2048, 1024), np.float32) for name in ("pmma", "steel", "aluminium", "cloth", "water")}
    for i, layer in enumerate(phantom.values()):
        layer[200 * i : 200 * i + 900, 100:900] = 4
    start = time.process_time()
    Scanner().scan(phantom, 1)
    assert time.process_time() - start < 10  # about 1 on a quiet machine
