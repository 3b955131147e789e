"""From the camera's colours to CIE ones by what the card shows, and how far that can be trusted.

Three stages, each a plain least squares fit: the white paper gives the unevenness of the light, the neutrals give the
camera's tone curve, all patches give a 3 x 3 matrix in linear light. More freedom than 3 x 3 was measured to fit 24
patches better and everything else worse. Errors are taken in CIEDE2000 units, by its weights at each patch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.processing.colourtest.card import NEUTRALS, SIZE, Rectangle
from edge_agent.processing.colourtest.colour import D65, Array, lab_of_xyz, xyz_of_lab

_CURVE_PRIOR: Final = np.array((0.02, 0.25, 0.25))
"""How far the tone curve's offset, square and cubic terms are expected from zero (in cube roots of light)."""
_CURVE_ERROR: Final = 0.006
_NEUTRAL_WEIGHT: Final = 0.7
_ROUNDS: Final = 5
COVERAGE: Final = 3.9
"""Standard deviations of one axis that hold 99 of 100 errors in three: 3.4 if they were normal, 3.7 as rendered."""


@dataclass(frozen=True, slots=True)
class Field:
    """Light over the card, relative to its middle: a quadratic surface in the logarithm, for each channel.

    ``misfit`` is the part of it that is no smooth surface (95th percentile over the paper, as a ratio less 1);
    ``unevenness`` the brightest place over the darkest, less 1; ``tint`` the same of the ratio of two channels.
    """

    coefficients: Array
    misfit: float
    unevenness: float
    tint: float

    def at(self, place: Rectangle) -> Array:
        """Light at the middle of a place, shape (3,)."""
        terms = _terms(np.array(((place.x + place.width / 2, place.y + place.height / 2),)))[0]
        return np.asarray(np.exp(terms @ self.coefficients), np.float64)


def fit_field(places: tuple[Rectangle, ...], rgb: Array) -> Field:
    """Light over the card from the white paper: ``rgb``, shape (n, 3), in linear light, of n places."""
    centres = np.array([(place.x + place.width / 2, place.y + place.height / 2) for place in places])
    terms, logs = _terms(centres), np.log(np.maximum(rgb, 1e-5))
    kept = np.ones(len(logs), bool)
    for _ in range(3):  # a speck of dirt is no shadow
        coefficients, *_rest = np.linalg.lstsq(terms[kept], logs[kept], rcond=None)
        off = np.abs(logs - terms @ coefficients).max(axis=1)
        kept = off <= max(3 * float(np.median(off)), 0.01)
    surface = terms @ coefficients
    middle = _terms(np.array(((SIZE[0] / 2, SIZE[1] / 2),)))[0] @ coefficients
    tints = surface - surface[:, [1]]
    coefficients[0] -= middle
    return Field(
        np.asarray(coefficients, np.float64),
        misfit=float(np.expm1(np.percentile(off, 95))),
        unevenness=float(np.expm1(np.ptp(surface, axis=0).max())),
        tint=float(np.expm1(np.ptp(tints, axis=0).max())),
    )


def _terms(points: Array) -> Array:
    """Terms of the surface, shape (n, 6), at places in millimetres."""
    x, y = (points / np.array(SIZE) - 0.5).T
    return np.stack((np.ones_like(x), x, y, x * x, x * y, y * y), axis=1)


@dataclass(frozen=True, slots=True)
class Curve:
    """Undoes a camera's tone curve: cubic in the cube root of light, ``c + k0 + k1 c**2 + k2 c**3``."""

    coefficients: Array

    def undo(self, rgb: Array) -> Array:
        """Linear light of values that the camera had bent."""
        c = np.cbrt(np.maximum(rgb, 0))
        k0, k1, k2 = self.coefficients
        bent = np.maximum(c + k0 + k1 * c**2 + k2 * c**3, 0)
        return np.asarray(bent**3, np.float64)


def fit_curve(rgb: Array, reflectance: Array) -> Curve:
    """The tone curve, common to the channels, from the neutrals.

    Args:
        rgb: shape (n, 3), linear light but for the camera's curve.
        reflectance: Y of the references times the light that falls on each, shape (n, 3).
    """
    c = np.cbrt(rgb)
    rho = np.cbrt(reflectance)
    rows = []
    for channel in range(3):
        gains = np.zeros((len(c), 3))
        gains[:, channel] = -rho[:, channel]
        rows.append(np.column_stack((np.ones(len(c)), c[:, channel] ** 2, c[:, channel] ** 3, gains)))
    design = np.concatenate(rows)
    prior = np.zeros((3, 6))
    prior[:, :3] = np.diag(_CURVE_ERROR / _CURVE_PRIOR)
    solution, *_rest = np.linalg.lstsq(
        np.concatenate((design, prior)), np.concatenate((-c.T.ravel(), np.zeros(3))), rcond=None
    )
    return Curve(np.asarray(solution[:3], np.float64))


@dataclass(frozen=True, slots=True)
class Matrix:
    """XYZ of the camera's linear light, fitted on the patches.

    ``residuals`` are CIEDE2000 of each patch as predicted from all others. ``variance`` is the mean square of one axis
    of these, and ``inverse`` (9, 9) the inverse of the normal matrix: how little the patches say of a colour far off.
    """

    values: Array
    residuals: Array
    variance: float
    inverse: Array

    @property
    def rms(self) -> float:
        """Root mean square CIEDE2000 of the coloured patches, each predicted from all others."""
        return float(np.sqrt(3 * self.variance))

    def lab(self, rgb: Array) -> Array:
        """CIELAB for D65 of colours, shape (..., 3)."""
        return lab_of_xyz(rgb @ self.values.T)

    def deviation(self, rgb: Array) -> float:
        """Standard deviation of one axis of the error of a colour, shape (3,), in units of CIEDE2000."""
        design = _design(rgb[None], self.values)[0]
        leverage = float(np.trace(design @ self.inverse @ design.T)) / 3
        return float(np.sqrt(self.variance * (1 + leverage)))


def fit_matrix(rgb: Array, references: Array, names: tuple[str, ...]) -> Matrix:
    """Fit the matrix.

    Args:
        rgb: shape (n, 3), in linear light.
        references: CIELAB for D65, shape (n, 3).
        names: of the patches; neutrals weigh less, since there are many.
    """
    weights = np.array([_NEUTRAL_WEIGHT if name in NEUTRALS else 1.0 for name in names])
    xyz = xyz_of_lab(references)
    first = weights / np.maximum(xyz[:, 1], 0.01) ** (2 / 3)
    matrix = np.asarray(np.linalg.lstsq(rgb * first[:, None], xyz * first[:, None], rcond=None)[0].T, np.float64)
    for _ in range(_ROUNDS):
        design = _design(rgb, matrix) * weights[:, None, None]
        wrong = _errors(rgb, matrix, references) * weights[:, None]
        step, *_rest = np.linalg.lstsq(design.reshape(-1, 9), wrong.ravel(), rcond=None)
        matrix += step.reshape(3, 3)
    design = _design(rgb, matrix) * weights[:, None, None]
    stacked = design.reshape(-1, 9)
    inverse = np.linalg.pinv(stacked.T @ stacked)
    wrong = _errors(rgb, matrix, references)
    hats = design @ inverse @ design.transpose(0, 2, 1)
    alone = np.linalg.solve(np.eye(3) - np.minimum(hats, 0.9), wrong[..., None])[..., 0]
    distances = np.linalg.norm(alone, axis=1)
    chromatic = np.array([name not in NEUTRALS for name in names])
    return Matrix(matrix, distances, float((distances[chromatic] ** 2).mean() / 3), inverse)


def _errors(rgb: Array, matrix: Array, references: Array) -> Array:
    """Reference less fit, shape (n, 3), in units of CIEDE2000 along lightness, chroma and hue."""
    off = references - lab_of_xyz(rgb @ matrix.T)
    return np.asarray((_units(references) @ off[..., None])[..., 0], np.float64)


def _design(rgb: Array, matrix: Array) -> Array:
    """Derivative of a colour, in the same units, by the matrix's values: shape (n, 3, 9)."""
    xyz = np.maximum(rgb @ matrix.T, 1e-3)
    slope = np.cbrt(xyz / D65) / (3 * xyz)
    slope = np.where(xyz / D65 > 0.008856, slope, 7.787 / D65)
    jacobian = np.zeros((len(rgb), 3, 3))
    jacobian[:, 0, 1] = 116 * slope[:, 1]
    jacobian[:, 1, 0] = 500 * slope[:, 0]
    jacobian[:, 1, 1] = -500 * slope[:, 1]
    jacobian[:, 2, 1] = 200 * slope[:, 1]
    jacobian[:, 2, 2] = -200 * slope[:, 2]
    in_units = _units(lab_of_xyz(xyz)) @ jacobian
    return np.asarray((in_units[..., None] * rgb[:, None, None, :]).reshape(len(rgb), 3, 9), np.float64)


def _units(lab: Array) -> Array:
    """Matrices, shape (n, 3, 3), that take small differences of CIELAB to units of CIEDE2000."""
    lightness, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    unit = lab[:, 1:] / np.maximum(chroma, 1e-6)[:, None]
    off = (lightness - 50) ** 2
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma
    units = np.zeros((len(lab), 3, 3))
    units[:, 0, 0] = 1 / (1 + 0.015 * off / np.sqrt(20 + off))
    units[:, 1, 1:] = unit / s_c[:, None]
    units[:, 2, 1] = -unit[:, 1] / s_h
    units[:, 2, 2] = unit[:, 0] / s_h
    return units
