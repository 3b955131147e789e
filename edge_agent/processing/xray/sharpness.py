"""How sharp an edge is: the modulation transfer function."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mtf50(part: Floats) -> float | None:
    """Spatial frequency (1/pixel) at which an edge keeps half of its contrast, by the slanted edge of ISO 12233.

    Args:
        part: counts, shape (rows, columns), with one edge that runs from top to bottom, a few degrees off.

    Returns:
        None where there is no such edge.
    """
    if min(part.shape) < 20:
        return None
    calm = cv2.blur(part, (3, 9))
    left, right = (float(np.median(calm[:, side])) for side in (slice(None, 4), slice(-4, None)))
    noise = 1.4826 * float(np.median(np.abs(part[:, :4] - np.median(part[:, :4], axis=0))))
    if abs(right - left) < 8 * noise:
        return None
    above = (calm - (left + right) / 2) * np.sign(right - left) > 0
    at = np.argmax(above, axis=1)
    rows = np.flatnonzero((at > 4) & (at < part.shape[1] - 4))
    if len(rows) < 12:
        return None
    before, after = calm[rows, at[rows] - 1], calm[rows, at[rows]]
    crossing = at[rows] - (after - (left + right) / 2) / (after - before)
    slope, offset = np.polyfit(rows, crossing, 1)
    if np.std(crossing - slope * rows - offset) > 1:
        return None
    rows = np.arange(len(part))
    distance = (np.arange(part.shape[1])[None, :] - (offset + slope * rows)[:, None]).ravel()
    fine = 4 if abs(slope) * len(rows) > 1 else 1
    bins = np.round(distance * fine).astype(int)
    reach = min(-bins.min(), bins.max(), 6 * fine)
    if reach < 4 * fine:
        return None
    inside = np.abs(bins) <= reach
    count = np.bincount(bins[inside] + reach, minlength=2 * reach + 1)
    total = np.bincount(bins[inside] + reach, part.ravel()[inside], minlength=2 * reach + 1)
    if (count == 0).any():
        return None
    line = np.diff(total / count)
    line = line * np.hanning(len(line) + 2)[1:-1]
    spectrum = np.abs(np.fft.rfft(line, 8 * len(line)))
    spectrum /= max(float(spectrum[0]), 1e-9)
    below = np.flatnonzero(spectrum < 0.5)
    if not len(below):
        return float(fine / 2)
    k = int(below[0])
    share = (spectrum[k - 1] - 0.5) / (spectrum[k - 1] - spectrum[k])
    return float((k - 1 + share) / (8 * len(line)) * fine)
