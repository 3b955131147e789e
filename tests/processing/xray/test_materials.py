"""Are materials told apart: on the simulator, which knows them exactly, with a calibration that does not know them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.xray import OTHERS, class_share, wedge_readings
from edge_agent.processing.xray.analysis import analyse
from edge_agent.processing.xray.calibration import Calibration, CalibrationError, Reading, fit, from_dict, nominal
from edge_agent.processing.xray.decompose import basis, peel
from edge_agent.processing.xray.physics import ALUMINIUM, PMMA, STEEL, Material, composition, mass_attenuation
from edge_agent.processing.xray.tables import index
from edge_agent.simulate.xray.beam import Beam, linac, sandwich
from edge_agent.simulate.xray.materials import MATERIALS
from edge_agent.simulate.xray.scanner import Detector, Scanner


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return fit(wedge_readings(3))


@pytest.fixture(autouse=True)
def _materials(monkeypatch: pytest.MonkeyPatch) -> None:
    for material in OTHERS:
        monkeypatch.setitem(MATERIALS, material.name, material)


def behind(beam: Beam, layers: dict[Material, float]) -> tuple[np.ndarray, np.ndarray]:
    low, high = beam.transmission({material: np.array([t]) for material, t in layers.items()})
    return -np.log(low), -np.log(high)


@pytest.mark.parametrize(
    ("name", "wanted", "millimetres", "least"),
    [
        ("pmma", "organic", 10, 0.99),
        ("water", "organic", 10, 0.99),
        ("sugar crystal", "organic", 10, 0.99),
        ("RDX formula", "organic", 10, 0.99),
        ("heroin formula", "organic", 100, 0.99),
        ("cocaine HCl formula", "organic", 10, 0.96),
        ("aluminium", "inorganic", 1, 0.97),
        ("aluminium", "inorganic", 80, 0.97),
        ("glass", "inorganic", 5, 0.97),
        ("steel", "metal", 1, 0.97),
        ("steel", "metal", 16, 0.97),
        ("steel", "metal", 30, 0.95),
    ],
)
def test_a_patch_gets_its_class(
    calibration: Calibration, name: str, wanted: str, millimetres: float, least: float
) -> None:
    assert class_share(name, wanted, millimetres, calibration, side=70) >= least


@pytest.mark.parametrize("steel", [2.0, 6.0])
@pytest.mark.parametrize(("other", "low", "high"), [("pmma", -0.3, 0.3), ("aluminium", 0.8, 1.2)])
def test_what_is_behind_steel_shows_once_the_steel_is_taken_away(
    calibration: Calibration, steel: float, other: str, low: float, high: float
) -> None:
    front = behind(sandwich(), {STEEL: steel})
    total = behind(sandwich(), {STEEL: steel, MATERIALS[other]: 30.0})
    assert index(calibration, *total)[0] > 1.3  # by itself it looks like metal
    found = peel(calibration, front, total)
    assert low < found.index[0] < high
    if other == "pmma":
        assert found.plastic_mm[0] == pytest.approx(30, rel=0.03)


def test_two_layers_are_found_with_their_thickness(calibration: Calibration) -> None:
    for plastic, steel in [(50, 1), (50, 5), (20, 10), (100, 0), (0, 3)]:
        low, high = behind(sandwich(), {PMMA: plastic, STEEL: steel})
        found = basis(calibration, low, high)
        assert found[0][0] == pytest.approx(plastic, abs=2)
        assert found[1][0] == pytest.approx(steel, abs=0.2)


def test_what_is_lighter_than_plastic_is_a_little_less_than_no_steel(calibration: Calibration) -> None:
    low, high = behind(sandwich(), {MATERIALS["polyethylene"]: 50.0})
    assert -0.3 < basis(calibration, low, high)[1][0] < 0


def test_masses_are_those_of_the_things() -> None:
    layer = np.zeros((200, 200), np.float32)
    layer[60:140, 50:150] = 40
    found = analyse(Scanner().scan({"water": layer}, 1), fit(wedge_readings(1)))
    assert [region.material for region in found.regions] == ["organic"]
    assert found.regions[0].mass_g == pytest.approx(8.0 * 6.4 * 4, rel=0.08)
    assert found.classes[0].material == "organic"
    assert found.classes[0].area_mm2 == pytest.approx(80 * 64, rel=0.03)


def test_a_linear_accelerator_is_calibrated_the_same_way() -> None:
    beam = linac(4, 6)
    readings = []
    for name, steps in {
        "pmma": (50, 200, 500, 1000),
        "aluminium": (20, 100, 200, 400),
        "steel": (10, 50, 100, 200),
    }.items():
        for step in steps:
            low, high = beam.transmission({MATERIALS[name]: np.array([float(step)])})
            readings.append(Reading(name, step, float(low[0]), float(high[0])))
    found = fit(readings, highest_kev=6000)
    for material, thickness in ((STEEL, 150.0), (MATERIALS["water"], 700.0)):
        assert found.attenuation({material: thickness}) == pytest.approx(
            [a[0] for a in behind(beam, {material: thickness})], rel=0.01
        )
    # The lightest atoms have the largest ratio of low to high here, and steel the smallest.
    ratios = [float(np.divide(*found.attenuation({material: 100.0}))) for material in (PMMA, ALUMINIUM, STEEL)]
    assert ratios == sorted(ratios, reverse=True)


def test_glare_of_the_detector_does_not_spoil_a_calibration(calibration: Calibration) -> None:
    """The wedges saw no glare, the scan has 0.2 %: what is not nearly dark keeps its class."""
    layer = np.zeros((160, 160), np.float32)
    layer[40:120, 40:120] = 8
    scanner = Scanner(detector=Detector(scatter=0.002))
    found = analyse(scanner.scan({"steel": layer}, 1), calibration)
    assert found.classes[0].material == "metal"
    assert found.classes[0].share > 0.95


def test_a_calibration_survives_its_file(calibration: Calibration) -> None:
    assert from_dict(calibration.as_dict()) == calibration
    assert not calibration.nominal
    assert nominal().nominal


@pytest.mark.parametrize(
    "change",
    [{"low": []}, {"high": "no"}, {"energies_kev": [1.0]}, {"low": [2.0] * 3}, {"misfit": None}, {"noise": [1]}],
)
def test_a_damaged_calibration_is_refused(calibration: Calibration, change: dict[str, object]) -> None:
    with pytest.raises(CalibrationError):
        from_dict({**calibration.as_dict(), **change})


def test_bad_readings_are_refused_with_the_reason() -> None:
    good = wedge_readings(1)

    def refused(readings: list[Reading]) -> str:
        with pytest.raises(CalibrationError) as refusal:
            fit(readings)
        return str(refusal.value)

    assert "at least 4" in refused([r for r in good if r.material != "steel"])
    assert "swapped" in refused([dataclasses.replace(r, low=r.high, high=r.low) for r in good])
    assert "open beam" in refused([dataclasses.replace(r, high=1.5 * r.high) for r in good])
    mixed = [dataclasses.replace(r, thickness_mm=162 - r.thickness_mm) if r.material == "pmma" else r for r in good]
    assert "mixed up" in refused(mixed)
    other = [dataclasses.replace(r, thickness_mm=1.6 * r.thickness_mm) if r.material == "steel" else r for r in good]
    assert "does not fit" in refused(other)
    assert "alike" in refused([dataclasses.replace(r, low=r.high * 0.999) for r in good])
    assert "unknown material" in refused([*good, Reading("brass", 1, 0.5, 0.6)])


def test_the_tables_know_what_the_tables_of_nist_know() -> None:
    """Hubbell and Seltzer, at 100 keV and 1 MeV: in cm2/g, to the accuracy of their comparison with others."""
    energies = np.array([100.0, 1000.0])
    for formula, wanted in {"Fe": (0.3717, 0.05995), "Al": (0.1704, 0.06146), "Pb": (5.549, 0.07102)}.items():
        assert mass_attenuation(formula, energies) == pytest.approx(wanted, rel=0.02)
    assert mass_attenuation("H2O", energies) == pytest.approx((0.1707, 0.07072), rel=0.01)


def test_formulas() -> None:
    assert composition("C17H22NO4Cl") == {"C": 17, "H": 22, "N": 1, "O": 4, "Cl": 1}
    for wrong in ("", "c2", "Xx2", "C2H-", "2C"):
        with pytest.raises(ValueError, match=r"formula|table"):
            composition(wrong)
    with pytest.raises(ValueError, match="tabulated"):
        mass_attenuation("Si", np.array([2000.0]))
