"""Arrays of pixels behind a header, as a layout describes them: read and written."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from drivers.xray.layout import Number, Raw
from edge_agent.processing.xray.scan import Channel, Scan, ScanError, check_size

_CUT: Final = "The file has {} bytes, and its header says {} x {} pixels, which need {}: {}."


def read(data: bytes, raw: Raw, channel: Channel | None) -> Scan:
    """The channel in a raw file, or those in its panels.

    Raises:
        ScanError: the file is cut off, too long, too large, or not laid down like this.
    """
    if len(data) < raw.header_bytes:
        raise ScanError(
            "truncated-raw", f"The file ends within its header of {raw.header_bytes} bytes.", unfinished=True
        )
    if not data.startswith(bytes.fromhex(raw.magic)):
        raise ScanError("bad-header", "The file does not begin as the layout says: it is not one of this scanner's.")
    columns, rows = (_number(data, raw, which) for which in (raw.width, raw.height))
    check_size(rows, columns)
    bits = raw.bits or (_number(data, raw, raw.bit_depth) if raw.bit_depth is not None else 0)
    if bits not in {8, 16}:
        raise ScanError("bad-header", f"The header says {bits} bits for a pixel; there can be 8 or 16.")
    needed = raw.header_bytes + rows * columns * bits // 8
    if len(data) < needed:
        raise ScanError(
            "truncated-raw", _CUT.format(len(data), columns, rows, needed, "it is cut off"), unfinished=True
        )
    if len(data) > needed and raw.trailer == "none":
        raise ScanError("bad-header", _CUT.format(len(data), columns, rows, needed, "the header is another one's"))
    dtype = np.dtype(f"{'<' if raw.byte_order == 'little' else '>'}u{bits // 8}")
    pixels = np.frombuffer(data, dtype, rows * columns, raw.header_bytes).reshape(rows, columns)
    found = _panels(pixels, data, raw) if channel is None else {channel: pixels}
    made = {name: _counts(_upright(array, raw), name) for name, array in found.items()}
    return Scan(**{name.value: array for name, array in made.items()})  # type: ignore[arg-type]  # names of channels


def _number(data: bytes, raw: Raw, number: Number | int) -> int:
    if isinstance(number, int):
        return number
    if number.at + number.bytes > len(data):
        raise ScanError("truncated-raw", "The file ends within its header.", unfinished=True)
    return int.from_bytes(data[number.at : number.at + number.bytes], raw.byte_order)


def _panels(pixels: NDArray[Any], data: bytes, raw: Raw) -> dict[Channel, NDArray[Any]]:
    if raw.panels is None:
        raise ScanError("bad-header", "The layout says neither which channel this file is, nor its panels.")
    kind = _number(data, raw, raw.panels.kind) if raw.panels.kind is not None else None
    arrangements = raw.panels.arrangements
    names = arrangements.get(str(kind)) if kind is not None else next(iter(arrangements.values()))
    if names is None:
        known = ", ".join(arrangements)
        raise ScanError("bad-header", f"The header says arrangement {kind}; the layout knows {known}.")
    if pixels.shape[1] % len(names):
        raise ScanError(
            "bad-header", f"{pixels.shape[1]} columns cannot be {len(names)} panels of the same width: {names}."
        )
    width = pixels.shape[1] // len(names)
    return {Channel(name): pixels[:, i * width : (i + 1) * width] for i, name in enumerate(names)}


def _upright(pixels: NDArray[Any], raw: Raw) -> NDArray[Any]:
    if raw.transpose:
        pixels = pixels.T
    if raw.flip in {"rows", "both"}:
        pixels = pixels[::-1]
    if raw.flip in {"columns", "both"}:
        pixels = pixels[:, ::-1]
    return pixels


def _counts(pixels: NDArray[Any], channel: Channel) -> NDArray[Any]:
    if channel is not Channel.MATERIAL:
        return np.ascontiguousarray(pixels, np.uint16)
    if pixels.dtype.itemsize > 1 and pixels.max(initial=0) > 255:
        raise ScanError("bad-material", "The material map has values over 255, which no layout names.")
    return np.ascontiguousarray(pixels, np.uint8)


def write(channels: dict[Channel, NDArray[Any]], raw: Raw, *, bits: Literal[8, 16] = 16) -> bytes:
    """A raw file, for simulated scanners and tests: of one channel, or of several as panels."""
    flips = {"none": (1, 1), "rows": (-1, 1), "columns": (1, -1), "both": (-1, -1)}[raw.flip]
    turned = [array[:: flips[0], :: flips[1]] for array in channels.values()]
    pixels = np.concatenate([array.T if raw.transpose else array for array in turned], axis=1)
    header = bytearray(raw.header_bytes)
    header[: len(raw.magic) // 2] = bytes.fromhex(raw.magic)
    kind = None
    if raw.panels is not None and raw.panels.kind is not None:
        names = [channel.value for channel in channels]
        kind = next(int(value) for value, those in raw.panels.arrangements.items() if list(those) == names)
    numbers = [(raw.width, pixels.shape[1]), (raw.height, pixels.shape[0]), (raw.bit_depth, bits)]
    numbers += [(raw.panels.kind, kind)] if raw.panels is not None and kind is not None else []
    for place, value in numbers:
        if isinstance(place, Number) and value is not None:
            header[place.at : place.at + place.bytes] = value.to_bytes(place.bytes, raw.byte_order)
    dtype = np.dtype(f"{'<' if raw.byte_order == 'little' else '>'}u{bits // 8}")
    return bytes(header) + np.ascontiguousarray(pixels, dtype).tobytes()
