"""The wavenumbers of an instrument are checked with polystyrene, and with nothing else."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from edge_agent.processing.spectra.baseline import Grid, absorbing, flattened
from edge_agent.processing.spectra.polystyrene import LINES, TOLERANCE, check
from edge_agent.processing.spectra.prepare import GRIDS, prepare
from edge_agent.processing.spectra.quality import assess
from edge_agent.processing.spectra.read import read
from edge_agent.processing.spectra.search import search, shelve
from edge_agent.processing.spectra.spectrum import Spectrum, SpectrumError, Technique
from edge_agent.simulate.spectra import X, as_measured, made_up, polystyrene
from tests.processing.spectra.data import needs_spectra, real

INSTRUMENTS = (
    "PST02_Zolix785*.txt", "PST02_iRPlus785*.txt", "PST10_iR532*.txt", "PST10_iR785*.txt", "PST_532_SEX139.txt",
    "PST_532nm_EZI860.txt", "PST_AfCal*.txt", "PST_Reflex532*.txt", "PST_WITEcAlpha532*.spc", "PST_WiICV532*.txt",
)  # fmt: skip


def film(off: float, stretch: float = 0.0, seed: int = 0) -> Spectrum:
    bands = polystyrene().bands(X + off + stretch * (X - 1000) / 1000)
    return Spectrum(X, as_measured(bands, np.random.default_rng(seed)), technique=Technique.RAMAN, x_unit="1/cm")


@pytest.mark.parametrize("off", [-11.0, -4.0, 0.0, 5.0, 14.0])
@pytest.mark.parametrize("stretch", [0.0, 2.0])
def test_a_simulated_axis_is_put_right_to_less_than_a_step(off: float, stretch: float) -> None:
    found = check(film(off, stretch))
    assert found.residual < 1.2
    assert found.needed == (abs(off) + abs(stretch) > TOLERANCE) or stretch
    places = np.array([line.found for line in found.lines])
    truth = off + stretch * (places - 1000) / 1000
    np.testing.assert_allclose(found.correction.at(places), truth, atol=0.7)


def test_beyond_its_lines_the_correction_stays_as_at_the_last() -> None:
    correction = check(film(5.0, 2.0)).correction
    np.testing.assert_array_equal(
        correction.at(np.array([0.0, 3500.0])), correction.at(np.array([correction.first, correction.last]))
    )


def test_other_substances_and_noise_are_refused() -> None:
    rng = np.random.default_rng(5)
    for seed in range(20):
        other = Spectrum(X, as_measured(made_up("x", seed).bands(X), rng), technique=Technique.RAMAN)
        with pytest.raises(SpectrumError, match="not look like polystyrene"):
            check(other)
    with pytest.raises(SpectrumError, match="not look like polystyrene"):
        check(Spectrum(X, rng.normal(100, 5, X.size), technique=Technique.RAMAN))


def test_an_instrument_that_is_too_far_off_is_for_its_maker() -> None:
    with pytest.raises(SpectrumError):
        check(film(45.0))


def test_quality_names_noise_saturation_and_fluorescence() -> None:
    rng = np.random.default_rng(1)
    bands = polystyrene().bands(X)

    def problems(counts: np.ndarray) -> str:
        return "; ".join(assess(Spectrum(X, counts, technique=Technique.RAMAN, x_unit="1/cm")).problems)

    good = as_measured(bands, rng)
    assert problems(good) == ""
    assert "noise" in problems(as_measured(0.02 * bands, rng, noise=0.02))
    assert "saturated" in problems(np.minimum(good, np.percentile(good, 97)))
    assert "fluorescence" in problems(as_measured(bands, rng, noise=0.05, fluorescence=40))


def test_a_baseline_comes_off_and_the_bands_stay() -> None:
    x = Grid().x()
    bands = np.exp(-(((x - 1500) / 15) ** 2)) + 0.5 * np.exp(-(((x - 2900) / 20) ** 2))
    background = 3 * np.exp(-(((x - 1800) / 1500) ** 2))
    noise = np.random.default_rng(0).normal(0, 0.003, x.size)
    left, baseline = flattened(bands + background + noise)
    np.testing.assert_allclose(left, bands, atol=0.03)
    np.testing.assert_allclose(baseline, background, atol=0.03)


def test_transmittance_in_either_unit_becomes_absorbance() -> None:
    x = np.arange(400.0, 500.0)
    y = 0.5 + 0.4 * np.sin(x / 5)
    part = absorbing(Spectrum(x[::-1], y[::-1], x_unit="1/cm", y_unit="transmittance"))
    percent = absorbing(Spectrum(x, 100 * y, x_unit="1/cm", y_unit="transmittance"))
    np.testing.assert_allclose(part.y, -np.log10(y))
    np.testing.assert_allclose(percent.y, part.y)


@needs_spectra
@pytest.mark.slow
def test_real_instruments_agree_on_polystyrene_once_they_are_corrected() -> None:
    prepared, uncorrected = [], []
    for pattern in INSTRUMENTS:
        (path,) = real(f"raman_ramanchada2/{pattern}")
        spectrum = absorbing(replace(read(path.read_bytes())[0], technique=Technique.RAMAN))
        checked = check(spectrum)
        assert checked.residual <= TOLERANCE, path.name
        grid = GRIDS[Technique.RAMAN]
        prepared.append(prepare(checked.correction.applied(spectrum), grid))
        uncorrected.append(prepare(spectrum, grid))

    def worst(spectra: list) -> float:
        shelf = shelve(Technique.RAMAN, GRIDS[Technique.RAMAN], spectra)
        pairs = ({hit.entry: hit.derivative for hit in search(shelf, each, top=len(spectra))} for each in spectra)
        return min(min(each.values()) for each in pairs)

    assert len(prepared) == len(INSTRUMENTS)
    assert worst(prepared) >= 0.80
    assert worst(uncorrected) < 0.3


@needs_spectra
def test_a_real_film_is_told_from_toluene_in_the_infrared() -> None:
    for name in ("POLYS.SPC", "SINGLE_POLYMER_FILM.SPC"):
        (path,) = real(f"*/{name}")
        found = check(absorbing(read(path.read_bytes())[0]))
        assert found.worst < 1.0
        assert len(found.lines) >= 6
    (path,) = real("*/TOLUENE.SPC")
    with pytest.raises(SpectrumError, match="bands are there"):
        check(absorbing(read(path.read_bytes())[0]))


def test_the_reference_lines_are_in_order() -> None:
    for lines in LINES.values():
        assert all(low < high for (low, _), (high, _) in itertools.pairwise(lines))
