"""What goes through the scanners: bags on a belt, and vehicles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from edge_agent.simulate.xray.phantom import Phantom

BAG_PITCH: Final = (0.8, 0.8)
VEHICLE_PITCH: Final = (5.0, 5.0)
BLOCK: Final = "hidden block"
"""The name of what should be found."""


def bag(
    seed: int, *, pitch_mm: tuple[float, float] = BAG_PITCH, hidden: bool = False, metal_box: bool = False
) -> Phantom:
    """A case of clothes and things on a belt, different for each seed; lines are rows, the belt runs downwards.

    Args:
        seed: Of what is in it.
        pitch_mm: Of rows and columns.
        hidden: Whether a block of something organic lies behind a plate of 2 mm steel.
        metal_box: Whether there is a box of lead in which nothing can be seen.

    """
    rng = np.random.default_rng(seed)
    scene = Phantom(width_mm=600, height_mm=620, pitch_mm=pitch_mm)
    width, height = float(rng.uniform(380, 450)), float(rng.uniform(430, 480))
    x, y = (600 - width) / 2, 70.0
    # The belt lies under everything, and its edges, of steel wire in rubber, are always dark.
    scene.box("rubber", 20, 0, 560, 620, 1.5)
    for edge in (20, 568):
        scene.box("steel", edge, 0, 12, 620, 60)
    scene.shell("polyethylene", x, y, width, height, 180, 2.5)
    scene.box("cloth", x + 8, y + 8, width - 16, height - 16, float(rng.uniform(40, 110)))
    scene.box("steel", x + width / 2 - 60, y - 14, 120, 10, 3)
    # Things beside one another in a grid of places, so that each is seen by itself.
    places = [(x + 20 + i * (width - 40) / 3, y + 20 + j * (height - 40) / 4) for i in range(3) for j in range(4)]
    cells: Iterator[tuple[float, float]] = iter([places[int(i)] for i in rng.permutation(len(places))])
    scene.bottle("water", *next(cells), 65, 100, "bottle")
    scene.box("paper", *next(cells), 95, 85, float(rng.uniform(15, 35)), "book")
    scene.box("aluminium", *next(cells), 80, 60, float(rng.uniform(2, 6)), "tablet")
    place = next(cells)
    scene.disc("glass", place[0] + 45, place[1] + 45, 80, 6, 60, "jar")
    scene.bottle("steel", *next(cells), 12, 90, "tool")
    scene.ellipsoid("leather", *next(cells), 100, 60, 40, "shoe")
    scene.bottle("salt", *next(cells), 40, 80, "salt")
    place = next(cells)
    if hidden:
        scene.box("steel", place[0], place[1], 110, 95, 2, "plate")
        scene.box("heroin-like", place[0] + 25, place[1] + 25, 55, 45, 30, BLOCK)
    place = next(cells)
    if metal_box:
        scene.box("lead", *place, 70, 70, 10, "lead box")
    return scene


def vehicle(
    seed: int,
    *,
    pitch_mm: tuple[float, float] = VEHICLE_PITCH,
    load: str = "boxes",
    hidden: tuple[float, float] | None = None,
    block_mm: float = 50,
    steel_mm: float = 6,
) -> Phantom:
    """A van seen from the side, standing on its wheels; its body is the same for the same seed.

    Args:
        seed: Of body and load.
        pitch_mm: Of rows and columns.
        load: ``empty``, ``boxes`` or ``homogeneous`` (one material to one height).
        hidden: Where, as shares of the loading space's width and height, a block lies behind steel.
        block_mm: Width, height and depth of that block.
        steel_mm: Thickness of the steel wall before it, which is there with and without the block.

    """
    rng = np.random.default_rng(seed)
    scene = Phantom(width_mm=6600, height_mm=3000, pitch_mm=pitch_mm)
    ground, wheel = 2850.0, 680.0
    floor = ground - 620
    front, back = 500.0, 6000.0
    # Body: two walls of sheet, frame, glass, engine, seat.
    scene.box("steel", front + 1500, floor - 1700, back - front - 1500, 1700, 1.6)
    scene.box("steel", front, floor - 900, 1500, 900, 1.6)
    scene.box("glass", front + 650, floor - 1500, 850, 600, 10)
    for x in np.linspace(front + 1500, back - 60, 7):
        scene.box("steel", float(x), floor - 1700, 50, 1700, 3)
    scene.box("steel", front + 100, floor, back - front - 200, 110, 12, "frame")
    scene.box("aluminium", front + 150, floor - 650, 550, 500, 120, "engine")
    scene.box("steel", front + 250, floor - 550, 300, 350, 60)
    scene.box("polyethylene", front + 950, floor - 900, 300, 800, 60, "seat")
    for x in (front + 850, back - 1000):
        scene.disc("rubber", x, ground - wheel / 2, wheel, 200, 400)
        scene.disc("steel", x, ground - wheel / 2, 420, 16, 0, "wheel")
        scene.disc("steel", x, ground - wheel / 2, 130, 160, 0, "axle")
    # Load.
    left, top, width, height = front + 1600, floor - 1600, back - front - 1700, 1590.0
    if load == "boxes":
        x = left
        while x < left + width - 300:
            w = float(rng.uniform(250, 500))
            tall = float(rng.uniform(400, 1400))
            depth = float(rng.uniform(100, 350))
            material = str(rng.choice(["paper", "cloth", "wood", "polyethylene"]))
            scene.box(material, x, top + height - tall, min(w, left + width - x), tall, depth * 0.4)
            x += w + float(rng.uniform(0, 80))
    elif load == "homogeneous":
        scene.box("sugar", left, top + height - 1000, width, 1000, 110, "load")
    place = hidden or (0.5, 0.5)
    x, y = left + place[0] * (width - 500), top + place[1] * (height - 400)
    scene.box("steel", x, y, 500, 400, steel_mm, "wall")
    if hidden is not None:
        scene.box("heroin-like", x + 250 - block_mm / 2, y + 200 - block_mm / 2, block_mm, block_mm, block_mm, BLOCK)
    return scene


def driven(scene: Phantom, seed: int) -> Phantom:
    """The same vehicle on another day: elsewhere in the picture, higher or lower, driven faster or slower, unevenly."""
    rng = np.random.default_rng(seed)
    rows, columns = scene.shape
    along = float(rng.uniform(-80, 80)) / scene.pitch_mm[1]
    up = float(rng.uniform(-15, 15)) / scene.pitch_mm[0]
    speed = float(rng.uniform(0.97, 1.03))
    x = np.arange(columns, dtype=np.float64) - columns / 2
    wobble = 0.004 * columns / 6 * np.sin(2 * np.pi * (x / columns * rng.uniform(0.5, 1.5) + rng.uniform()))
    source = (x * speed + wobble + along + columns / 2).astype(np.float32)
    lines = (np.arange(rows) + up).astype(np.float32)
    across, down = np.meshgrid(source, lines)
    out = Phantom(scene.width_mm, scene.height_mm, scene.pitch_mm)
    for name, layer in scene.layers.items():
        out.layers[name] = np.asarray(cv2.remap(layer, across, down, cv2.INTER_LINEAR), np.float32)
    # Where what was placed has gone.
    for thing in scene.placed:
        left, right = (float(np.interp(edge, source, np.arange(columns))) for edge in (thing.left, thing.right))
        out.placed.append(
            replace(
                thing,
                left=round(left),
                right=max(round(right), round(left) + 1),
                top=round(thing.top - up),
                bottom=round(thing.bottom - up),
            )
        )
    return out
