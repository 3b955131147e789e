"""From the steps of wedges to what a scanner's two channels say of any material: a calibration.

A channel weakens a beam as if each energy in it were weakened by itself, so behind ``t`` of a material it sees
``sum_E w(E) exp(-mu(E) t)``. The attenuation ``mu`` is known; the shares ``w``, source and detector in one, are what
the steps of a wedge tell. They are fitted with none negative (non-negative least squares, Lawson and Hanson 1974), for
all materials together, so that the fit also knows layers of two, and thicknesses between and beyond the steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from edge_agent.processing.xray.physics import REFERENCES, Material, tube_spectrum

Floats = NDArray[np.float64]
Channel = Literal["low", "high"]

MOST_MISFIT: Final = 0.03
"""Largest root mean square of the relative error of the fitted transmissions; a good wedge leaves 0.005."""
LEAST_STEPS: Final = 4
"""Steps of each material; fewer leave the curve between them open."""
_WEAKEST: Final = 5e-5
"""Transmission below which a step is left out: there noise, offset and scatter say more than the wedge."""


class CalibrationError(ValueError):
    """Readings that make no calibration, with the reason in a technician's words."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One step of a wedge: what it is, and which share of the open beam each channel saw behind it (dark removed).

    Attributes:
        material: ``pmma``, ``aluminium`` or ``steel``.
        thickness_mm: Of the step.
        low: Transmission in the low-energy channel, 0 to 1.
        high: Transmission in the high-energy channel, 0 to 1.

    """

    material: str
    thickness_mm: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What two channels of a scanner are made of, as far as its wedges tell.

    Attributes:
        energies_kev: Energies of the model, each with its share of either channel's open beam.
        low: Shares of the low-energy channel; their sum is 1.
        high: Shares of the high-energy channel; their sum is 1.
        misfit: Root mean square of the relative error of the fitted transmissions.
        nominal: Whether this is a textbook scanner, because the real one has not been calibrated.
        opaque: Attenuation (natural logarithm) of the high channel from which nothing is seen any more.
        noise: Variance of a transmission of 1, by channel: (low, high). It falls as the signal does.

    """

    energies_kev: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    misfit: float
    nominal: bool = False
    opaque: float = 7.3
    noise: tuple[float, float] = (1.2e-4, 3.0e-4)

    def attenuation(self, layers: Mapping[Material, Floats | float]) -> tuple[Floats, Floats]:
        """Attenuations -ln(T), low and high, behind layers of ``{material: mm}``, each of the layers' common shape."""
        energies = np.array(self.energies_kev)
        depth = sum(np.multiply.outer(t, material.attenuation(energies)) for material, t in layers.items())
        through = np.exp(-np.asarray(depth))
        return -np.log(through @ np.array(self.low)), -np.log(through @ np.array(self.high))

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for a file."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def from_dict(values: Mapping[str, Any]) -> Calibration:
    """A calibration from plain values, as ``as_dict`` gives them.

    Raises:
        CalibrationError: a value is missing or makes no sense.
    """
    try:
        made = Calibration(
            energies_kev=tuple(float(v) for v in values["energies_kev"]),
            low=tuple(float(v) for v in values["low"]),
            high=tuple(float(v) for v in values["high"]),
            misfit=float(values["misfit"]),
            nominal=bool(values.get("nominal", False)),
            opaque=float(values.get("opaque", 7.3)),
            noise=(float(values["noise"][0]), float(values["noise"][1])) if "noise" in values else (1.2e-4, 3.0e-4),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise CalibrationError(f"this is not a calibration of an X-ray scanner: {error!r}") from None
    sizes = {len(made.energies_kev), len(made.low), len(made.high)}
    if len(sizes) != 1 or 0 in sizes or min(*made.low, *made.high) < 0 or min(made.energies_kev) < 11:
        raise CalibrationError("this is not a calibration of an X-ray scanner: its spectra are damaged")
    if abs(sum(made.low) - 1) > 0.01 or abs(sum(made.high) - 1) > 0.01:
        raise CalibrationError("this is not a calibration of an X-ray scanner: its shares do not add up to 1")
    return made


def fit(readings: Sequence[Reading], *, highest_kev: float = 160.0) -> Calibration:
    """Fit both channels to the steps of wedges of PMMA, aluminium and steel.

    Args:
        readings: At least ``LEAST_STEPS`` of each of the three materials, in any order.
        highest_kev: The tube's voltage in kV, or for a linear accelerator its highest energy.

    Raises:
        CalibrationError: too few steps, or steps that contradict themselves or the laws of attenuation.
    """
    _check(readings)
    grid = _grid(highest_kev)
    low, low_misfit = _shares(readings, grid, "low")
    high, high_misfit = _shares(readings, grid, "high")
    misfit = max(low_misfit, high_misfit)
    if misfit > MOST_MISFIT:
        channel = "low" if low_misfit > high_misfit else "high"
        raise CalibrationError(
            f"the {channel}-energy channel does not fit its steps: {misfit:.1%} error on average, at most"
            f" {MOST_MISFIT:.0%} is taken. Check the order and thickness of the steps, and that the wedge lies flat."
        )
    used = (low > 0) | (high > 0)
    made = Calibration(
        tuple(grid[used].tolist()), tuple(low[used].tolist()), tuple(high[used].tolist()), round(misfit, 5)
    )
    _check_separation(made)
    return made


def _check(readings: Sequence[Reading]) -> None:
    for name in REFERENCES:
        steps = sorted((r for r in readings if r.material == name), key=lambda r: r.thickness_mm)
        if len({r.thickness_mm for r in steps}) < LEAST_STEPS:
            raise CalibrationError(f"{len(steps)} steps of {name}: at least {LEAST_STEPS} different ones are needed.")
        for reading in steps:
            values = (reading.low, reading.high)
            if not all(np.isfinite((*values, reading.thickness_mm))) or reading.thickness_mm <= 0:
                raise CalibrationError(f"a step of {name} has no sensible thickness or reading.")
            if min(values) <= 0 or max(values) > 1.02:
                raise CalibrationError(
                    f"{reading.thickness_mm:g} mm of {name} let {reading.low:.2%} and {reading.high:.2%} of the open"
                    " beam through: it has to be between 0 and 100 %. Is the open beam the right one?"
                )
        for thin, thick in itertools.pairwise(steps):
            if thick.thickness_mm > thin.thickness_mm and (thick.high >= thin.high or thick.low >= thin.low):
                raise CalibrationError(
                    f"{thick.thickness_mm:g} mm of {name} let as much through as {thin.thickness_mm:g} mm: the steps"
                    " are mixed up, or the place of one was missed."
                )
        if sum(np.log(r.low / r.high) for r in steps) > 0:
            raise CalibrationError("the low-energy channel sees more than the high-energy one: they are swapped.")
    unknown = {r.material for r in readings} - set(REFERENCES)
    if unknown:
        raise CalibrationError(f"unknown material {min(unknown)}; known are {', '.join(REFERENCES)}.")


def _check_separation(made: Calibration) -> None:
    """Refuse channels that see the same: a pair from which no material can be told."""
    ratios = []
    for name in ("steel", "pmma"):
        low, high = made.attenuation({REFERENCES[name]: np.geomspace(0.1, 2000, 200)})
        ratios.append(np.interp(1.0, high, low / high))
    if abs(ratios[0] / ratios[1] - 1) < 0.02:
        raise CalibrationError("both channels see steel and plastic alike: materials cannot be told with this pair.")


def _grid(highest_kev: float) -> Floats:
    """Energies of the model: closer where attenuation changes fast."""
    if highest_kev <= 500:
        return np.geomspace(14.0, highest_kev, 48)
    return np.geomspace(60.0, highest_kev, 48)


def _shares(readings: Sequence[Reading], grid: Floats, channel: Channel) -> tuple[Floats, float]:
    """Shares of the energies, and the root mean square of the relative error."""
    used = [r for r in readings if getattr(r, channel) >= _WEAKEST]
    measured = np.array([getattr(r, channel) for r in used])
    mu = {name: material.attenuation(grid) for name, material in REFERENCES.items()}
    rows = np.array([np.exp(-mu[r.material] * r.thickness_mm) for r in used])
    # Relative errors count alike, but what is nearly dark is less sure; the open beam is sure.
    weight = 1 / np.hypot(measured, 0.003)
    system = np.vstack([rows * weight[:, None], np.full(len(grid), 1e3)])
    shares, _ = nnls(system, np.append(measured * weight, 1e3))
    shares = shares / shares.sum()
    error = (rows @ shares - measured) * weight
    return shares, float(np.sqrt(np.mean(error**2)))


@cache
def nominal(kilovolts: int = 160) -> Calibration:
    """A textbook scanner: CsI 0.3 mm, copper 0.6 mm, CsI 4 mm behind a tube with 3 mm of aluminium."""
    energies, fluence = tube_spectrum(kilovolts)
    crystal, copper = Material("caesium iodide", "CsI", 4.51), Material("copper", "Cu", 8.96)
    front = np.exp(-0.3 * crystal.attenuation(energies))
    between = np.exp(-0.6 * copper.attenuation(energies))
    low = energies * fluence * (1 - front)
    high = energies * fluence * front * between * (1 - np.exp(-4 * crystal.attenuation(energies)))
    return Calibration(
        tuple(energies.tolist()),
        tuple((low / low.sum()).tolist()),
        tuple((high / high.sum()).tolist()),
        misfit=0.0,
        nominal=True,
    )
