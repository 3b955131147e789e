"""Computes the colours of NIJ Standard 0604.01, table 1, from their Munsell notations, with colour-science.

    python -m benchmarks.drugkit_nij

rewrites ``edge_agent/processing/colourtest/nij_0604_01.csv`` in place: the columns of the table itself (a work of the
United States Department of Justice, in the public domain) stay as they are, ``L``, ``a``, ``b`` and ``outside_srgb``
are made anew. Munsell renotation is for illuminant C; Bradford takes it to D65.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from edge_agent.processing.colourtest.colour import D65, adapt, lab_of_xyz, srgb_of_xyz, xyz_of_lab
from edge_agent.processing.colourtest.nij import FILE


def lab_of_munsell(notation: str) -> Any:
    """CIELAB for D65, shape (3,), of a Munsell notation."""
    import colour  # noqa: PLC0415  (two seconds and 125 MB: never in the agent)

    x, y, luminance = np.asarray(colour.munsell_colour_to_xyY(notation), np.float64).tolist()
    white = colour.CCS_ILLUMINANTS["CIE 1931 2 Degree Standard Observer"]["C"]
    xyz = luminance / y * np.array((x, y, 1 - x - y))
    xyz_white = np.array((white[0], white[1], 1 - white[0] - white[1])) / white[1]
    return lab_of_xyz(adapt(xyz, xyz_white, D65))


def recompute(file: Path) -> None:
    """Fill the computed columns of the table."""
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows:
        if row["munsell"] == "Black":
            continue
        lab = lab_of_munsell(row["munsell"])
        row |= {name: f"{value:.3f}" for name, value in zip("Lab", lab, strict=True)}
        srgb = srgb_of_xyz(xyz_of_lab(lab))
        row["outside_srgb"] = str(int(bool((srgb < -1e-4).any() or (srgb > 1 + 1e-4).any())))
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    recompute(FILE)
