"""The report of one measurement of a test piece: one HTML file with its pictures in it, for a wall or a folder."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.events.xray import Figure, XrayQuality
from edge_agent.processing.images import encode

_LABEL: Final = {"ok": "ok", "drifting": "drifting", "outside": "OUTSIDE", "unknown": "no limit"}
_COLOURS: Final = {"ok": "#1a7f37", "drifting": "#b35900", "outside": "#c00000", "unknown": "#666"}
_WIDTH, _HEIGHT = 160, 30
_STYLE: Final = """
body { font: 15px/1.4 sans-serif; max-width: 1100px; margin: 2em auto; color: #111; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: 3px 10px 3px 0; }
tr { border-bottom: 1px solid #ddd; } img { max-width: 100%; border: 1px solid #ccc; }
td.number { text-align: right; font-variant-numeric: tabular-nums; } .note { color: #555; font-size: 13px; }
"""


def report(
    device: str,
    quality: XrayQuality,
    history: Sequence[XrayQuality],
    view: NDArray[np.uint8],
    places: Sequence[tuple[str, int, int, int, int]],
    remarks: Sequence[str],
) -> bytes:
    """A page with the verdict, the scan with the places that were looked at, and every figure with its history.

    Args:
        device: its name.
        quality: the measurement.
        history: the earlier ones, the oldest first.
        view: the scan, R G B.
        places: name, left, top, width and height of each part, in pixels.
        remarks: what else is to be said, as why a calibration was refused.
    """
    picture = base64.b64encode(encode(_marked(view, places), ".png")).decode()
    rows = "".join(_row(figure, history, quality) for figure in quality.figures)
    said = "".join(f"<p>{escape(remark)}</p>" for remark in remarks)
    title = f"X-ray scanner {device}: {_LABEL[quality.verdict]}"
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>
<style>{_STYLE}</style>
<h1 style="color:{_COLOURS[quality.verdict]}">{escape(title)}</h1>
<p>Measured {quality.measured:%Y-%m-%d %H:%M} UTC with the {escape(quality.fixture)};
{len(history)} earlier ones are kept.
Limits are the site's own. Figures are measured by the program: they are no certificate by ASTM F792 or IEC 62523.</p>
{said}
<table><tr><th>Figure<th>Value<th>Limits<th>Before<th>Per month<th>History<th>State</tr>{rows}</table>
<h2>Where it was measured</h2><img alt="scan of the test piece" src="data:image/png;base64,{picture}">
</html>
""".encode()


def _marked(view: NDArray[np.uint8], places: Sequence[tuple[str, int, int, int, int]]) -> NDArray[np.uint8]:
    picture = np.ascontiguousarray(view[..., ::-1])
    for name, left, top, width, height in places:
        cv2.rectangle(picture, (left, top), (left + width, top + height), (0, 0, 200), 1)
        at = (left, max(top - 3, 10))
        plain = name.encode("ascii", "replace").decode()
        cv2.putText(picture, plain, at, cv2.FONT_HERSHEY_SIMPLEX, 0.35, (0, 0, 200), 1, cv2.LINE_AA)
    return picture


def _row(figure: Figure, history: Sequence[XrayQuality], now: XrayQuality) -> str:
    limits = " to ".join("" if limit is None else f"{limit:g}" for limit in (figure.least, figure.most))
    points = [
        (each.measured.timestamp(), old.value)
        for each in (*history, now)
        if each.fixture == now.fixture
        for old in each.figures
        if old.name == figure.name and old.value is not None
    ]
    cells = [
        f"<td>{escape(figure.name.replace('_', ' '))}<div class=note>{escape(figure.note)}</div>",
        f"<td class=number>{_number(figure.value)} {escape(figure.unit)}",
        f"<td class=number>{limits if figure.least is not None or figure.most is not None else ''}",
        f"<td class=number>{_number(figure.before)}",
        f"<td class=number>{_number(figure.per_month)}",
        f"<td>{_line(points, figure)}",
        f'<td style="color:{_COLOURS[figure.state]}">{_LABEL[figure.state]}',
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _line(points: Sequence[tuple[float, float]], figure: Figure) -> str:
    """The history as a small curve, with the limits dashed."""
    if len(points) < 2:
        return ""
    limits = [limit for limit in (figure.least, figure.most) if limit is not None]
    start, end = points[0][0], max(points[-1][0], points[0][0] + 1)
    values = [value for _, value in points] + limits
    low, high = min(values), max(values)
    span = high - low or 1.0

    def y(value: float) -> float:
        return 2 + (_HEIGHT - 4) * (1 - (value - low) / span)

    curve = " ".join(f"{_WIDTH * (when - start) / (end - start):.1f},{y(value):.1f}" for when, value in points)
    dashes = "".join(
        f'<line x1="0" x2="{_WIDTH}" y1="{y(limit):.1f}" y2="{y(limit):.1f}" stroke="#c00000" stroke-dasharray="3"/>'
        for limit in limits
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}"><polyline points="{curve}" fill="none" stroke="#1f4e9c"/>'
        f"{dashes}</svg>"
    )
