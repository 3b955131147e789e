"""Curves as an SVG picture, without a plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

_WIDE: Final = 360
_HIGH: Final = 220
_EDGE: Final = 40
_COLOURS: Final = ("#0b6e4f", "#c8553d", "#5b5f97", "#f28f3b")


def chart(axes: Mapping[str, Sequence[float]], curves: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """One panel per axis, one line per name: ``curves[name][axis]`` holds shares from 0 to 1 at ``axes[axis]``."""
    parts = [_panel(i, axis, levels, curves) for i, (axis, levels) in enumerate(axes.items())]
    style = 'font-family="sans-serif" font-size="11"'
    size = f'width="{_WIDE * len(axes)}" height="{_HIGH + 20}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{"".join(parts)}</svg>'


def _panel(index: int, axis: str, levels: Sequence[float], curves: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    left, right, top, base = index * _WIDE + _EDGE, (index + 1) * _WIDE - 15, 30, _HIGH - 25
    xs = [left + (right - left) * i / max(len(levels) - 1, 1) for i in range(len(levels))]
    parts = [f'<text x="{left}" y="18">{escape(axis)}</text>']
    for share in (0, 0.5, 1):
        y = base - (base - top) * share
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 5}" y="{y + 4}" text-anchor="end">{share:.0%}</text>')
    parts += [
        f'<text x="{x:.1f}" y="{base + 15}" text-anchor="middle">{level:g}</text>'
        for x, level in zip(xs, levels, strict=True)
    ]
    for k, (name, shares) in enumerate(curves.items()):
        points = " ".join(f"{x:.1f},{base - (base - top) * y:.1f}" for x, y in zip(xs, shares[axis], strict=True))
        colour = _COLOURS[k % len(_COLOURS)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{left + 90 * k}" y="{_HIGH + 10}" fill="{colour}">{escape(name)}</text>')
    return "".join(parts)
