"""Spectra for the benchmark of colour tests: smooth reflectances, lamps, camera sensitivities. Needs colour-science."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import colour
import numpy as np

from edge_agent.processing.colourtest.card import NOMINAL, nominal_labs
from edge_agent.processing.colourtest.colour import D65, Array, lab_of_xyz, xyz_of_lab

SHAPE = colour.SpectralShape(400, 700, 10)
TRUSTED = ("D65", "D50", "A", "FL2", "FL4", "FL7", "FL11", "FL12", "LED-B1", "LED-B3", "LED-B5", "LED-BH1", "LED-V1")
"""Daylight, bulb, tubes and white LEDs."""
STATED = ("D65", "A", "FL2", "LED-B3")
"""The four for which errors are stated."""
SODIUM = ("HP1", "HP2")


@cache
def observer() -> Array:
    """Colour matching functions of the 2 degree observer, shape (31, 3)."""
    cmfs = colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"].copy().align(SHAPE)
    return np.asarray(cmfs.values, np.float64)


@cache
def lamp(name: str) -> Array:
    """Relative power of a CIE illuminant, shape (31,), mean 1."""
    values = np.asarray(colour.SDS_ILLUMINANTS[name].copy().align(SHAPE).values, np.float64)
    return np.asarray(values / values.mean(), np.float64)


def xyz_of_reflectance(reflectance: Array) -> Array:
    """XYZ for D65 of reflectances, shape (..., 31), so that a perfect white has D65 as it is used everywhere else."""
    weights = lamp("D65")[:, None] * observer()
    return np.asarray(reflectance @ (weights * (D65 / weights.sum(axis=0))), np.float64)


@cache
def smooth(lab: tuple[float, float, float]) -> Array:
    """The smoothest reflectance of a CIELAB colour, shape (31,): least slope of its inverse hyperbolic tangent.

    Source: S. A. Burns, Color Research and Application 45 (2020), 'Numerical methods for smoothest reflectance
    reconstruction'.
    """
    weights = lamp("D65")[:, None] * observer()
    weights = weights * (D65 / weights.sum(axis=0))
    target = np.minimum(xyz_of_lab(lab), D65 * 0.995)
    n = len(weights)
    slopes = 4 * np.eye(n) - 2 * np.eye(n, k=1) - 2 * np.eye(n, k=-1)
    slopes[0, 0] = slopes[-1, -1] = 2
    z, multipliers = np.zeros(n), np.zeros(3)
    for _ in range(60):
        d0, d1 = (np.tanh(z) + 1) / 2, 1 / np.cosh(z) ** 2 / 2
        pull = weights @ multipliers
        gradient = np.concatenate((slopes @ z + d1 * pull, weights.T @ d0 - target))
        curvature = slopes - np.diag(2 * d1 * np.tanh(z) * pull)
        system = np.block([[curvature, d1[:, None] * weights], [(d1[:, None] * weights).T, np.zeros((3, 3))]])
        step = np.linalg.lstsq(system, -gradient, rcond=None)[0]
        damp = min(1.0, 2.0 / max(float(np.abs(step[:n]).max()), 1e-9))
        z, multipliers = z + damp * step[:n], multipliers + damp * step[n:]
        if np.abs(gradient).max() < 1e-10:
            break
    return np.asarray((np.tanh(z) + 1) / 2, np.float64)


@dataclass(frozen=True)
class Print:
    """A printed card: reflectances by name, ``paper`` among them."""

    reflectances: dict[str, Array]

    def references(self) -> dict[str, Array]:
        """What a spectrophotometer measures of it: CIELAB for D65."""
        return {name: lab_of_xyz(xyz_of_reflectance(self.reflectances[name])) for name in NOMINAL}


@cache
def chart_print() -> Print:
    """Real pigments: the 24 of a colour chart (ISO 17321-1), and greys that are not quite flat."""
    chart = colour.SDS_COLOURCHECKERS["ISO 17321-1"]
    spectra = {sd.name.split(" (")[0]: np.asarray(sd.copy().align(SHAPE).values, np.float64) for sd in chart.values()}
    wave = np.linspace(-1, 1, len(lamp("D65")))
    names = list(spectra)
    found = dict(zip(list(NOMINAL)[:24], (spectra[name] for name in names), strict=True))
    for name in list(NOMINAL)[24:]:
        y = float(xyz_of_lab(nominal_labs()[name])[1])
        found[name] = y * (1 + 0.02 * wave)
    return Print(found | {"paper": 0.88 * (1 + 0.02 * wave)})


@cache
def ink_print() -> Print:
    """A printer that meets the nominal colours, with smooth inks."""
    found = {name: smooth(tuple(lab.tolist())) for name, lab in nominal_labs().items()}
    return Print(found | {"paper": np.full(len(lamp("D65")), 0.97)})


@cache
def measured_camera(name: str) -> Array:
    """Sensitivities of a real camera (National Physical Laboratory), shape (31, 3)."""
    sensitivities = colour.MSDS_CAMERA_SENSITIVITIES[name].copy().align(SHAPE)
    return np.asarray(sensitivities.values, np.float64)


def random_camera(rng: np.random.Generator) -> Array:
    """Sensitivities of a camera of the usual sort, drawn at random, shape (31, 3)."""
    wave = np.asarray(SHAPE.wavelengths, np.float64)

    def bell(peak: float, left: float, right: float) -> Any:
        return np.exp(-0.5 * ((wave - peak) / np.where(wave < peak, left, right)) ** 2)

    red = bell(rng.normal(598, 8), rng.uniform(20, 32), rng.uniform(30, 45)) + rng.uniform(0, 0.12) * bell(
        rng.normal(535, 15), 40, 30
    )
    red += rng.uniform(0, 0.08) * bell(430, 20, 30)
    green = bell(rng.normal(532, 7), rng.uniform(30, 45), rng.uniform(34, 46)) + rng.uniform(0, 0.06) * bell(
        430, 20, 25
    )
    blue = bell(rng.normal(460, 7), rng.uniform(22, 34), rng.uniform(26, 38)) + rng.uniform(0, 0.06) * bell(560, 40, 40)
    return np.stack((red, green, blue), axis=1)


def seen(reflectance: Array, light: Array, camera: Array) -> Array:
    """Raw response, shape (..., 3), of reflectances (..., 31)."""
    return (reflectance * light) @ camera
