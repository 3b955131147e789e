"""From the file of a spectrometer to its event."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from drivers.drugkit.wavenumbers import correction_of
from drivers.folder import Content, RejectedError
from edge_agent import __version__
from edge_agent.calibration import Calibration
from edge_agent.driver import Evidence
from edge_agent.events.spectrum import (
    MixtureComponent,
    ReducedMobility,
    SpectralCandidate,
    SpectrumMeasured,
    SpectrumQuality,
    WavenumberAxis,
)
from edge_agent.processing.spectra import search
from edge_agent.processing.spectra.baseline import OPTICAL, absorbing
from edge_agent.processing.spectra.identify import Identified, Verdict, identify
from edge_agent.processing.spectra.polystyrene import TOLERANCE, Correction
from edge_agent.processing.spectra.prepare import prepare
from edge_agent.processing.spectra.quality import Quality, assess
from edge_agent.processing.spectra.read import media_type, read
from edge_agent.processing.spectra.spectrum import Spectrum, SpectrumError, Technique
from edge_agent.spectral_library import Library

_CATEGORIES: Final[dict[Technique, Literal["A", "B", "C"]]] = {
    Technique.RAMAN: "A",
    Technique.INFRARED: "A",
    Technique.MASS: "A",
    Technique.NMR: "A",
    Technique.IMS: "B",
    Technique.CHROMATOGRAM: "B",
    Technique.UV_VISIBLE: "C",
}
_RESULT: Final = re.compile(r"RESULT|MATCH|IDENTIF|\bHQI\b|ALARM|VERDICT|SUBSTANCE")
"""Labels under which instruments were seen to write what they think it is."""
_MAX_SAID: Final = 16
_MOBILITY: Final = re.compile(r"\(\s*([0-9.]{1,12})\s*,\s*<([^<>]{0,200})>\s*\)")


@dataclass(frozen=True, slots=True)
class Site:
    """What a spectrum is judged with.

    Attributes:
        technique: of what does not say its own.
        calibration: of the instrument's wavenumbers; None if polystyrene was never measured.
        valid: how long a calibration holds.
        now: for it.

    """

    technique: Technique = Technique.OTHER
    library: Library | None = None
    calibration: Calibration | None = None
    valid: timedelta = timedelta(days=30)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def warm() -> None:
    """Load what every process that compares spectra needs."""
    search.warm()


def read_file(data: bytes, site: Site) -> Content:
    """Make an event of a file.

    Raises:
        RejectedError: it holds no spectrum, or not all of one.
        DriverError: the calibration holds no correction.
    """
    try:
        measured, _, _ = measure(data, site)
    except SpectrumError as error:
        raise RejectedError(error.code, error.message, unfinished=error.code == "truncated-spectrum") from None
    return Content(measured, (Evidence(data, media_type(data), "spectrum"),))


def measure(data: bytes, site: Site) -> tuple[SpectrumMeasured, Spectrum, Identified | None]:
    """Read a file: its event, its first spectrum as compared or else as it is, and what the library said.

    Raises:
        SpectrumError: it holds no spectrum, or not all of one.
        DriverError: the calibration holds no correction.
    """
    started = time.perf_counter()
    spectra = read(data)
    spectrum = spectra[0]
    if spectrum.technique is Technique.OTHER and site.technique is not Technique.OTHER:
        spectrum = replace(spectrum, technique=site.technique)
    comparable, quality, problem = _comparable(spectrum)
    axis, correction = _axis(spectrum, site)
    found: Identified | None = None
    if comparable is not None:
        problem = problem or _not_compared(axis, site, comparable)
        if correction is not None:
            comparable = correction.applied(comparable)
        if not problem and site.library is not None:
            try:
                found = identify(
                    site.library.shelf, prepare(comparable, site.library.shelf.grid), site.library.substances
                )
            except SpectrumError as error:
                problem = error.message
    event = SpectrumMeasured(
        verdict=found.verdict.value if found is not None else "not_compared",
        consistent_with=_consistent(found, site.library),
        assertion="screening" if spectrum.technique is Technique.IMS else "presumptive",
        technique=spectrum.technique.value,
        category=_CATEGORIES.get(spectrum.technique),
        candidates=_candidates(found, site.library),
        margin=round(found.margin, 4) if found is not None and found.margin is not None else None,
        mixture=_mixture(found, site.library),
        problem=found.reason if found is not None else problem,
        axis=axis,
        quality=_quality(quality),
        mobilities=_mobilities(spectrum),
        instrument_says=_said(spectrum),
        doubts=list(spectrum.doubts),
        spectra=len(spectra),
        points=spectrum.x.size,
        x_first=float(spectrum.x[0]),
        x_last=float(spectrum.x[-1]),
        x_unit=spectrum.x_unit,
        y_unit=spectrum.y_unit,
        library=f"{site.library.path.name} {site.library.identity}" if site.library is not None else "",
        engine=f"edge-agent {__version__}",
        milliseconds=round((time.perf_counter() - started) * 1000, 1),
    )
    return event, comparable if comparable is not None else spectrum, found


def _comparable(spectrum: Spectrum) -> tuple[Spectrum | None, Quality | None, str]:
    """The spectrum as it is compared, its quality, and why it is not compared."""
    if spectrum.technique not in OPTICAL:
        return None, None, f"A spectrum of the technique {spectrum.technique.value!r} is not compared: only reported."
    try:
        comparable = absorbing(spectrum)
        quality = assess(comparable)
    except SpectrumError as error:
        return None, None, error.message
    return comparable, quality, "; ".join(quality.problems)


def _not_compared(axis: WavenumberAxis, site: Site, spectrum: Spectrum) -> str:
    if site.library is None:
        return "No library was given to compare it with: make one with `edge-agent library import`."
    if site.library.shelf.technique is not spectrum.technique:
        held = site.library.shelf.technique.value
        return f"The library holds {held} spectra, and this is {spectrum.technique.value}."
    if axis.state == "unchecked":
        return (
            f"The wavenumbers of the instrument were never checked, and may be off by more than {TOLERANCE:g} 1/cm: "
            "measure polystyrene, then `edge-agent calibrate spectrum`."
        )
    if axis.state == "outdated":
        return "The wavenumbers were checked too long ago: measure polystyrene, then `edge-agent calibrate spectrum`."
    return ""


def _axis(spectrum: Spectrum, site: Site) -> tuple[WavenumberAxis, Correction | None]:
    if spectrum.technique not in OPTICAL:
        return WavenumberAxis(state="not_applicable"), None
    if site.calibration is None:
        return WavenumberAxis(state="unchecked"), None
    correction, readings = correction_of(site.calibration), site.calibration.readings
    worst, residual = readings.get("worst"), readings.get("residual")
    outdated = site.now - site.calibration.made > site.valid
    state: Literal["outdated", "corrected"] = "outdated" if outdated else "corrected"
    return WavenumberAxis(state=state, measured=site.calibration.made, worst=worst, residual=residual), correction


def _quality(quality: Quality | None) -> SpectrumQuality | None:
    if quality is None:
        return None
    share = quality.fluorescence
    return SpectrumQuality(
        snr=round(quality.snr, 1),
        saturated=round(quality.saturated, 4),
        fluorescence=round(share, 3) if share is not None else None,
    )


def _candidates(found: Identified | None, library: Library | None) -> list[SpectralCandidate]:
    if found is None or library is None:
        return []
    return [
        SpectralCandidate(
            name=library.entries[hit.entry].name,
            cas=library.entries[hit.entry].cas,
            correlation=_rounded(hit.correlation),
            derivative=_rounded(hit.derivative),
            masked=_rounded(hit.masked),
            source=library.entries[hit.entry].source,
            licence=library.entries[hit.entry].licence,
        )
        for hit in found.hits[: search.TOP]
    ]


def _rounded(correlation: float) -> float:
    return round(min(1.0, max(-1.0, correlation)), 4)


def _mixture(found: Identified | None, library: Library | None) -> list[MixtureComponent]:
    if found is None or found.mixture is None or library is None:
        return []
    parts = zip(found.mixture.entries, found.mixture.shares, strict=True)
    return [
        MixtureComponent(name=library.entries[at].name, cas=library.entries[at].cas, share=round(share, 3))
        for at, share in parts
    ]


def _consistent(found: Identified | None, library: Library | None) -> list[str]:
    """The names behind a verdict; of several, all that are too close to the first to be told from it."""
    if found is None or library is None or found.verdict is Verdict.NO_MATCH:
        return []
    if found.mixture is not None:
        return [library.entries[at].name for at in found.mixture.entries]
    first = {library.substances[at]: library.entries[at].name for at in reversed(found.together)}
    return list(dict.fromkeys(first[library.substances[at]] for at in found.together))


def _said(spectrum: Spectrum) -> dict[str, str]:
    said = {label: text for label, text in spectrum.remarks.items() if _RESULT.search(label)}
    return {label[:64]: text[:400] for label, text in list(said.items())[:_MAX_SAID]}


def _mobilities(spectrum: Spectrum) -> list[ReducedMobility]:
    """The reduced mobilities of the ion mobility profile of JCAMP-DX, ``(K, A)``."""
    text = spectrum.remarks.get(".REDUCEDMOBILITY", "")
    found = [(_positive(k0), name.strip()) for k0, name in _MOBILITY.findall(text)][:64]
    return [ReducedMobility(k0=k0, name=name) for k0, name in found if k0 is not None]


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value > 0 else None
