"""A tiny ONNX model, written byte by byte (protocol buffers, onnx.proto), so that no package is needed to make it.

It sees one thing in every picture, and is the surer the darker the darkest pixel is.
"""

from __future__ import annotations

import struct

FLOAT, INT64 = 1, 7


def _varint(value: int) -> bytes:
    out = b""
    while True:
        out += bytes([value & 127 | (128 if value > 127 else 0)])
        value >>= 7
        if not value:
            return out


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, kind: int, dims: list[int], raw: bytes) -> bytes:
    return b"".join(_number(1, d) for d in dims) + _number(2, kind) + _bytes(8, name) + _bytes(9, raw)


def _value(name: str, kind: int, dims: list[int]) -> bytes:
    shape = b"".join(_bytes(1, _number(1, d)) for d in dims)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, shape)))


def _node(kind: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    return (
        b"".join(_bytes(1, name) for name in inputs)
        + _bytes(2, output)
        + _bytes(4, kind)
        + b"".join(_bytes(5, attribute) for attribute in attributes)
    )


def model(
    boxes: list[tuple[float, float, float, float]], label: int = 0, side: int = 64, outputs: str = "boxes scores labels"
) -> bytes:
    """A model with an input of ``side`` x ``side`` pixels that always gives these boxes."""
    n = len(boxes)
    numbers = [value for box in boxes for value in box]
    keepdims = _bytes(1, "keepdims") + _number(3, 0) + _number(20, 2)
    axes = _bytes(1, "axes") + _number(8, 0) + _number(20, 7)
    nodes = [
        _node("ReduceMin", ["picture"], "darkest", keepdims),
        _node("Unsqueeze", ["darkest"], "one_darkest", axes),
        _node("Sub", ["ones", "one_darkest"], "scores"),
        _node("Identity", ["places"], "boxes"),
        _node("Identity", ["numbers"], "labels"),
    ]
    initializers = [
        _tensor("ones", FLOAT, [n], struct.pack(f"<{n}f", *[1.0] * n)),
        _tensor("places", FLOAT, [n, 4], struct.pack(f"<{4 * n}f", *numbers)),
        _tensor("numbers", INT64, [n], struct.pack(f"<{n}q", *[label] * n)),
    ]
    kinds = {"boxes": (FLOAT, [n, 4]), "scores": (FLOAT, [n]), "labels": (INT64, [n])}
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "tiny")
    graph += b"".join(_bytes(5, each) for each in initializers)
    graph += _bytes(11, _value("picture", FLOAT, [1, 3, side, side]))
    graph += b"".join(_bytes(12, _value(name, *kinds[name])) for name in outputs.split())
    return _number(1, 6) + _bytes(8, _bytes(1, "") + _number(2, 11)) + _bytes(7, graph)
