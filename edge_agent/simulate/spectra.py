"""Spectra that no substance has, and the files that instruments write of them: JCAMP-DX with differences, and SPC."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.spectra.polystyrene import LINES
from edge_agent.processing.spectra.spectrum import Technique

Array = NDArray[np.float64]
X: Final[Array] = np.arange(180.0, 2000.0, 1.5)
"""Raman shifts of the simulated instrument, 1/cm."""
_LINE: Final = 72
_SQZ: Final = "@ABCDEFGHI"
_SQZ_NEGATIVE: Final = "@abcdefghi"
_DIF: Final = "%JKLMNOPQR"
_DIF_NEGATIVE: Final = "%jklmnopqr"
_DUP: Final = "?STUVWXYZs"


@dataclass(frozen=True, slots=True)
class Substance:
    """A made-up substance: places of its bands in 1/cm, their heights and widths."""

    name: str
    places: tuple[float, ...]
    heights: tuple[float, ...]
    widths: tuple[float, ...]

    def bands(self, x: Array) -> Array:
        """Its Raman spectrum, the highest band about 1."""
        shapes = (h / (1 + ((x - p) / w) ** 2) for p, h, w in zip(self.places, self.heights, self.widths, strict=True))
        return np.asarray(np.sum(list(shapes), axis=0), np.float64)


def made_up(name: str, seed: int) -> Substance:
    """A substance with the number and width of bands that a sugar has, where nothing has them."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(12, 20))
    return Substance(
        name,
        tuple(rng.uniform(300, 1700, count)),
        tuple(rng.uniform(0.1, 1.0, count)),
        tuple(rng.uniform(4, 9, count)),
    )


def polystyrene() -> Substance:
    """The lines by which wavenumbers are checked, at about their heights."""
    places, heights = zip(*LINES[Technique.RAMAN], strict=True)
    return Substance("polystyrene", places, heights, (4.0,) * len(places))


def as_measured(bands: Array, rng: np.random.Generator, *, noise: float = 0.01, fluorescence: float = 1.5) -> Array:
    """Counts of a detector, whole numbers: bands on a fluorescent background, with noise."""
    background = fluorescence * np.exp(-(((X - 500) / 1200) ** 2))
    counts = 20_000 * (bands + background + 0.1) + rng.normal(0, 20_000 * noise, bands.size)
    return np.rint(np.clip(counts, 0, 2**31 - 1))


def jcamp(title: str, x: Array, counts: Array, *, extra: str = "") -> bytes:
    """A JCAMP-DX 4.24 file of even ``x`` and whole ``counts``, in DIFDUP form. ``extra`` are more labels, in lines."""
    values = counts.astype(np.int64)
    head = (
        f"##TITLE={title}\r\n##JCAMP-DX=4.24\r\n##DATA TYPE=RAMAN SPECTRUM\r\n##ORIGIN=edge-agent, simulated\r\n"
        f"##OWNER=none: nothing was measured\r\n{extra}##XUNITS=1/CM\r\n##YUNITS=COUNTS\r\n"
        "##XFACTOR=1\r\n##YFACTOR=1\r\n"
        f"##FIRSTX={x[0]:.6f}\r\n##LASTX={x[-1]:.6f}\r\n##NPOINTS={x.size}\r\n##FIRSTY={values[0]}\r\n"
        "##XYDATA=(X++(Y..Y))\r\n"
    )
    return (head + "\r\n".join(difdup(x, values)) + "\r\n##END=\r\n").encode()


def difdup(x: Array, values: NDArray[np.int64]) -> list[str]:
    """The lines of an (X++(Y..Y)) table in DIFDUP form, with the y-checks that it asks for."""
    lines = []
    at = 0
    while at < values.size:
        line = f"{x[at]:.3f}{_signed(int(values[at]), _SQZ, _SQZ_NEGATIVE)}"
        at += 1
        while at < values.size and len(line) < _LINE:
            step = int(values[at] - values[at - 1])
            same = 1
            while at + same < values.size and values[at + same] - values[at + same - 1] == step:
                same += 1
            line += _signed(step, _DIF, _DIF_NEGATIVE) + (_signed(same, _DUP, _DUP) if same > 1 else "")
            at += same
        lines.append(line)
        if at < values.size:
            at -= 1  # the next line begins with the last ordinate of this one
    return [*lines, f"{x[-1]:.3f}{_signed(int(values[-1]), _SQZ, _SQZ_NEGATIVE)}"]


def _signed(value: int, positive: str, negative: str) -> str:
    digits = str(abs(value))
    return (negative if value < 0 else positive)[int(digits[0])] + digits[1:]


def spc(title: str, x: Array, counts: Array) -> bytes:
    """A Galactic SPC file of even ``x``: Raman shifts, counts as floating-point numbers."""
    head = bytearray(512)
    struct.pack_into("<BBBbiddiBB", head, 0, 0, 0x4B, 11, -128, x.size, float(x[0]), float(x[-1]), 1, 13, 4)
    comment = title.encode("latin-1", "replace")[:129]
    head[88 : 88 + len(comment)] = comment
    return bytes(head) + bytes(32) + counts.astype("<f4").tobytes()
