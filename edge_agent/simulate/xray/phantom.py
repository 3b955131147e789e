"""Things as thickness of their materials along each ray: what the scanner sees, and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_agent.simulate.xray.materials import MATERIALS

Thickness = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Placed:
    """A thing that was put into a scene: the exact truth about it.

    Attributes:
        name: What it plays, e.g. ``hidden block``.
        material: By its name in ``MATERIALS``.
        left, top, right, bottom: Its box in pixels; the last two lie behind it.
        thickness_mm: Largest, along the ray.
        grams: Its mass.

    """

    name: str
    material: str
    left: int
    top: int
    right: int
    bottom: int
    thickness_mm: float
    grams: float


@dataclass(slots=True, eq=False)
class Phantom:
    """A canvas in the object's plane. Places and sizes are in mm from its upper left corner.

    Attributes:
        width_mm: Of the canvas.
        height_mm: Of the canvas.
        pitch_mm: Of rows and columns.
        layers: ``{material's name: thickness in mm}``, each of shape (rows, columns).
        placed: All that was put into it and given a name.

    """

    width_mm: float
    height_mm: float
    pitch_mm: tuple[float, float]
    layers: dict[str, Thickness] = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return round(self.height_mm / self.pitch_mm[0]), round(self.width_mm / self.pitch_mm[1])

    def without(self, name: str) -> Phantom:
        """The same without the box of that name (only a box is as thick throughout as its truth says)."""
        out = Phantom(self.width_mm, self.height_mm, self.pitch_mm, {k: v.copy() for k, v in self.layers.items()})
        for thing in self.placed:
            if thing.name == name:
                window = (slice(thing.top, thing.bottom), slice(thing.left, thing.right))
                out.layers[thing.material][window] -= thing.thickness_mm
            else:
                out.placed.append(thing)
        return out

    def box(self, material: str, x: float, y: float, width: float, height: float, depth: float, name: str = "") -> None:
        """A box whose faces lie along the ray."""
        rows, columns = self._window(y, height, x, width)
        self._put(material, rows, columns, np.full(_size(rows, columns), depth, np.float32), name)

    def shell(
        self, material: str, x: float, y: float, width: float, height: float, depth: float, wall: float, name: str = ""
    ) -> None:
        """A hollow box: walls before, behind and around."""
        rows, columns = self._window(y, height, x, width)
        thickness = np.full(_size(rows, columns), depth, np.float32)
        r, c = max(round(wall / self.pitch_mm[0]), 1), max(round(wall / self.pitch_mm[1]), 1)
        thickness[r:-r, c:-c] = 2 * wall
        self._put(material, rows, columns, thickness, name)

    def ellipsoid(
        self, material: str, x: float, y: float, width: float, height: float, depth: float, name: str = ""
    ) -> None:
        """An ellipsoid in its bounding box."""
        rows, columns = self._window(y, height, x, width)
        u, v = self._inside(rows, columns)
        self._put(material, rows, columns, depth * np.sqrt(np.maximum(1 - u**2 - v**2, 0)), name)

    def bottle(
        self, material: str, x: float, y: float, width: float, height: float, name: str = "", *, lying: bool = False
    ) -> None:
        """A cylinder across the ray, upright or lying."""
        rows, columns = self._window(y, height, x, width)
        u, v = self._inside(rows, columns)
        across, diameter = (v, height) if lying else (u, width)
        self._put(material, rows, columns, diameter * np.sqrt(np.maximum(1 - across**2, 0)), name)

    def disc(
        self, material: str, x: float, y: float, diameter: float, depth: float, inner: float = 0.0, name: str = ""
    ) -> None:
        """A disc or ring across the ray, around the point x, y."""
        rows, columns = self._window(y - diameter / 2, diameter, x - diameter / 2, diameter)
        u, v = self._inside(rows, columns)
        radius = np.hypot(u, v)
        self._put(material, rows, columns, np.where((radius <= 1) & (radius >= inner / diameter), depth, 0.0), name)

    def _window(self, y: float, height: float, x: float, width: float) -> tuple[slice, slice]:
        rows, columns = self.shape
        top, left = round(y / self.pitch_mm[0]), round(x / self.pitch_mm[1])
        bottom, right = round((y + height) / self.pitch_mm[0]), round((x + width) / self.pitch_mm[1])
        return slice(max(top, 0), min(max(bottom, 0), rows)), slice(max(left, 0), min(max(right, 0), columns))

    @staticmethod
    def _inside(rows: slice, columns: slice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates from -1 to 1 across the window."""
        height, width = _size(rows, columns)
        v = (np.arange(height) + 0.5) / max(height, 1) * 2 - 1
        u = (np.arange(width) + 0.5) / max(width, 1) * 2 - 1
        across, down = np.meshgrid(u, v)
        return across, down

    def _put(self, material: str, rows: slice, columns: slice, thickness: NDArray[np.floating], name: str) -> None:
        if material not in self.layers:
            self.layers[material] = np.zeros(self.shape, np.float32)
        self.layers[material][rows, columns] += thickness.astype(np.float32)
        if name and thickness.size:
            pixel = self.pitch_mm[0] * self.pitch_mm[1]
            grams = float(thickness.sum()) * pixel * MATERIALS[material].density / 1000
            self.placed.append(
                Placed(
                    name,
                    material,
                    columns.start,
                    rows.start,
                    columns.stop,
                    rows.stop,
                    float(thickness.max()),
                    grams,
                )
            )


def _size(rows: slice, columns: slice) -> tuple[int, int]:
    return max(rows.stop - rows.start, 0), max(columns.stop - columns.start, 0)
