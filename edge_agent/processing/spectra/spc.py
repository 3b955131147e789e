"""Galactic SPC files: the present form in both byte orders, the old one, and several spectra in one file.

Source: Galactic Industries, Universal Data Format Specification (SPC.H, 1997); the old form as its LabCalc programs
wrote it. Every offset and count is compared with the length of the file before anything is read.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_agent.processing.spectra.spectrum import (
    MAX_NOTE,
    MAX_POINTS,
    MAX_SPECTRA,
    Array,
    Spectrum,
    SpectrumError,
    Technique,
    too_many,
)

_PRESENT_LITTLE: Final = 0x4B
_PRESENT_BIG: Final = 0x4C
_OLD: Final = 0x4D
_HEADER: Final = 512
_OLD_HEADER: Final = 224
_SUBHEADER: Final = 32
_LOG_HEADER: Final = 64
_FLOAT: Final = -128
"""The exponent of ordinates that are floating-point numbers."""
_MAX_LOG: Final = 1 << 16

# ftflgs
_SHORT: Final = 1
_MANY: Final = 4
_OWN_X: Final = 64
_GIVEN_X: Final = 128

_X_UNITS: Final = {
    1: "1/cm", 2: "um", 3: "nm", 4: "s", 5: "min", 6: "hz", 7: "khz", 8: "mhz", 9: "m/z", 10: "ppm", 11: "days",
    12: "years", 13: "1/cm", 14: "ev", 16: "diode", 17: "channel", 18: "degrees", 19: "deg f", 20: "deg c", 21: "k",
    22: "points", 23: "ms", 24: "us", 25: "ns", 26: "ghz", 27: "cm", 28: "m", 29: "mm", 30: "h",
}  # fmt: skip
_Y_UNITS: Final = {
    1: "interferogram", 2: "absorbance", 3: "kubelka-munk", 4: "counts", 5: "v", 6: "degrees", 7: "ma", 8: "mm",
    9: "mv", 10: "log(1/r)", 11: "percent", 12: "intensity", 13: "relative intensity", 14: "energy", 16: "db",
    128: "transmittance", 129: "reflectance", 130: "valley", 131: "emission",
}  # fmt: skip
_RAMAN_SHIFT: Final = 13
_TECHNIQUES: Final = {
    1: Technique.CHROMATOGRAM, 2: Technique.CHROMATOGRAM, 3: Technique.CHROMATOGRAM, 5: Technique.INFRARED,
    7: Technique.UV_VISIBLE, 9: Technique.MASS, 10: Technique.NMR, 11: Technique.RAMAN, 14: Technique.CHROMATOGRAM,
}  # fmt: skip


def is_spc(data: bytes) -> bool:
    """Whether the beginning of a file looks like SPC."""
    if len(data) < 256 or data[1] not in {_PRESENT_LITTLE, _PRESENT_BIG, _OLD}:
        return False
    return b"\0" in data[:_OLD_HEADER]


@dataclass(frozen=True, slots=True)
class _Main:
    flags: int
    order: str
    old: bool
    exponent: int
    points: int
    first: float
    last: float
    spectra: int
    technique: Technique
    x_unit: str
    y_unit: str
    title: str
    remarks: dict[str, str]

    def has(self, flag: int) -> bool:
        return bool(self.flags & flag)


def parse(data: bytes) -> tuple[Spectrum, ...]:
    """All the spectra of an SPC file.

    Raises:
        SpectrumError: see there.
    """
    if not is_spc(data):
        raise SpectrumError("not-a-spectrum", "This is no SPC file.")
    main = _old_header(data) if data[1] == _OLD else _header(data)
    if not 0 < main.points <= MAX_POINTS and not main.has(_OWN_X):
        raise SpectrumError("damaged-spectrum", f"The file says that it has {main.points} points.")
    if not 0 < main.spectra <= MAX_SPECTRA:
        raise SpectrumError("damaged-spectrum", f"The file says that it has {main.spectra} spectra.")
    at = _OLD_HEADER if main.old else _HEADER
    x: Array | None = None
    if main.has(_GIVEN_X) and not main.has(_OWN_X):
        x, at = _floats(data, at, main.points, main.order), at + 4 * main.points
    elif not main.has(_OWN_X):
        x = np.linspace(main.first, main.last, main.points)
    spectra: list[Spectrum] = []
    total = 0
    while len(spectra) < main.spectra:
        if main.old and spectra and at + _SUBHEADER >= len(data):
            break  # the old form does not say how many there are
        spectrum, at = _subfile(data, at, main, x)
        spectra.append(spectrum)
        total += spectrum.x.size
        if total > MAX_POINTS:
            raise too_many()
    return tuple(spectra)


def _subfile(data: bytes, at: int, main: _Main, x: Array | None) -> tuple[Spectrum, int]:
    exponent, points = main.exponent, main.points
    if len(data) < at + _SUBHEADER:
        raise _truncated()
    (own,) = struct.unpack_from("b", data, at + 1)
    (z,) = struct.unpack_from(f"{main.order}f", data, at + 4)
    if main.has(_MANY):
        exponent = own
    if main.has(_OWN_X):
        (points,) = struct.unpack_from(f"{main.order}i", data, at + 16)
        if not 0 <= points <= MAX_POINTS:
            raise SpectrumError("damaged-spectrum", f"A spectrum of the file says that it has {points} points.")
    at += _SUBHEADER
    if main.has(_OWN_X):
        x, at = _floats(data, at, points, main.order), at + 4 * points
    if exponent == _FLOAT:
        y, at = _floats(data, at, points, main.order), at + 4 * points
    else:
        short = main.has(_SHORT)
        y, at = _integers(data, at, points, main, exponent, short=short), at + (2 if short else 4) * points
    if x is None or not np.isfinite(x).all():
        raise SpectrumError("damaged-spectrum", "Some x are no numbers.")
    y[np.isinf(y)] = np.nan
    remarks = main.remarks | ({"z": f"{z:g}"} if main.spectra > 1 and np.isfinite(z) else {})
    return Spectrum(
        x,
        y,
        technique=main.technique,
        x_unit=main.x_unit,
        y_unit=main.y_unit,
        title=main.title,
        peaks=main.technique is Technique.MASS and main.has(_GIVEN_X | _OWN_X),
        remarks=remarks,
    ), at


def _floats(data: bytes, at: int, count: int, order: str) -> Array:
    if len(data) < at + 4 * count:
        raise _truncated()
    return np.frombuffer(data, f"{order}f4", count, at).astype(np.float64)


def _integers(data: bytes, at: int, count: int, main: _Main, exponent: int, *, short: bool) -> Array:
    """Fixed-point numbers: the binary point stands ``exponent`` bits behind the sign."""
    if len(data) < at + (2 if short else 4) * count:
        raise _truncated()
    if short:
        return np.ldexp(np.frombuffer(data, f"{main.order}i2", count, at).astype(np.float64), exponent - 16)
    if main.old:  # in two words, the higher one first
        words = np.frombuffer(data, "<u2", 2 * count, at).reshape(count, 2).astype(np.uint32)
        whole = ((words[:, 0] << 16) | words[:, 1]).astype(np.uint32).view(np.int32)
    else:
        whole = np.frombuffer(data, f"{main.order}i4", count, at)
    return np.ldexp(whole.astype(np.float64), exponent - 32)


def _header(data: bytes) -> _Main:
    if len(data) < _HEADER + _SUBHEADER:
        raise _truncated()
    order = "<" if data[1] == _PRESENT_LITTLE else ">"
    flags, _, experiment, exponent, points, first, last, spectra, x_type, y_type = struct.unpack_from(
        f"{order}BBBbiddiBB", data
    )
    (date,) = struct.unpack_from(f"{order}I", data, 32)
    (log,) = struct.unpack_from(f"{order}i", data, 248)
    labels = _labels(data[218:248]) if flags & 32 else ("", "")
    remarks = _log(data, log, order)
    if date:
        year, month, day, hour, minute = date >> 20, date >> 16 & 15, date >> 11 & 31, date >> 6 & 31, date & 63
        remarks["DATE"] = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}"
    if source := _text(data[45:54]):
        remarks["SOURCE"] = source
    return _Main(
        flags,
        order,
        old=False,
        exponent=exponent,
        points=points,
        first=first,
        last=last,
        spectra=spectra if flags & _MANY else 1,
        technique=_technique(experiment, x_type, y_type),
        x_unit=_X_UNITS.get(x_type, labels[0]),
        y_unit=_Y_UNITS.get(y_type, labels[1]),
        title=_text(data[88:218]),
        remarks=remarks,
    )


def _old_header(data: bytes) -> _Main:
    flags, _, exponent, points, first, last, x_type, y_type = struct.unpack_from("<BBhfffBB", data)
    if not (np.isfinite(points) and np.isfinite(first) and np.isfinite(last)):
        raise SpectrumError("damaged-spectrum", "The head of the file has numbers that are none.")
    labels = _labels(data[194:224]) if flags & 32 else ("", "")
    year, month, day = struct.unpack_from("<HBB", data, 18)
    return _Main(
        flags & ~(_GIVEN_X | _OWN_X),
        "<",
        old=True,
        exponent=exponent if exponent != 0x80 else _FLOAT,
        points=int(points),
        first=first,
        last=last,
        spectra=MAX_SPECTRA if flags & _MANY else 1,
        technique=_technique(0, x_type, y_type),
        x_unit=_X_UNITS.get(x_type, labels[0]),
        y_unit=_Y_UNITS.get(y_type, labels[1]),
        title=_text(data[64:194]),
        remarks={"DATE": f"{_century(year & 0xFFF):04}-{month:02}-{day:02}"} if month else {},
    )


def _century(year: int) -> int:
    return year + 1900 if year < 100 else year


def _technique(experiment: int, x_type: int, y_type: int) -> Technique:
    if x_type == _RAMAN_SHIFT:
        return Technique.RAMAN
    if experiment in _TECHNIQUES:
        return _TECHNIQUES[experiment]
    if x_type == 9:
        return Technique.MASS
    optical = y_type in {2, 3, 10, 11, 128, 129}
    return Technique.INFRARED if x_type == 1 and (optical or experiment == 4) else Technique.OTHER


def _labels(raw: bytes) -> tuple[str, str]:
    parts = [part.decode("latin-1", "replace").strip().lower() for part in raw.split(b"\0")]
    return (parts[0], parts[1]) if len(parts) > 1 else ("", "")


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("latin-1").strip()


_ENTRY: Final = re.compile(r"^([^=\n]{1,64}?)\s*=\s*(.*)$", re.MULTILINE)


def _log(data: bytes, at: int, order: str) -> dict[str, str]:
    """The entries of the log block; whatever is wrong with it concerns nothing else."""
    if not _HEADER <= at <= len(data) - _LOG_HEADER:
        return {}
    size, _, offset = struct.unpack_from(f"{order}III", data, at)
    if not _LOG_HEADER <= offset <= size:
        return {}
    text = data[at + offset : at + min(size, offset + _MAX_LOG)].split(b"\0", 1)[0].decode("latin-1")
    entries = _ENTRY.findall(text.replace("\r", "\n"))[:256]
    return {key.strip().upper(): value.strip()[:MAX_NOTE] for key, value in entries if key.strip()}


def _truncated() -> SpectrumError:
    return SpectrumError("truncated-spectrum", "The file ends before its data do.")
