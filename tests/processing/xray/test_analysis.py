"""What is proposed to an officer, and what is not."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.xray import pair_result, wedge_readings
from edge_agent.processing.xray.analysis import Analysis, Expected, Proposal, analyse
from edge_agent.processing.xray.calibration import Calibration, fit, nominal
from edge_agent.processing.xray.compare import compare
from edge_agent.processing.xray.correct import correct
from edge_agent.processing.xray.maps import make
from edge_agent.processing.xray.scan import Channel, Orientation, Scan, ScanError
from edge_agent.simulate.xray.phantom import Phantom, Placed
from edge_agent.simulate.xray.scanner import Scanner
from edge_agent.simulate.xray.scenes import BLOCK, bag, driven, vehicle

FORBIDDEN = re.compile(r"drug|explosive|narcotic|heroin|cocaine|bomb|weapon|threat", re.IGNORECASE)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return fit(wedge_readings(1))


def scanned(scene: Phantom, seed: int = 1, lines: Orientation = Orientation.LINES_ARE_ROWS) -> Scan:
    return Scanner(pitch_mm=scene.pitch_mm, lines=lines).scan(scene.layers, seed)


def at(thing: Placed, proposals: tuple[Proposal, ...]) -> list[Proposal]:
    return [
        p
        for p in proposals
        if p.box.column < thing.right
        and p.box.column + p.box.columns > thing.left
        and p.box.row < thing.bottom
        and p.box.row + p.box.rows > thing.top
    ]


def placed(scene: Phantom, name: str) -> Placed:
    return next(thing for thing in scene.placed if thing.name == name)


@pytest.fixture(scope="module")
def full_bag(calibration: Calibration) -> tuple[Phantom, Analysis]:
    scene = bag(1, hidden=True, metal_box=True)
    return scene, analyse(scanned(scene), calibration)


def test_what_is_organic_behind_metal_is_proposed_with_its_mass(full_bag: tuple[Phantom, Analysis]) -> None:
    scene, found = full_bag
    proposals = [p for p in found.proposals if p.kind == "organic_behind_metal"]
    assert proposals == at(placed(scene, BLOCK), tuple(proposals))
    assert len(proposals) == 1
    assert proposals[0].mass_g == pytest.approx(placed(scene, BLOCK).grams, rel=0.4)
    assert proposals[0].area_mm2 == pytest.approx(55 * 45, rel=0.35)
    assert "Organic-like material behind metal" in proposals[0].reason


def test_a_box_of_lead_is_too_dark_to_see_through_and_the_edge_of_the_belt_is_not(
    full_bag: tuple[Phantom, Analysis],
) -> None:
    scene, found = full_bag
    shields = tuple(p for p in found.proposals if p.kind == "shield")
    assert len(shields) == 1
    assert at(placed(scene, "lead box"), shields)
    assert shields[0].area_mm2 == pytest.approx(70 * 70, rel=0.1)
    assert shields[0].steel_mm > 25
    # The edges are there all the same: they count as opaque.
    assert next(c for c in found.classes if c.material == "opaque").area_mm2 > 2 * 70 * 70


def test_a_full_bottle_is_dense_organic_and_clothes_are_not(full_bag: tuple[Phantom, Analysis]) -> None:
    scene, found = full_bag
    dense = tuple(p for p in found.proposals if p.kind == "dense_organic")
    assert at(placed(scene, "bottle"), dense)
    assert all(p.area_mm2 is not None and p.area_mm2 < 20_000 for p in dense)


def test_proposals_name_no_substance_and_lie_in_the_scan(full_bag: tuple[Phantom, Analysis]) -> None:
    _, found = full_bag
    height, width = found.corrected.high.shape
    assert [p.score for p in found.proposals] == sorted((p.score for p in found.proposals), reverse=True)
    for p in found.proposals:
        assert not FORBIDDEN.search(p.kind + p.reason + p.material)
        assert 0 <= p.box.column < p.box.column + p.box.columns <= width + found.maps.factor
        assert 0 <= p.box.row < p.box.row + p.box.rows <= height + found.maps.factor
        assert 0 <= p.score <= 1
        assert len(p.polygon) >= 3
        assert p.pixels > 0


def test_a_plain_bag_has_nothing_hidden_and_nothing_dark(calibration: Calibration) -> None:
    for seed in (2, 3):
        found = analyse(scanned(bag(seed)), calibration)
        assert not {p.kind for p in found.proposals} & {"shield", "organic_behind_metal", "load_not_homogeneous"}


@pytest.mark.slow
def test_wheels_axles_and_frame_are_no_news(calibration: Calibration) -> None:
    scene = vehicle(2, load="empty")
    found = analyse(scanned(scene, lines=Orientation.LINES_ARE_COLUMNS), calibration)
    engine = placed(scene, "engine")
    # An engine is too dark to see through: that is true, and an officer may want to look into its room.
    assert found.proposals
    assert at(engine, found.proposals) == list(found.proposals)
    # Told that it is no vehicle, wheels would be news.
    other = analyse(scanned(scene, lines=Orientation.LINES_ARE_COLUMNS), calibration, expected=Expected("baggage"))
    assert at(placed(scene, "axle"), other.proposals)


@pytest.mark.slow
def test_a_block_within_a_load_that_is_alike_throughout(calibration: Calibration) -> None:
    scene = vehicle(3, load="homogeneous", hidden=(0.36, 0.85), steel_mm=0.001)
    found = analyse(scanned(scene, lines=Orientation.LINES_ARE_COLUMNS), calibration)
    broken = tuple(p for p in found.proposals if p.kind == "load_not_homogeneous")
    assert at(placed(scene, BLOCK), broken)
    untouched = analyse(scanned(scene.without(BLOCK), lines=Orientation.LINES_ARE_COLUMNS), calibration)
    assert not [p for p in untouched.proposals if p.kind == "load_not_homogeneous"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 4])
def test_a_block_behind_steel_is_new_since_the_earlier_scan(seed: int) -> None:
    assert pair_result(seed, nominal()) == (True, 0)


@pytest.mark.slow
def test_what_has_gone_is_a_change_too_and_another_vehicle_is_none() -> None:
    scene = vehicle(4, hidden=(0.3, 0.4))
    lines = Orientation.LINES_ARE_COLUMNS
    now, then, other = (
        make(correct(scanned(s, k, lines)), nominal())
        for k, s in enumerate((driven(scene.without(BLOCK), 1), driven(scene, 2), bag(1, pitch_mm=(1, 1))))
    )
    found = compare(now, then, nominal())
    assert found.alike > 0.98
    assert len(found.proposals) == 1
    assert found.proposals[0].reason.startswith("Gone since the earlier scan")
    stranger = compare(now, other, nominal())
    assert stranger.alike < 0.8
    assert not stranger.proposals


@pytest.mark.slow
def test_a_vehicle_may_be_scanned_line_by_line_downwards() -> None:
    scene = vehicle(4, hidden=(0.3, 0.4))
    upright = [
        make(correct(scanned(s, k, Orientation.LINES_ARE_COLUMNS)), nominal())
        for k, s in enumerate((driven(scene, 1), driven(scene.without(BLOCK), 2)))
    ]
    turned = [
        replace(
            m,
            low=np.ascontiguousarray(m.low.T),
            high=np.ascontiguousarray(m.high.T),
            sigma=np.ascontiguousarray(m.sigma.T),
            classes=np.ascontiguousarray(m.classes.T),
        )
        for m in upright
    ]
    first = compare(*upright, nominal())
    second = compare(*turned, nominal(), lines=Orientation.LINES_ARE_ROWS)
    assert len(first.proposals) == len(second.proposals) == 1
    assert first.proposals[0].box.column == second.proposals[0].box.row
    assert first.shift_mm == second.shift_mm[::-1]


def test_one_energy_tells_how_much_and_not_what(calibration: Calibration) -> None:
    scan = scanned(bag(1, metal_box=True))
    found = analyse(replace(scan, single=scan.high, low=None, high=None, dark={Channel.SINGLE: 1000.0}), calibration)
    assert {c.material for c in found.classes} == {"unknown", "opaque"}
    assert {p.kind for p in found.proposals} == {"shield"}
    assert found.class_map is None
    assert any("One energy only" in remark for remark in found.remarks)


def test_swapped_channels_are_said_and_taken_the_other_way(calibration: Calibration) -> None:
    scan = scanned(bag(1))
    swapped = analyse(replace(scan, low=scan.high, high=scan.low), calibration)
    assert any("swapped" in remark for remark in swapped.remarks)
    assert swapped.classes == analyse(scan, calibration).classes


def test_without_a_pitch_there_are_no_areas(calibration: Calibration) -> None:
    found = analyse(replace(scanned(bag(1, metal_box=True)), pitch_mm=None), calibration)
    assert all(c.area_mm2 is None for c in found.classes)
    assert all(p.area_mm2 is None and p.mass_g is None and "cm2 let" not in p.reason for p in found.proposals)
    assert any("pitch" in remark for remark in found.remarks)


def test_an_uncalibrated_scanner_is_said() -> None:
    found = analyse(scanned(bag(1)))
    assert found.nominal
    assert any("Not calibrated" in remark for remark in found.remarks)


def test_a_scan_without_signal_or_with_channels_that_differ_is_refused() -> None:
    zero = np.zeros((50, 60), np.uint16)
    for scan, code in (
        (Scan(low=zero, high=zero), "no-signal"),
        (Scan(low=zero, high=zero[:, :20]), "channels-differ"),
        (Scan(picture=b"JPEG"), "no-channels"),
    ):
        with pytest.raises(ScanError) as refusal:
            analyse(scan)
        assert refusal.value.code == code


@settings(max_examples=15, deadline=None)
@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    seed=st.integers(0, 2**32),
    dual=st.booleans(),
    ceiling=st.integers(1, 65535),
    pitch=st.sampled_from([None, (0.8, 0.8), (5.0, 4.0), (1e-3, 1e3)]),
    lines=st.sampled_from(list(Orientation)),
)
def test_no_counts_break_it(
    rows: int,
    columns: int,
    seed: int,
    dual: bool,
    ceiling: int,
    pitch: tuple[float, float] | None,
    lines: Orientation,
) -> None:
    rng = np.random.default_rng(seed)
    low, high = (rng.integers(0, ceiling, (rows, columns), endpoint=True).astype(np.uint16) for _ in range(2))
    scan = Scan(low=low if dual else None, high=high, pitch_mm=pitch, orientation=lines)
    dark = min(int(c.max()) for c in ((low, high) if dual else (high,))) <= 1
    with pytest.raises(ScanError, match="No radiation") if dark else contextlib.nullcontext():
        assert sum(c.pixels for c in analyse(scan).classes) <= rows * columns
