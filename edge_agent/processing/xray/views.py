"""What an operator sees: the nine views, coloured by palettes that are data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray import kernels
from edge_agent.processing.xray.calibration import Calibration, nominal
from edge_agent.processing.xray.correct import Corrected, Flat, correct
from edge_agent.processing.xray.scan import Channel, Scan
from edge_agent.processing.xray.tables import attenuations, index

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

VIEWS: Final = (
    "composite",
    "grey",
    "inverse",
    "high-penetration",
    "low-penetration",
    "organic-stripped",
    "metal-stripped",
    "edges",
    "difference",
)
PALETTES: Final = tuple(sorted(path.stem for path in (Path(__file__).parent / "palettes").glob("*.toml")))

_MOST_COLOUR: Final = 0.8
"""Power of the attenuation in the colour: below 1, so that the thick keeps its shades."""
_STRIPPED: Final = (0.5, 1.5)
"""Index below which is organic, and above which is metal."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what the atoms are: ``stops`` of (index, (R, G, B)), see ``tables.index``."""

    background: tuple[int, int, int]
    opaque: tuple[int, int, int]
    stops: tuple[tuple[float, tuple[int, int, int]], ...]


@lru_cache(maxsize=16)
def palette(name: str) -> Palette:
    """A palette by the name of its file.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in PALETTES:
        raise ValueError(f"there is no palette '{name}', but {', '.join(PALETTES)}")
    return palette_from(tomllib.loads((Path(__file__).parent / "palettes" / f"{name}.toml").read_text("utf-8")))


def palette_from(values: dict[str, Any]) -> Palette:
    """A palette from plain values, as its file has them."""

    def rgb(value: Any) -> tuple[int, int, int]:
        r, g, b = (min(max(int(v), 0), 255) for v in value)
        return r, g, b

    stops = tuple((float(stop["index"]), rgb(stop["colour"])) for stop in values["stops"])
    return Palette(rgb(values["background"]), rgb(values["opaque"]), tuple(sorted(stops)))


def view(
    scan: Scan | Corrected,
    name: str = "composite",
    colours: str | Palette = "standard",
    calibration: Calibration | None = None,
) -> Picture:
    """One of ``VIEWS`` of a scan, R G B, shape (rows, columns, 3).

    A scan with one energy is grey in all of them; where nothing could be stripped, nothing is.

    Raises:
        ValueError: there is no such view or palette.
        ScanError: the scan has no channels, or no signal.
    """
    corrected = scan if isinstance(scan, Corrected) else correct(scan)
    calibration = calibration or nominal()
    if name not in VIEWS:
        raise ValueError(f"there is no view '{name}', but {', '.join(VIEWS)}")
    chosen = colours if isinstance(colours, Palette) else palette(colours)
    rgba = np.empty(corrected.high.shape, np.uint32)
    low = corrected.low if corrected.low is not None else corrected.high
    if corrected.low is None and name not in {"inverse", "high-penetration", "low-penetration", "edges"}:
        name = "grey"
    table = table_of("grey" if name == "edges" else name, chosen, calibration)
    flat = _identity(corrected.high.shape)
    kernels.colour(low, corrected.high, flat.rows, flat.columns, flat.rows, flat.columns, table, rgba)
    out = np.asarray(cv2.cvtColor(rgba.view(np.uint8).reshape(*rgba.shape, 4), cv2.COLOR_RGBA2RGB), np.uint8)
    return _edges(out) if name == "edges" else out


def composite(
    scan: Scan, corrected: Corrected, calibration: Calibration, colours: Palette, out: NDArray[np.uint32]
) -> Picture:
    """The composite of a dual-energy scan straight from its raw counts in one pass, R G B A, in the room of ``out``.

    Dead elements stay as they are: this is the fast path.
    """
    low, high = corrected.flats[Channel.LOW], corrected.flats[Channel.HIGH]
    assert scan.low is not None
    assert scan.high is not None
    table = table_of("composite", colours, calibration)
    kernels.colour(scan.low, scan.high, low.rows, low.columns, high.rows, high.columns, table, out)
    return out.view(np.uint8).reshape(*out.shape, 4)


def _identity(shape: tuple[int, ...]) -> Flat:
    rows = np.stack([np.zeros(shape[0]), np.ones(shape[0])]).astype(np.float32)
    columns = np.stack([np.zeros(shape[1]), np.ones(shape[1])]).astype(np.float32)
    return Flat(rows, columns)


@lru_cache(maxsize=32)
def table_of(name: str, colours: Palette, calibration: Calibration) -> NDArray[np.uint32]:
    """The colours of a view for each step of the high and of the low channel, as ``kernels.colour`` takes them."""
    steps = attenuations()
    high, low = np.meshgrid(steps, steps, indexing="ij")
    rgb = shade(name, colours, calibration, low, high)
    rgba = np.empty((kernels.STEPS, kernels.STEPS, 4), np.uint8)
    rgba[..., :3] = np.rint(np.clip(rgb, 0, 255))
    rgba[..., 3] = 255
    return np.ascontiguousarray(rgba.view(np.uint32)[..., 0])


def shade(name: str, colours: Palette, calibration: Calibration, low: Floats, high: Floats) -> Floats:
    """R, G, B, 0 to 255, of a pair of attenuations: what the tables hold, exactly.

    Colour comes like dye: each channel falls with attenuation as fast as the palette says for these atoms.
    """
    if name in {"grey", "inverse"}:
        value = 255 * np.exp(-0.55 * high**_MOST_COLOUR)
        return _grey(value if name == "grey" else 255 - value)
    if name == "high-penetration":
        return _grey(255 * (1 - np.clip((high - 1.5) / (calibration.opaque - 1.5), 0, 1)))
    if name == "low-penetration":
        return _grey(255 * (1 - np.clip(high / 0.8, 0, 1) ** 0.7))
    if name == "difference":
        return _grey(np.clip(255 * np.exp(-1.2 * np.maximum(low - high, 0)), 0, 255))
    atoms = index(calibration, low, high)
    at = np.array([stop for stop, _ in colours.stops])
    background = np.maximum(np.array(colours.background, np.float64), 1)
    depth = high**_MOST_COLOUR
    out = np.empty((*high.shape, 3))
    for c in range(3):
        dye = -np.log(np.maximum([rgb[c] for _, rgb in colours.stops], 1) / background[c])
        out[..., c] = background[c] * np.exp(-np.interp(atoms, at, dye) * depth)
    out[high >= calibration.opaque] = colours.opaque
    if name != "composite":
        gone = atoms < _STRIPPED[0] if name == "organic-stripped" else atoms > _STRIPPED[1]
        pale = 255 - 40 * (1 - np.exp(-high))
        out[gone] = pale[gone, None]
    return out


def warm() -> None:
    """Compile or load what every process that draws views needs."""
    counts = np.full((8, 8), 50_000, np.uint16)
    view(Scan(low=counts, high=counts), "grey")  # of which the table is made soonest


def _grey(value: Floats) -> Floats:
    return np.repeat(value[..., None], 3, axis=-1)


def _edges(grey: Picture) -> Picture:
    """Unsharp mask: what differs from its surroundings, on the grey itself."""
    one = grey[..., 0].astype(np.float32)
    soft = cv2.GaussianBlur(one, (0, 0), 2.5)
    sharp = np.clip(one * 0.5 + 64 + 3.0 * (one - soft), 0, 255).astype(np.uint8)
    return np.repeat(sharp[..., None], 3, axis=-1)
