"""Beam and detectors: which share of the signal comes from which energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.physics import Material, tube_spectrum

Floats = NDArray[np.float64]

_CSI: Final = Material("caesium iodide", "CsI", 4.51)
_COPPER: Final = Material("copper", "Cu", 8.96)
_ELECTRON_KEV: Final = 510.999


@dataclass(frozen=True, slots=True, eq=False)
class Beam:
    """Two channels of one beam, as photons absorbed by energy.

    Detectors integrate energy, so each absorbed photon counts with its energy.

    Attributes:
        energies: In keV, shape (n,).
        low: Photons that the low-energy channel absorbs in the open beam, by energy, relative, shape (n,).
        high: The same of the high-energy channel, on the same scale.
        arriving: All photons that arrive, on the same scale.

    """

    energies: Floats
    low: Floats
    high: Floats
    arriving: float

    def transmission(self, layers: dict[Material, Floats]) -> tuple[Floats, Floats]:
        """Noise-free transmission of both channels behind layers of ``{material: thickness in mm}``, of any shape."""
        depth = sum(t[..., None] * m.attenuation(self.energies) for m, t in layers.items())
        through = np.exp(-np.asarray(depth))
        low, high = self.low * self.energies, self.high * self.energies
        return through @ (low / low.sum()), through @ (high / high.sum())


def sandwich(kilovolts: int = 160, *, front_mm: float = 0.3, filter_mm: float = 0.6, back_mm: float = 4.0) -> Beam:
    """A tube behind 3 mm Al, and two layers of CsI with copper between them, as baggage scanners have them."""
    energies, fluence = tube_spectrum(kilovolts)
    front = np.exp(-_CSI.attenuation(energies) * front_mm)
    between = np.exp(-_COPPER.attenuation(energies) * filter_mm)
    back = np.exp(-_CSI.attenuation(energies) * back_mm)
    return Beam(energies, fluence * (1 - front), fluence * front * between * (1 - back), float(fluence.sum()))


def linac(low_mev: float = 4.0, high_mev: float = 6.0) -> Beam:
    """Pulses of two energies in turn on a tungsten target, as cargo scanners have them; all photons are absorbed."""
    energies = np.arange(100.0, 1000 * high_mev, 50.0)
    low, high = schiff(energies, low_mev), schiff(energies, high_mev)
    return Beam(energies, low / low.sum(), high / high.sum(), 1.0)


def schiff(energies: Floats, mev: float) -> Floats:
    """Photons by energy from electrons of ``mev`` on thin tungsten, over all angles.

    L. I. Schiff, Phys. Rev. 83 (1951) 252; formula 3BS(e) of H. W. Koch and J. W. Motz, Rev. Mod. Phys. 31 (1959) 920.
    """
    photon = energies / _ELECTRON_KEV
    before = 1 + 1000 * mev / _ELECTRON_KEV
    after = before - photon
    there = after > 1
    after = np.where(there, after, 1.0)
    screen = 74 ** (1 / 3) / 111
    b = 2 * before * after * screen / photon
    share = after / before
    logarithm = -np.log((photon / (2 * before * after)) ** 2 + screen**2)
    first = (1 + share**2 - 2 * share / 3) * (logarithm + 1 - 2 / b * np.arctan(b))
    second = share * (2 / b**2 * np.log1p(b**2) + 4 * (2 - b**2) / (3 * b**3) * np.arctan(b) - 8 / (3 * b**2) + 2 / 9)
    return np.where(there, np.maximum(first + second, 0) / photon, 0.0)
