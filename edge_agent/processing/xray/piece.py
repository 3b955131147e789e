"""What a scanner's test piece consists of, and where its parts lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

Region = tuple[float, float, float, float]
"""Left, top, width and height, in the piece's unit, from its upper left corner."""

_FORBID: Final[dict[str, Any]] = {"extra": "forbid"}  # for whoever reads a description from a file with pydantic


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a wedge."""

    __pydantic_config__: ClassVar = _FORBID
    thickness_mm: float
    region: Region


@dataclass(frozen=True, slots=True)
class Wedge:
    """Steps of one material: ``pmma``, ``aluminium`` or ``steel``."""

    __pydantic_config__: ClassVar = _FORBID
    material: str
    step: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire, which runs along the longer side of its region, near the middle of it."""

    __pydantic_config__: ClassVar = _FORBID
    awg: int
    region: Region

    @property
    def diameter_mm(self) -> float:
        """By the American wire gauge (ASTM B258)."""
        return float(0.127 * 92 ** ((36 - self.awg) / 39))


@dataclass(frozen=True, slots=True)
class Penetration:
    """Steel with lead behind a part of it."""

    __pydantic_config__: ClassVar = _FORBID
    steel_mm: float
    lead: Region
    beside: Region


@dataclass(frozen=True, slots=True)
class Edge:
    """A straight edge of a thin plate, a few degrees off the detector's lines, that crosses its region."""

    __pydantic_config__: ClassVar = _FORBID
    across: Literal["columns", "rows"]
    region: Region


@dataclass(frozen=True, slots=True)
class Patch:
    """A piece of material of one class."""

    __pydantic_config__: ClassVar = _FORBID
    name: str
    material: Literal["organic", "inorganic", "metal"]
    region: Region


@dataclass(frozen=True, slots=True)
class Piece:
    """Where the parts of a test piece lie."""

    __pydantic_config__: ClassVar = _FORBID
    name: str
    unit: Literal["mm", "pixels"]
    width: float
    height: float
    wedge: tuple[Wedge, ...] = ()
    wire: tuple[Wire, ...] = ()
    penetration: tuple[Penetration, ...] = ()
    edge: tuple[Edge, ...] = ()
    patch: tuple[Patch, ...] = ()
