"""The tables of physics that the project ships, and the simulator held to an independent one.

python -m benchmarks.xray_physics tables writes ``edge_agent/processing/xray/physics/*.csv`` with SpekPy (spectra of
tungsten anodes) and xraylib (attenuation to 800 keV); from 1 MeV on the coefficients are those of NIST. Both packages
come with the extra ``benchmarks`` and are needed for this only.

python -m benchmarks.xray_physics gvxr projects one phantom of boxes with gVirtualXRay (meshes, its own ray tracer and
cross sections) and with our forward model, and prints how far apart they are.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.physics import Material
from edge_agent.simulate.xray.beam import sandwich

FOLDER: Final = Path(__file__).parents[1] / "edge_agent" / "processing" / "xray" / "physics"
ELEMENTS: Final = (
    *("H", "C", "N", "O", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "K", "Ca", "Ti", "Cr"),
    *("Mn", "Fe", "Ni", "Cu", "Zn", "Br", "Ag", "Cd", "Sn", "I", "Cs", "Ba", "W", "Pb"),
)
TUBES: Final = (100, 120, 140, 160, 180, 200, 220, 300)
"""Tube voltages in kV."""
KEV: Final = (*range(11, 321, 2), 350, 400, 450, 500, 550, 600, 650, 700, 750, 800)
MEV: Final = (1000, 1250, 1500, 2000, 3000, 4000, 5000, 6000, 8000, 10000)

# J. H. Hubbell, S. M. Seltzer: Tables of X-Ray Mass Attenuation Coefficients, NIST (public domain), in cm2/g at MEV.
NIST: Final = {
    "H": (0.1263, 0.1129, 0.1027, 0.08769, 0.06921, 0.05806, 0.05049, 0.04498, 0.03746, 0.03254),
    "C": (0.06361, 0.05690, 0.05179, 0.04442, 0.03562, 0.03047, 0.02708, 0.02469, 0.02154, 0.01959),
    "N": (0.06364, 0.05693, 0.05180, 0.04450, 0.03579, 0.03073, 0.02742, 0.02511, 0.02209, 0.02024),
    "O": (0.06372, 0.05697, 0.05185, 0.04459, 0.03597, 0.03100, 0.02777, 0.02552, 0.02263, 0.02089),
    "Al": (0.06146, 0.05496, 0.05006, 0.04324, 0.03541, 0.03106, 0.02836, 0.02655, 0.02437, 0.02318),
    "Cl": (0.06128, 0.05478, 0.04994, 0.04328, 0.03585, 0.03188, 0.02950, 0.02798, 0.02628, 0.02549),
    "Fe": (0.05995, 0.05350, 0.04883, 0.04265, 0.03621, 0.03312, 0.03146, 0.03057, 0.02991, 0.02994),
    "Cu": (0.05901, 0.05261, 0.04803, 0.04205, 0.03599, 0.03318, 0.03177, 0.03108, 0.03074, 0.03103),
    "Pb": (0.07102, 0.05876, 0.05222, 0.04606, 0.04234, 0.04197, 0.04272, 0.04391, 0.04675, 0.04972),
}


def tables() -> None:
    """Write both tables."""
    spekpy, xraylib = _optional("spekpy"), _optional("xraylib")
    with (FOLDER / "attenuation.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["keV", *ELEMENTS])
        for energy in KEV:
            out.writerow([energy, *(f"{xraylib.CS_Total_CP(element, energy):.5g}" for element in ELEMENTS)])
        for i, energy in enumerate(MEV):
            out.writerow([energy, *(f"{NIST[element][i]:.5g}" if element in NIST else "" for element in ELEMENTS)])
    spectra = []
    for voltage in TUBES:
        spectrum = spekpy.Spek(kvp=voltage, th=12, dk=2.0)
        spectrum.filter("Al", 3.0)
        energies, fluence = spectrum.get_spectrum()
        spectra.append(dict(zip((int(e) for e in energies), fluence / fluence.max(), strict=True)))
    with (FOLDER / "spectra.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["keV", *TUBES])
        for energy in (e for e in KEV if e < max(TUBES)):
            out.writerow([energy, *(f"{spectrum.get(energy, 0.0):.5g}" for spectrum in spectra)])
    for path in sorted(FOLDER.glob("*.csv")):
        print(f"{path.name}: {path.stat().st_size} bytes")


BOXES: Final = (
    ("C5H8O2", 1.18, (-4.0, 2.0), 30.0),
    ("H2O", 1.0, (-1.5, 2.0), 60.0),
    ("Al", 2.70, (1.0, 2.0), 10.0),
    ("Fe", 7.87, (3.5, 2.0), 3.0),
    ("Fe", 7.87, (-4.0, -1.5), 8.0),
    ("Cu", 8.96, (-1.5, -1.5), 2.0),
    ("C12H22O11", 1.59, (1.0, -1.5), 40.0),
    ("C17H22NO4Cl", 1.34, (3.5, -1.5), 20.0),
)
"""Formula, density in g/cm3, middle in cm, thickness along the beam in mm; 2 cm wide and high."""


def gvxr() -> None:
    """Project the boxes with both, channel by channel, and print how far the attenuations are apart."""
    engine = _optional("gvxrPython3").gvxr
    try:
        engine.createWindow(-1, 0, "EGL", 4, 5)
    except Exception as error:
        sys.exit(f"gVirtualXRay finds nothing to draw with ({error}); without a screen it needs Debian's libegl1")
    beam = sandwich()
    columns, rows, pitch = 320, 200, 0.04
    ours: dict[Material, NDArray[np.float64]] = {}
    for number, (formula, density, (x, y), millimetres) in enumerate(BOXES):
        material = Material(f"box {number}", formula, density)
        across = (np.arange(columns) - columns / 2 + 0.5) * pitch
        down = (np.arange(rows) - rows / 2 + 0.5) * pitch
        inside = (np.abs(across - x) < 1)[None, :] & (np.abs(down - y) < 1)[:, None]
        ours[material] = np.where(inside, millimetres, 0.0)
    errors = []
    for name, absorbed, expected in zip(("low", "high"), (beam.low, beam.high), beam.transmission(ours), strict=True):
        theirs = _project(engine, beam.energies, absorbed, columns, rows, pitch)
        # Their rows and columns may run the other way.
        ways = (theirs, theirs[::-1], theirs[:, ::-1], theirs[::-1, ::-1])
        theirs = max(ways, key=lambda way: float(np.corrcoef(way.ravel(), expected.ravel())[0, 1]))
        there = (expected < 0.99) & (expected > 1e-4)
        off = np.abs(np.log(theirs[there]) / np.log(expected[there]) - 1)
        errors.append(off)
        print(
            f"{name}: attenuation differs by {np.median(off):.4%} at the median, {np.percentile(off, 95):.3%} for"
            f" 95 % of {there.sum()} pixels"
        )
    median = float(np.median(np.concatenate(errors)))
    print(f"both: {median:.4%} at the median; the project promises 0.5 %: {'held' if median <= 0.005 else 'NOT held'}")


def _project(
    engine: Any, energies: NDArray[np.float64], absorbed: NDArray[np.float64], columns: int, rows: int, pitch: float
) -> NDArray[np.float64]:
    """Transmission of the boxes by gVirtualXRay; an energy-integrating detector with our shares by energy."""
    engine.removePolygonMeshesFromSceneGraph()
    engine.resetBeamSpectrum()
    engine.setSourcePosition(0.0, 0.0, -1000.0, "cm")
    engine.useParallelBeam()
    engine.setDetectorPosition(0.0, 0.0, 50.0, "cm")
    engine.setDetectorUpVector(0, 1, 0)
    engine.setDetectorNumberOfPixels(columns, rows)
    engine.setDetectorPixelSize(pitch, pitch, "cm")
    for energy, count in zip(energies, absorbed / absorbed.sum(), strict=True):
        if count > 1e-7:
            engine.addEnergyBinToSpectrumPerPixelAtSDD(float(energy), "keV", float(count))
    for number, (formula, density, (x, y), millimetres) in enumerate(BOXES):
        label = f"box{number}"
        engine.makeCuboid(label, 2.0, 2.0, millimetres / 10, "cm")
        engine.translateNode(label, x, y, 0.0, "cm")
        engine.setCompound(label, formula)
        engine.setDensity(label, density, "g/cm3")
        engine.addPolygonMeshAsInnerSurface(label)
    image = np.array(engine.computeXRayImage(), np.float64)
    return image / np.median(image[:10])


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        sys.exit(
            f"{name} cannot be used here ({error}): pip install 'edge-agent[benchmarks]'; gVirtualXRay also needs"
            " Debian's libxcb-{res0,ewmh2,composite0,xinerama0,icccm4,keysyms1} and libegl1"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("tables", "gvxr"))
    asked = parser.parse_args(arguments)
    if asked.what == "tables":
        tables()
    else:
        gvxr()


if __name__ == "__main__":
    main()
