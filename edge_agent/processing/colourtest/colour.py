"""Colours as numbers: sRGB, CIE XYZ, CIELAB and the CIEDE2000 difference, in NumPy alone.

XYZ are relative to white with Y = 1. All functions work on arrays whose last axis has the three components.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

D65: Final = np.array((0.95047, 1.0, 1.08883))
"""White of the 2 degree observer (IEC 61966-2-1, ASTM E308)."""
D50: Final = np.array((0.96422, 1.0, 0.82521))
"""White of ICC profiles, and of what spectrophotometers for print report (ISO 13655)."""
WHITES: Final = {"D50": D50, "D65": D65}

_XYZ_OF_SRGB: Final = np.array(
    ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
)
_SRGB_OF_XYZ: Final = np.linalg.inv(_XYZ_OF_SRGB)
_BRADFORD: Final = np.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))
_EPSILON: Final = (6 / 29) ** 3
_SLOPE: Final = (29 / 6) ** 2 / 3


def decode_srgb(encoded: ArrayLike) -> Array:
    """Linear light, 0 to 1, of values encoded as IEC 61966-2-1, 0 to 1."""
    v = np.asarray(encoded, np.float64)
    return np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0.04045) + 0.055) / 1.055) ** 2.4)


def encode_srgb(linear: ArrayLike) -> Array:
    """The inverse of ``decode_srgb``; not clipped."""
    v = np.asarray(linear, np.float64)
    return np.where(v <= 0.0031308, v * 12.92, 1.055 * np.maximum(v, 0.0031308) ** (1 / 2.4) - 0.055)


def xyz_of_srgb(linear: ArrayLike) -> Array:
    """XYZ for D65 of linear sRGB."""
    return np.asarray(np.asarray(linear, np.float64) @ _XYZ_OF_SRGB.T, np.float64)


def srgb_of_xyz(xyz: ArrayLike) -> Array:
    """Linear sRGB of XYZ for D65: below 0 or above 1 where sRGB has no such colour."""
    return np.asarray(np.asarray(xyz, np.float64) @ _SRGB_OF_XYZ.T, np.float64)


def lab_of_xyz(xyz: ArrayLike, white: Array = D65) -> Array:
    """CIELAB (ISO/CIE 11664-4)."""
    ratio = np.asarray(xyz, np.float64) / white
    f = np.where(ratio > _EPSILON, np.cbrt(ratio), _SLOPE * ratio + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def xyz_of_lab(lab: ArrayLike, white: Array = D65) -> Array:
    """The inverse of ``lab_of_xyz``."""
    v = np.asarray(lab, np.float64)
    y = (v[..., 0] + 16) / 116
    f = np.stack((y + v[..., 1] / 500, y, y - v[..., 2] / 200), axis=-1)
    return np.asarray(np.where(f > 6 / 29, f**3, (f - 4 / 29) / _SLOPE) * white, np.float64)


def adapt(xyz: ArrayLike, white: Array, to: Array = D65) -> Array:
    """XYZ under another white, by the Bradford transform (ICC.1, annex E)."""
    scale = np.diag((_BRADFORD @ to) / (_BRADFORD @ white))
    matrix = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD
    return np.asarray(np.asarray(xyz, np.float64) @ matrix.T, np.float64)


def ciede2000(one: ArrayLike, other: ArrayLike) -> Array:
    """The difference of CIELAB colours (ISO/CIE 11664-6, all parametric factors 1); broadcasts."""
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    l1, a1, b1 = first[..., 0], first[..., 1], first[..., 2]
    l2, a2, b2 = second[..., 0], second[..., 1], second[..., 2]
    chroma7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(chroma7 / (chroma7 + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    turn = h2 - h1
    turn = np.where(c1 * c2 == 0, 0.0, turn - 360 * (turn > 180) + 360 * (turn < -180))
    delta_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    total = h1 + h2
    far = np.abs(h1 - h2) > 180
    h = np.where(c1 * c2 == 0, total, (total + 360 * far * np.where(total < 360, 1, -1)) / 2)
    t = (
        1
        - 0.17 * np.cos(np.radians(h - 30))
        + 0.24 * np.cos(np.radians(2 * h))
        + 0.32 * np.cos(np.radians(3 * h + 6))
        - 0.20 * np.cos(np.radians(4 * h - 63))
    )
    c, lightness = (c1 + c2) / 2, ((l1 + l2) / 2 - 50) ** 2
    s_l = 1 + 0.015 * lightness / np.sqrt(20 + lightness)
    s_c = 1 + 0.045 * c
    s_h = 1 + 0.015 * c * t
    turned = -np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2)))) * 2 * np.sqrt(c**7 / (c**7 + 25.0**7))
    x, y, z = (l2 - l1) / s_l, (c2 - c1) / s_c, delta_h / s_h
    return np.asarray(np.sqrt(np.maximum(x * x + y * y + z * z + turned * y * z, 0)), np.float64)
