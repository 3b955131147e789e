"""The calibration of a spectrometer: polystyrene as it was measured, and the correction that is kept of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edge_agent.calibration import Calibration
from edge_agent.driver import DriverError
from edge_agent.processing.spectra.baseline import absorbing
from edge_agent.processing.spectra.polystyrene import Check, Correction, check
from edge_agent.processing.spectra.quality import MAX_SATURATED, assess
from edge_agent.processing.spectra.read import read
from edge_agent.processing.spectra.spectrum import Spectrum, SpectrumError, Technique


def usable(data: bytes, technique: Technique) -> Spectrum:
    """The first spectrum of a file with x ascending and bands that point upwards.

    ``technique`` is for files that do not say.

    Raises:
        SpectrumError: there is none.
    """
    first = read(data)[0]
    return absorbing(replace(first, technique=technique) if first.technique is Technique.OTHER else first)


def measured(data: bytes, technique: Technique) -> Check:
    """The axis of an instrument by its spectrum of polystyrene; ``technique`` is for files that do not say.

    Raises:
        SpectrumError: it is no spectrum of polystyrene, or a bad one.
    """
    spectrum = usable(data, technique)
    quality = assess(spectrum)
    if quality.saturated > MAX_SATURATED:
        raise SpectrumError("not-polystyrene", f"It cannot be used: {'; '.join(quality.problems)}.")
    return check(spectrum)


def as_calibration(checked: Check, fixture: str) -> Calibration:
    """What is kept of a check."""
    readings: dict[str, Any] = {
        "lines": [{"reference": line.reference, "found": round(line.found, 2)} for line in checked.lines],
        "strays": [{"reference": line.reference, "found": round(line.found, 2)} for line in checked.strays],
        "worst": round(checked.worst, 2),
        "residual": round(checked.residual, 2),
    }
    correction = checked.correction
    values = {"coefficients": list(correction.coefficients), "first": correction.first, "last": correction.last}
    return Calibration(fixture=fixture, readings=readings, values=values)


def correction_of(calibration: Calibration) -> Correction:
    """The correction that a calibration holds.

    Raises:
        DriverError: it holds none.
    """
    values = calibration.values
    try:
        coefficients = tuple(float(value) for value in values["coefficients"])
        return Correction(coefficients, float(values["first"]), float(values["last"]))
    except (KeyError, TypeError, ValueError):
        raise DriverError("The calibration holds no correction of wavenumbers: calibrate the device anew.") from None
