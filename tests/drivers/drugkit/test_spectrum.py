"""Spectrometers: what a file becomes, and what is not said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from drivers.drugkit.spectrum import OpenLibrary, SpectrumFolder, SpectrumSettings
from drivers.drugkit.spectrum_reading import Site, measure, read_file
from drivers.drugkit.wavenumbers import as_calibration, correction_of, measured
from drivers.folder import RejectedError
from edge_agent import calibration
from edge_agent.driver import DriverError
from edge_agent.events.device import InputRejected
from edge_agent.events.spectrum import SpectrumMeasured
from edge_agent.processing.spectra.spectrum import SpectrumError, Technique
from edge_agent.simulate.spectra import X, as_measured, jcamp, made_up, polystyrene, spc
from edge_agent.spectral_library import Import, Provenance, load
from tests.processing.spectra.data import needs_spectra, real

OFF = 6.0
KNOWN = [made_up(f"sugar {seed}", seed) for seed in range(12)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("spectra")
    rng = np.random.default_rng(0)
    for each in KNOWN:
        (folder / f"{each.name}.jdx").write_bytes(jcamp(each.name, X, as_measured(each.bands(X), rng, noise=0.003)))
    making = Import(folder, Technique.RAMAN, Provenance("own work", "us"))
    for _ in making:
        pass
    making.write(folder / "lib")
    film = jcamp("film", X, as_measured(polystyrene().bands(X + OFF), rng))
    return Site(library=load(folder / "lib"), calibration=as_calibration(measured(film, Technique.OTHER), "film 7"))


def sample(bands: np.ndarray, **options: float) -> np.ndarray:
    return as_measured(bands, np.random.default_rng(1), **options)


def event_of(counts: np.ndarray, site: Site, extra: str = "") -> SpectrumMeasured:
    return measure(jcamp("S. Person", X, counts, extra=extra), site)[0]


def test_a_known_substance_is_a_presumptive_match(site: Site) -> None:
    event = event_of(sample(KNOWN[4].bands(X + OFF)), site)
    assert (event.verdict, event.consistent_with) == ("match", ["sugar 4"])
    assert (event.presumptive, event.assertion, event.category) == (True, "presumptive", "A")
    assert event.candidates[0].licence == "own work"
    assert event.axis.state == "corrected"
    assert event.axis.worst == pytest.approx(OFF, abs=1)
    assert event.library.startswith("lib ")


def test_what_the_library_lacks_is_no_match_with_its_nearest(site: Site) -> None:
    event = event_of(sample(made_up("x", 77).bands(X + OFF)), site)
    assert (event.verdict, event.consistent_with) == ("no_match", [])
    assert event.candidates


def test_the_title_of_a_file_is_not_in_the_event(site: Site) -> None:
    assert "Person" not in event_of(sample(KNOWN[4].bands(X + OFF)), site).model_dump_json()


def test_nothing_is_compared_on_an_axis_that_was_never_checked(site: Site) -> None:
    event = event_of(sample(KNOWN[4].bands(X)), replace(site, calibration=None))
    assert (event.verdict, event.axis.state, event.candidates) == ("not_compared", "unchecked", [])
    assert "calibrate spectrum" in event.problem


def test_a_check_that_is_too_old_does_not_hold(site: Site) -> None:
    event = event_of(sample(KNOWN[4].bands(X + OFF)), replace(site, now=site.now + timedelta(days=31)))
    assert (event.verdict, event.axis.state) == ("not_compared", "outdated")


def test_a_bad_measurement_is_not_compared_and_says_what_to_do(site: Site) -> None:
    event = event_of(np.minimum(sample(KNOWN[4].bands(X + OFF)), 30_000), site)
    assert event.verdict == "not_compared"
    assert "saturated" in event.problem


def test_a_library_of_another_technique_is_not_used(site: Site) -> None:
    data = jcamp("x", X, sample(KNOWN[4].bands(X + OFF))).replace(b"RAMAN SPECTRUM", b"INFRARED SPECTRUM")
    assert "library holds raman" in measure(data, site)[0].problem


def test_the_instruments_own_result_stays_beside_ours(site: Site) -> None:
    extra = "##$RESULT=Sucrose\r\n##$HQI=0.97\r\n##$OPERATOR=S. Person\r\n"
    event = event_of(sample(KNOWN[4].bands(X + OFF)), site, extra)
    assert event.instrument_says == {"$RESULT": "Sucrose", "$HQI": "0.97"}
    assert event.consistent_with == ["sugar 4"]


def test_the_file_goes_along_as_evidence_whatever_it_is_like(site: Site) -> None:
    data = spc("x", X, sample(made_up("x", 77).bands(X + OFF)))
    content = read_file(data, site)
    (evidence,) = content.evidence
    assert (evidence.data, evidence.media_type, content.failure) == (data, "application/x-galactic-spc", "")


def test_half_a_file_is_waited_for_and_then_rejected(site: Site) -> None:
    data = jcamp("x", X, sample(KNOWN[4].bands(X)))
    with pytest.raises(RejectedError) as caught:
        read_file(data[: len(data) * 2 // 3].rpartition(b"\r\n")[0], site)
    assert (caught.value.code, caught.value.unfinished) == ("truncated-spectrum", True)


def test_a_calibration_without_a_correction_is_an_error() -> None:
    with pytest.raises(DriverError, match="calibrate the device anew"):
        correction_of(calibration.Calibration(fixture="x", values={"shift": 1}))


def test_a_saturated_film_calibrates_nothing() -> None:
    counts = np.minimum(sample(polystyrene().bands(X)), 20_000)
    with pytest.raises(SpectrumError, match="saturated"):
        measured(jcamp("film", X, counts), Technique.RAMAN)


def test_a_folder_is_worked_through_and_a_new_library_is_noticed(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site.library is not None
    assert site.calibration is not None
    monkeypatch.chdir(tmp_path)
    Path("lib").write_bytes(site.library.path.read_bytes())
    calibration.save(calibration.path("lane-1-raman", Path()), site.calibration)
    driver = SpectrumFolder(
        SpectrumSettings(folder=tmp_path / "in", library=Path("lib"), settle_seconds=0, patience_seconds=0)
    )
    driver.device = "lane-1-raman"
    (tmp_path / "in").mkdir()
    assert "12 spectra in the library; wavenumbers checked on" in driver.probe()
    (tmp_path / "in" / "1.jdx").write_bytes(jcamp("x", X, sample(KNOWN[4].bands(X + OFF))))
    (tmp_path / "in" / "2.jdx").write_bytes(b"##TITLE=nothing\n##END=\n")
    opened = driver.open()
    seen = []
    for _ in range(2):
        observation = driver.poll(opened)
        assert observation is not None
        assert observation.acknowledge is not None
        observation.acknowledge()
        seen.append(observation.data)
    assert isinstance(seen[0], SpectrumMeasured)
    assert seen[0].verdict == "match"
    assert isinstance(seen[1], InputRejected)
    assert (tmp_path / "in" / "processed" / "1.jdx").exists()
    Path("lib").write_bytes(b"broken")
    with pytest.raises(DriverError, match="library"):
        driver.examine(b"##TITLE=")


def test_a_library_that_is_missing_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match="edge-agent library import"):
        OpenLibrary(tmp_path / "none").get()


@needs_spectra
def test_an_ion_mobility_spectrum_is_a_screening_of_category_b() -> None:
    (path,) = real("*/IMSDEMO.DX")
    event, _, _ = measure(path.read_bytes(), Site())
    assert (event.assertion, event.category, event.verdict) == ("screening", "B", "not_compared")
    assert [(each.k0, each.name) for each in event.mobilities] == [(1.73, "acetone"), (1.44, "pentane")]
    assert event.axis.state == "not_applicable"
