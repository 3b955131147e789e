"""Substances in the scenes, by formula and density (CRC Handbook of Chemistry and Physics, and data sheets)."""

from __future__ import annotations

from typing import Final

from edge_agent.processing.xray.physics import ALUMINIUM, PMMA, STEEL, Material

MATERIALS: Final = {
    material.name: material
    for material in (
        PMMA,
        ALUMINIUM,
        STEEL,
        Material("polyethylene", "C2H4", 0.94),
        Material("water", "H2O", 1.0),
        Material("sugar", "C12H22O11", 1.0),  # as poured: a crystal has 1.59
        Material("cloth", "C6H10O5", 0.25),
        Material("paper", "C6H10O5", 0.8),
        Material("wood", "C6H10O5", 0.6),
        Material("leather", "C6H10NO2", 0.9),
        Material("rubber", "C5H8", 1.1),
        Material("rdx-like", "C3H6N6O6", 1.6),
        Material("heroin-like", "C21H23NO5", 1.1),
        Material("cocaine-hcl-like", "C17H22NO4Cl", 1.1),
        Material("salt", "NaCl", 1.3),
        Material("glass", "Si1Na0.4Ca0.15O2.35", 2.5),
        Material("concrete", "Si1Ca0.3Al0.1O2.6H0.6", 2.3),
        Material("copper", "Cu", 8.96),
        Material("lead", "Pb", 11.35),
    )
}
"""By name. Those called like a substance have its formula, so its attenuation, and nothing else of it."""
