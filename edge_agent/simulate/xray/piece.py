"""The scanner's test piece, made after its description: parts where it says, wires and edges finer than a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.piece import Piece, Region
from edge_agent.simulate.xray.phantom import Phantom
from edge_agent.simulate.xray.scanner import Thickness

FRAME_MM = 8.0
LEAD_MM = 5.0
_EDGE_MM = 2.0
_SLANT = np.tan(np.radians(4.0))
_FINER = 8


def phantom_of(
    piece: Piece, *, pitch_mm: tuple[float, float] = (0.8, 0.8), before_mm: float = 60.0, wire_scale: float = 1.0
) -> dict[str, Thickness]:
    """Thickness of its materials in mm, with ``before_mm`` of open beam before, behind and beside it.

    ``wire_scale`` thins the wires, as a scanner that has become blunt would show them.
    """
    scene = Phantom(piece.width + 2 * before_mm, piece.height + 2 * before_mm, pitch_mm)
    x, y = before_mm, before_mm
    for left, top, width, height in (
        (0, 0, piece.width, FRAME_MM),
        (0, piece.height - FRAME_MM, piece.width, FRAME_MM),
        (0, FRAME_MM, FRAME_MM, piece.height - 2 * FRAME_MM),
        (piece.width - FRAME_MM, FRAME_MM, FRAME_MM, piece.height - 2 * FRAME_MM),
    ):
        scene.box("aluminium", x + left, y + top, width, height, 10)

    def box(material: str, region: Region, depth: float) -> None:
        scene.box(material, x + region[0], y + region[1], region[2], region[3], depth)

    for wedge in piece.wedge:
        for step in wedge.step:
            box(wedge.material, step.region, step.thickness_mm)
    for block in piece.penetration:
        box("steel", block.lead, block.steel_mm)
        box("steel", block.beside, block.steel_mm)
        box("lead", block.lead, LEAD_MM)
    for patch in piece.patch:
        material, depth = patch.name.rsplit("_", 1)
        box(material, patch.region, float(depth.removesuffix("mm")))
    down, right = (
        (np.arange(n * _FINER) + 0.5) * pitch / _FINER - before_mm
        for n, pitch in zip(scene.shape, pitch_mm, strict=True)
    )
    for wire in piece.wire:
        _add(scene, "copper", _wire(wire.region, wire.diameter_mm * wire_scale, down, right))
    if piece.edge:
        columns = next(edge.region for edge in piece.edge if edge.across == "columns")
        rows = next(edge.region for edge in piece.edge if edge.across == "rows")
        _add(scene, "steel", _plate(columns, rows, down, right))
    return scene.layers


def _add(scene: Phantom, material: str, thickness: Thickness) -> None:
    scene.layers[material] = scene.layers.get(material, np.zeros(scene.shape, np.float32)) + thickness


def _wire(region: Region, diameter: float, down: NDArray[np.float64], right: NDArray[np.float64]) -> Thickness:
    """A round wire along the middle of a region that is wider than high."""
    left, top, width, height = region
    chord = 2 * np.sqrt(np.maximum((diameter / 2) ** 2 - (down - top - height / 2) ** 2, 0))
    inside = (right >= left) & (right < left + width)
    return np.outer(_means(chord), _means(inside.astype(float))).astype(np.float32)


def _plate(columns: Region, rows: Region, down: NDArray[np.float64], right: NDArray[np.float64]) -> Thickness:
    """A plate whose right and lower edges go through the middles of the two regions, 4 degrees off."""
    left, top = rows[0] - 20, columns[1] - 10
    side = columns[0] + columns[2] / 2 + _SLANT * (down[:, None] - columns[1] - columns[3] / 2)
    below = rows[1] + rows[3] / 2 + _SLANT * (right[None, :] - rows[0] - rows[2] / 2)
    inside = (right[None, :] > left) & (down[:, None] > top) & (right[None, :] < side) & (down[:, None] < below)
    size = len(down) // _FINER, _FINER, len(right) // _FINER, _FINER
    covered: NDArray[np.float64] = inside.reshape(size).mean(axis=(1, 3))
    return (_EDGE_MM * covered).astype(np.float32)


def _means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values.reshape(-1, _FINER).mean(axis=1))
