"""The search finds what double precision finds, and claims no more than the library can tell."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_agent.processing.spectra import kernels
from edge_agent.processing.spectra.baseline import Grid
from edge_agent.processing.spectra.identify import Identified, Verdict, identify
from edge_agent.processing.spectra.prepare import GRIDS, Prepared, prepare
from edge_agent.processing.spectra.read import read
from edge_agent.processing.spectra.search import MIN_OVERLAP, Rows, Shelf, screened, search, shelve
from edge_agent.processing.spectra.spectrum import Spectrum, SpectrumError, Technique
from edge_agent.simulate.spectra import X, as_measured, made_up
from tests.processing.spectra.data import SPECTRA, needs_spectra, real

GRID = Grid(400.0, 2.0, 300)


def curves(rng: np.random.Generator, count: int, *, whole: bool = False) -> list[Prepared]:
    """Bands and slopes at random, many of them alike, over parts of the grid."""
    made = []
    base = rng.normal(0, 1, (3, GRID.count))
    for _ in range(count):
        start, end = (0, GRID.count) if whole else (int(rng.integers(0, 90)), int(rng.integers(210, GRID.count + 1)))
        bands, slope = np.zeros(GRID.count), np.zeros(GRID.count)
        own = slice(start, end)
        bands[own] = (rng.normal(0, 1, 3) @ base + rng.normal(0, 0.1, GRID.count))[own] + rng.uniform(0, 5)
        slope[own] = np.gradient(bands[own]) * rng.uniform(1e-6, 1e6)
        made.append(Prepared(bands, slope, start, end))
    return made


def in_double_precision(shelf: Shelf, rows: Rows, curve: NDArray[np.float64], query: Prepared) -> NDArray[np.float64]:
    """The reference: NumPy's own correlation of each row over what it shares with the query."""
    found = np.full(len(shelf), np.nan)
    for at in range(len(shelf)):
        low, high = max(query.start, shelf.starts[at]), min(query.end, shelf.ends[at])
        if high - low >= max(32, MIN_OVERLAP * (query.end - query.start)):
            found[at] = np.corrcoef(rows.exact[at, low:high].astype(np.float64), curve[low:high])[0, 1]
    return found


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_best_ten_are_those_of_double_precision(seed: int, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    *entries, query = curves(rng, 121, whole=whole)
    shelf = shelve(Technique.RAMAN, GRID, entries)
    hits = search(shelf, query)
    for rows, curve, name in ((shelf.slopes, query.slope, "derivative"), (shelf.bands, query.bands, "correlation")):
        exact = in_double_precision(shelf, rows, curve, query)
        best = np.argsort(-exact, kind="stable")[:10]
        measured = {hit.entry: getattr(hit, name) for hit in hits}
        assert set(best[np.isfinite(exact[best])].tolist()) <= measured.keys()
        np.testing.assert_allclose([measured[at] for at in best], exact[best], atol=1e-9)
        guess, slack = screened(shelf, rows, curve, query)
        comparable = np.isfinite(exact)
        assert (np.abs(guess - exact)[comparable] <= slack[comparable]).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.integers(0, 60))
def test_the_kernels_agree_with_numpy(seed: int, start: int, end: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(-127, 128, (5, 60)).astype(np.int8)
    starts = rng.integers(0, 30, 5).astype(np.int32)
    ends = rng.integers(30, 61, 5).astype(np.int32)
    for at in range(5):
        rows[at, : starts[at]] = rows[at, ends[at] :] = 0
    wide = rows.astype(np.int64)
    totals = np.stack([wide.sum(1), (wide**2).sum(1)], 1).astype(np.int32)
    query = rng.integers(-8191, 8192, 60).astype(np.int16)
    sums = np.empty((5, 3), np.int32)
    kernels.screen(rows, totals, starts, ends, query, start, end, sums)
    exact = rows.astype(np.float32)
    weights = rng.integers(0, 2, 60).astype(np.float64)
    out = np.empty(5)
    curve = query.astype(np.float64)
    kernels.correlate(exact, np.arange(5), starts, ends, curve, weights, start, end, out)
    for at in range(5):
        low = max(start, starts[at])
        own = slice(low, max(low, min(end, ends[at])))
        assert sums[at].tolist() == [
            wide[at, own] @ query[own].astype(np.int64),
            wide[at, own].sum(),
            (wide[at, own] ** 2).sum(),
        ]
        kept = weights[own] > 0
        x, y = curve[own][kept], wide[at, own][kept]
        varies = x.size > 1 and np.ptp(x) > 0 and np.ptp(y) > 0
        assert out[at] == pytest.approx(np.corrcoef(x, y)[0, 1] if varies else 0.0, abs=1e-9)


def sample(bands: NDArray[np.float64], seed: int = 0) -> Prepared:
    counts = as_measured(bands, np.random.default_rng(seed))
    return prepare(Spectrum(X, counts, technique=Technique.RAMAN, x_unit="1/cm"), GRIDS[Technique.RAMAN])


KNOWN = [made_up(f"sugar {seed}", seed) for seed in range(20)]
NAMES = [substance.name for substance in KNOWN]


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return shelve(Technique.RAMAN, GRIDS[Technique.RAMAN], [sample(each.bands(X), 100) for each in KNOWN])


def said(shelf: Shelf, bands: NDArray[np.float64]) -> Identified:
    return identify(shelf, sample(bands), NAMES)


def test_one_substance_is_a_match_with_its_margin(shelf: Shelf) -> None:
    found = said(shelf, KNOWN[7].bands(X))
    assert (found.verdict, found.together) == (Verdict.MATCH, (7,))
    assert found.margin is not None
    assert found.margin > 0.3


def test_an_unknown_one_is_no_match_and_the_nearest_are_named(shelf: Shelf) -> None:
    for seed in range(200, 240):
        found = said(shelf, made_up("unknown", seed).bands(X))
        assert found.verdict is Verdict.NO_MATCH
        assert found.hits
        assert "only to" in found.reason


def test_two_together_are_a_mixture(shelf: Shelf) -> None:
    rng = np.random.default_rng(2)
    right = 0
    for _ in range(20):
        one, other = rng.choice(20, 2, replace=False)
        share = rng.uniform(0.4, 0.6)
        found = said(shelf, share * KNOWN[one].bands(X) + (1 - share) * KNOWN[other].bands(X))
        right += found.mixture is not None and set(found.mixture.entries) == {one, other}
    assert right >= 19


def test_two_that_cannot_be_told_apart_are_both_named() -> None:
    twin = replace(KNOWN[3], name="twin", heights=tuple(height * 1.02 for height in KNOWN[3].heights))
    prepared = [sample(each.bands(X), 100) for each in (*KNOWN, twin)]
    found = identify(
        shelve(Technique.RAMAN, GRIDS[Technique.RAMAN], prepared), sample(KNOWN[3].bands(X)), [*NAMES, "twin"]
    )
    assert found.verdict is Verdict.SEVERAL
    assert set(found.together) == {3, 20}
    assert "behind" in found.reason


def test_the_same_substance_twice_in_the_library_is_no_rival(shelf: Shelf) -> None:
    prepared = [sample(each.bands(X), 100) for each in (*KNOWN, KNOWN[3])]
    twice = shelve(Technique.RAMAN, GRIDS[Technique.RAMAN], prepared)
    assert identify(twice, sample(KNOWN[3].bands(X)), [*NAMES, NAMES[3]]).verdict is Verdict.MATCH


def test_an_empty_library_matches_nothing() -> None:
    empty = shelve(Technique.RAMAN, GRIDS[Technique.RAMAN], [])
    assert identify(empty, sample(KNOWN[3].bands(X)), []).verdict is Verdict.NO_MATCH


def enfsi(name: str) -> Spectrum:
    entry = next(
        each for each in json.loads((SPECTRA / "ftir_enfsi/enfsi_subset.json").read_text()) if each["id"] == name
    )
    curve = entry["spectrum"]
    y = np.array(curve["y"], np.float64)
    x = np.linspace(curve["firstX"], curve["lastX"], y.size)
    return Spectrum(x, y, technique=Technique.INFRARED, x_unit="1/cm", y_unit="transmittance")


@needs_spectra
def test_another_laboratory_s_lactose_is_found_and_cocaine_is_not_invented() -> None:
    prepared, names = [], []
    for path in real("jcamp_stackir/*"):
        for spectrum in read(path.read_bytes()):
            prepared.append(prepare(spectrum, GRIDS[Technique.INFRARED]))
            names.append(path.stem)
    library = shelve(Technique.INFRARED, GRIDS[Technique.INFRARED], prepared)
    lactose = identify(library, prepare(enfsi("d_lactose"), library.grid), names)
    assert names[lactose.hits[0].entry].startswith("Lactose")
    assert lactose.verdict is Verdict.MATCH
    assert lactose.margin is not None
    assert lactose.margin >= 0.3
    cocaine = identify(library, prepare(enfsi("cocaine"), library.grid), names)
    assert cocaine.verdict is Verdict.NO_MATCH
    assert max(hit.correlation for hit in cocaine.hits) <= 0.6


@needs_spectra
@pytest.mark.slow
def test_a_gas_that_the_library_lacks_is_never_a_match() -> None:
    prepared, names = [], []
    for path in real("jcamp_nzhagen/*"):
        try:
            (spectrum,) = read(path.read_bytes())
        except (SpectrumError, ValueError):
            continue
        cas = spectrum.remarks.get("CASREGISTRYNO", "")
        if (
            spectrum.technique is Technique.INFRARED
            and cas
            and spectrum.remarks.get("STATE", "").lower().startswith("gas")
        ):
            prepared.append(prepare(spectrum, GRIDS[Technique.INFRARED]))
            names.append(cas)
    assert len(names) > 50
    for at, query in enumerate(prepared):
        kept = [other for other, name in enumerate(names) if name != names[at]]
        library = shelve(Technique.INFRARED, GRIDS[Technique.INFRARED], [prepared[other] for other in kept])
        assert identify(library, query, [names[other] for other in kept]).verdict is not Verdict.MATCH, names[at]
