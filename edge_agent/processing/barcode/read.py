"""Read the bar codes in a picture: both engines at once, then harder and harder looks at what was not read.

zxing-cpp reads the most kinds, but loses PDF417 at ten degrees and Code 128 at thirty; zbar reads linear codes that are
blurred or whose modules have less than two pixels. So both look at the whole picture first. Regions that look like a
bar code and were not read are then cut out, turned upright, enlarged and sharpened, and shown to both again; at last
the whole picture is turned. All of it ends when the time is up.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.barcode import engines
from edge_agent.processing.barcode.regions import Region, regions
from edge_agent.processing.barcode.symbols import Corners, Symbol

Grey = NDArray[np.uint8]

SECONDS: Final = 1.5
LARGEST: Final = 3000
"""Pixels of the longer side; a larger picture is shrunk for the first look."""
_ANGLES: Final = (15, -15, 30, -30, 45, 60, -60, 75, -75)
_CROP_SIDE: Final = 1200
SHORT: Final = 4
"""Contents of fewer bytes are not believed at the first look, where a symbology's own checks are weak."""
_SHARED: Final = 0.3
_MARGIN: Final = 0.15


@dataclass(frozen=True, slots=True)
class Reading:
    """What was made of a picture.

    Attributes:
        symbols: those that are believed, from top to bottom.
        damaged: how many more were found whose own checks say that they are damaged.
        complete: false if the time was up before everything was tried.
    """

    symbols: tuple[Symbol, ...]
    damaged: int
    complete: bool


@dataclass(frozen=True, slots=True)
class _View:
    """A picture of a part of the picture; ``matrix`` (2 x 3) leads from the picture to it."""

    image: Grey
    matrix: NDArray[np.float64]


def read(image: NDArray[np.uint8], seconds: float = SECONDS) -> Reading:
    """Read all bar codes in a picture.

    Args:
        image: BGR, shape (height, width, 3), or grey, shape (height, width).
        seconds: after which no further look begins; one look takes a fraction of a second.
    """
    until = time.monotonic() + seconds
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    grey = np.ascontiguousarray(grey)
    found = _Found()
    whole = _shrunk(grey)
    found.look(whole, first=True)
    candidates = regions(grey)
    complete = True
    for view in _views(grey, whole, candidates, found):
        if time.monotonic() >= until:
            complete = False
            break
        found.look(view)
    symbols = sorted(found.believed(), key=lambda s: (float(s.corners[:, 1].mean()), float(s.corners[:, 0].mean())))
    return Reading(tuple(symbols), found.damaged(), complete)


def _views(grey: Grey, whole: _View, candidates: list[Region], found: _Found) -> Iterator[_View]:
    """Further looks, the most promising first; each is made only when it is asked for."""
    for hard in range(len(_TREATMENTS)):
        for region in candidates:
            if not found.covers(region):
                yield from _TREATMENTS[hard](_cut(grey, region))
    if not found.believed():
        yield from _enlarged(whole)
    for angle in _ANGLES:
        if found.believed():
            return
        yield _turned(whole, angle)


class _Found:
    """Symbols found so far, each once, however often it was seen."""

    def __init__(self) -> None:
        self._symbols: list[Symbol] = []
        self._damaged: list[Corners] = []

    def look(self, view: _View, *, first: bool = False) -> None:
        """Show a picture to both engines; ``first``: the picture as it is, which zxing-cpp is trusted with."""
        back = cv2.invertAffineTransform(view.matrix)
        seen: list[Symbol] = []
        read, damaged = engines.zxing(view.image)
        if first:
            self._damaged = [corners @ back[:, :2].T + back[:, 2] for corners in damaged]
        for symbol in (*read, *engines.zbar(view.image)):
            corners = symbol.corners @ back[:, :2].T + back[:, 2]
            looks = 2 if first and "zxing-cpp" in symbol.engines and len(symbol.data) >= SHORT else 1
            _join(seen, replace(symbol, corners=corners, looks=looks), again=False)
        for symbol in seen:
            _join(self._symbols, symbol, again=True)

    def believed(self) -> list[Symbol]:
        """The symbols that may be reported: of two different readings in one place, only the better one."""
        return [
            symbol
            for symbol in self._symbols
            if symbol.believed
            and not any(
                other is not symbol and _trust(other) > _trust(symbol) and _overlap(other.corners, symbol.corners)
                for other in self._symbols
            )
        ]

    def damaged(self) -> int:
        """Symbols whose checks fail, and in whose place nothing was read."""
        places = [symbol.corners for symbol in self.believed()]
        read = len(places)
        for place in self._damaged:
            if not any(_overlap(place, other) for other in places):
                places.append(place)
        return len(places) - read

    def covers(self, region: Region) -> bool:
        """Whether a symbol was read in a region."""
        box = cv2.boxPoints((region.centre, region.size, region.angle)).astype(np.float64)
        return any(_overlap(symbol.corners, box) for symbol in self.believed())


def _join(symbols: list[Symbol], new: Symbol, *, again: bool) -> None:
    """Add a symbol; one that was read already counts as another look if it is from another engine or picture."""
    for index, old in enumerate(symbols):
        if _same_contents(old, new) and _overlap(old.corners, new.corners):
            better = old if "zxing-cpp" in old.engines else new
            more = new.looks if again or not new.engines <= old.engines else 0
            symbols[index] = replace(better, engines=old.engines | new.engines, looks=old.looks + more)
            return
    symbols.append(new)


def _trust(symbol: Symbol) -> tuple[bool, bool, int, float]:
    """Where readings of one place differ: zbar knows no FNC4, and was seen to correct what it should not have."""
    area = float(np.prod(np.ptp(symbol.corners, axis=0)))
    return symbol.believed, "zxing-cpp" in symbol.engines, symbol.looks, area


def _same_contents(one: Symbol, other: Symbol) -> bool:
    return one.format.split()[0] == other.format.split()[0] and one.data.strip(b"\x1d") == other.data.strip(b"\x1d")


def _overlap(one: Corners, other: Corners) -> bool:
    """Whether two places share a good part of the smaller one, by their upright boxes with a margin.

    Without it, a few scan lines along the edge of a linear code would pass for another code beside it.
    """
    (low, high), (others_low, others_high) = _box(one), _box(other)
    shared = np.minimum(high, others_high) - np.maximum(low, others_low)
    smaller = min(float(np.prod(high - low)), float(np.prod(others_high - others_low)))
    return bool((shared > 0).all()) and float(np.prod(shared)) > _SHARED * smaller


def _box(corners: Corners) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    margin = _MARGIN * float(np.ptp(corners, axis=0).max()) + 1
    return corners.min(0) - margin, corners.max(0) + margin


# -- looks -------------------------------------------------------------------------------------------------------------


def _shrunk(grey: Grey) -> _View:
    scale = min(1.0, LARGEST / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    return _View(small.astype(np.uint8, copy=False), np.array([[scale, 0, 0], [0, scale, 0]]))


def _turned(view: _View, angle: float, scale: float = 1.0) -> _View:
    """The whole of a picture, turned."""
    height, width = view.image.shape
    turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale), np.float64)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    wide, high = int(height * sin + width * cos), int(height * cos + width * sin)
    turn[:, 2] += (wide / 2 - width / 2, high / 2 - height / 2)
    return _warped(view, turn, (wide, high))


def _cut(grey: Grey, region: Region) -> _View:
    """A region upright, with a quiet zone around it."""
    longer = max(region.size)
    width, height = (side + 0.3 * longer for side in region.size)
    scale = min(1.0, _CROP_SIDE / max(width, height))
    turn = np.asarray(cv2.getRotationMatrix2D(region.centre, region.angle, scale), np.float64)
    turn[:, 2] += (width * scale / 2 - region.centre[0], height * scale / 2 - region.centre[1])
    return _warped(_View(grey, np.eye(2, 3)), turn, (int(width * scale), int(height * scale)))


def _warped(view: _View, matrix: NDArray[np.float64], size: tuple[int, int]) -> _View:
    image = cv2.warpAffine(view.image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    whole = np.vstack([matrix, (0, 0, 1)]) @ np.vstack([view.matrix, (0, 0, 1)])
    return _View(image.astype(np.uint8, copy=False), whole[:2])


def _scaled(view: _View, factor: float) -> _View:
    how = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    image = cv2.resize(view.image, None, fx=factor, fy=factor, interpolation=how)
    return _View(image.astype(np.uint8, copy=False), view.matrix * factor)


def _sharpened(view: _View, sigma: float, amount: float) -> _View:
    soft = cv2.GaussianBlur(view.image, (0, 0), sigma)
    return replace(view, image=cv2.addWeighted(view.image, 1 + amount, soft, -amount, 0).astype(np.uint8, copy=False))


def _stretched(view: _View) -> _View:
    low, high = np.percentile(view.image, (2, 98))
    gain = 255 / max(high - low, 8)
    return replace(view, image=np.clip((view.image - low) * gain, 0, 255).astype(np.uint8))


def _plain(view: _View) -> Iterator[_View]:
    yield _stretched(view)


def _enlarged(view: _View) -> Iterator[_View]:
    if max(view.image.shape) <= _CROP_SIDE:
        double = _scaled(_stretched(view), 2)
        yield double
        yield _sharpened(double, 3, 2)


def _softened(view: _View) -> Iterator[_View]:
    """Against noise."""
    yield replace(view, image=cv2.GaussianBlur(view.image, (0, 0), 1.2).astype(np.uint8, copy=False))
    yield _scaled(_stretched(view), 0.5)


def _equalised(view: _View) -> Iterator[_View]:
    """Against shadows and glare."""
    yield replace(view, image=cv2.createCLAHE(4, (4, 4)).apply(view.image).astype(np.uint8, copy=False))
    if max(view.image.shape) <= _CROP_SIDE / 2:
        triple = _scaled(_stretched(view), 3)
        yield _sharpened(triple, 5, 3)


_TREATMENTS: Final = (_plain, _enlarged, _softened, _equalised)
