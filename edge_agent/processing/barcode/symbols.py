"""What a bar code reader finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float64]
"""Shape (4, 2): x and y in pixels of the picture, around the symbol."""

WEAK: Final = frozenset({"ITF", "Codabar", "Code 39", "Telepen", "EAN-8", "UPC-E", "EAN-13", "DX Film Edge", "Code 93"})
"""Symbologies whose own checks are so weak, or absent, that a single look is not enough to believe them."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One bar code.

    Attributes:
        format: symbology as its standard names it, e.g. ``Code 128``.
        data: contents as they are in the symbol; FNC1 inside GS1 contents is the byte 29 (GS).
        text: the same decoded with the character sets that the symbol names; None if it is no text.
        identifier: AIM symbology identifier (ISO/IEC 15424), e.g. ``]C1``; empty if the engine does not tell.
        corners: where it is.
        engines: which engines read it so.
        looks: how many independent looks (engines, turned or sharpened pictures, scan lines) read the same.
    """

    format: str
    data: bytes
    text: str | None
    identifier: str
    corners: Corners
    engines: frozenset[str]
    looks: int = 1

    @property
    def gs1(self) -> bool:
        """Whether the symbol itself says that its contents are GS1 element strings."""
        return self.identifier in {"]C1", "]e0", "]d2", "]Q3", "]J1", "]z1", "]z4"} and bool(self.data)

    @property
    def believed(self) -> bool:
        """Whether it may be reported: what is weak, or was seen by zbar alone, has to have been read more than once."""
        strong = self.format not in WEAK and ("zxing-cpp" in self.engines or self.format == "QR Code")
        return strong or self.looks > 1
