"""How matter weakens X-rays: attenuation of elements and materials, spectra of tubes.

The two tables are written by ``benchmarks.xray_physics``: attenuation from xraylib 4.3 up to 800 keV and from NIST
(Hubbell, Seltzer; public domain; nine elements) from 1 MeV on, spectra from SpekPy 2.5 (tungsten, 12 degrees, 3 mm Al).
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FOLDER: Final = Path(__file__).parent

ATOMIC_WEIGHTS: Final = {
    "H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "Na": 22.990, "Mg": 24.305, "Al": 26.982, "Si": 28.085,
    "P": 30.974, "S": 32.06, "Cl": 35.45, "K": 39.098, "Ca": 40.078, "Ti": 47.867, "Cr": 51.996, "Mn": 54.938,
    "Fe": 55.845, "Ni": 58.693, "Cu": 63.546, "Zn": 65.38, "Br": 79.904, "Ag": 107.87, "Cd": 112.41, "Sn": 118.71,
    "I": 126.90, "Cs": 132.91, "Ba": 137.33, "W": 183.84, "Pb": 207.2,
}  # fmt: skip
"""IUPAC standard atomic weights (abridged) of the elements in the table."""


@dataclass(frozen=True, slots=True)
class Material:
    """A substance by its formula, e.g. ``C5H8O2``, and its density in g/cm3."""

    name: str
    formula: str
    density: float

    def attenuation(self, energies: Floats) -> Floats:
        """Linear attenuation coefficients in 1/mm at energies in keV, shape (n,)."""
        return _linear(self, energies.tobytes())


PMMA: Final = Material("pmma", "C5H8O2", 1.18)
ALUMINIUM: Final = Material("aluminium", "Al", 2.70)
STEEL: Final = Material("steel", "Fe", 7.87)

REFERENCES: Final = {material.name: material for material in (PMMA, ALUMINIUM, STEEL)}
"""What step wedges are made of."""


@lru_cache(maxsize=256)
def _linear(material: Material, energies: bytes) -> Floats:
    out = mass_attenuation(material.formula, np.frombuffer(energies, np.float64)) * material.density / 10
    out.flags.writeable = False
    return out


def mass_attenuation(formula: str, energies: Floats) -> Floats:
    """Mass attenuation coefficients of a compound in cm2/g, by the mixture rule.

    Between the table's energies the logarithms are interpolated linearly.

    Raises:
        ValueError: an element is not in the table, or not at these energies.
    """
    parts = composition(formula)
    total = sum(ATOMIC_WEIGHTS[element] * count for element, count in parts.items())
    out = np.zeros_like(energies, dtype=np.float64)
    table = _table("attenuation.csv")
    for element, count in parts.items():
        known = np.isfinite(table[element])
        at, values = table["keV"][known], table[element][known]
        if energies.min() < at[0] or energies.max() > at[-1]:
            raise ValueError(f"attenuation of {element} is tabulated from {at[0]:g} to {at[-1]:g} keV only")
        share = ATOMIC_WEIGHTS[element] * count / total
        out += share * np.exp(np.interp(np.log(energies), np.log(at), np.log(values)))
    return out


def composition(formula: str) -> dict[str, float]:
    """Atoms of each element in a formula, e.g. ``{"C": 5, "H": 8, "O": 2}``."""
    pieces = re.findall(r"([A-Z][a-z]?)(\d+\.?\d*)?", formula)
    if not pieces or "".join(element + count for element, count in pieces) != formula:
        raise ValueError(f"'{formula}' is not a formula such as C5H8O2")
    out: dict[str, float] = {}
    for element, count in pieces:
        if element not in ATOMIC_WEIGHTS:
            raise ValueError(f"element {element} of '{formula}' is not in the table")
        out[element] = out.get(element, 0.0) + float(count or 1)
    return out


def tube_spectrum(kilovolts: int) -> tuple[Floats, Floats]:
    """Energies in keV (bins of 2 keV, their middles) and relative photon fluence behind 3 mm of aluminium."""
    table = _table("spectra.csv")
    if str(kilovolts) not in table:
        raise ValueError(f"no spectrum of {kilovolts} kV; there are {', '.join(k for k in table if k != 'keV')}")
    fluence = table[str(kilovolts)]
    there = fluence > 0
    return table["keV"][there], fluence[there]


@cache
def _table(name: str) -> dict[str, Floats]:
    with (FOLDER / name).open(newline="") as file:
        header, *rows = csv.reader(file)
    columns = np.array([[float(cell or "nan") for cell in row] for row in rows]).T
    return dict(zip(header, columns, strict=True))
