"""Pictures of a colour test on its reference card, from the colours of its parts in linear light."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import av
import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge_agent.processing.colourtest.card import (
    BLANK,
    DICTIONARY,
    MARKER_SIZE,
    MARKERS,
    SAMPLE,
    SIZE,
    Rectangle,
    nominal_labs,
    patches,
)
from edge_agent.processing.colourtest.colour import Array, encode_srgb, srgb_of_xyz, xyz_of_lab

Light = NDArray[np.float32]
"""Linear light, R, G, B, shape (height, width, 3); white paper near 1."""

_SCALE: Final = 10.0
"""Pixels for a millimetre of the card before it is photographed."""
_TUBE: Final = 18.0
"""Width in millimetres of what is seen of an ampoule."""
_INK: Final = 0.04


@dataclass(frozen=True, slots=True)
class Shot:
    """How a picture is taken. ``turn`` and ``tilt`` in degrees; ``fill`` is the card's part of the picture's width.

    ``gradient`` is how much darker the far side is; ``noise`` the deviation of white, relative; ``exposure`` the level
    of the white paper; ``shadow`` darkens part of the card, ``glare`` brightens a spot, both 0 for none.
    """

    width: int = 1600
    height: int = 1200
    turn: float = 0.0
    tilt: float = 0.0
    fill: float = 0.8
    gradient: float = 0.1
    noise: float = 0.01
    exposure: float = 0.75
    blur: float = 0.6
    shadow: float = 0.0
    glare: float = 0.0
    shiny: bool = True


def lay_out(colours: Mapping[str, ArrayLike], sample: ArrayLike, blank: ArrayLike, *, shiny: bool = True) -> Light:
    """The card seen straight from above, with both ampoules; colours in linear light, shape (3,).

    ``colours`` are those of the printed references by name, and of ``paper``.
    """
    paper = np.asarray(colours["paper"], np.float32)
    card = np.empty((round(SIZE[1] * _SCALE), round(SIZE[0] * _SCALE), 3), np.float32)
    card[:] = paper
    for patch in patches():
        card[_slices(patch.place)] = colours[patch.name]
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    for number, (x, y) in MARKERS.items():
        marker = cv2.aruco.generateImageMarker(dictionary, number, round(MARKER_SIZE * _SCALE))
        card[_slices(Rectangle(x, y, MARKER_SIZE, MARKER_SIZE))] = np.where(
            marker[..., None] > 127, paper, _INK * paper
        )
    for place, liquid in ((SAMPLE, sample), (BLANK, blank)):
        _ampoule(card, place, np.asarray(liquid, np.float32), paper, shiny=shiny)
    return card


def photograph_card(card: Light, rng: np.random.Generator, shot: Shot) -> Light:
    """What falls on the sensor: the card on a desk, turned and at an angle, unevenly lit, blurred, noisy."""
    matrix = _view(shot)
    picture = np.empty((shot.height, shot.width, 3), np.float32)
    picture[:] = rng.uniform(0.05, 0.5, size=3) * card[0, 0]
    cv2.warpPerspective(
        card, matrix, (shot.width, shot.height), picture, cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT
    )
    y, x = np.mgrid[-0.5 : 0.5 : shot.height * 1j, -0.5 : 0.5 : shot.width * 1j].astype(np.float32)
    direction = rng.uniform(0, 2 * math.pi)
    light = 1 - shot.gradient * (x * math.cos(direction) + y * math.sin(direction) + 0.6 * (x * x + y * y))
    if shot.shadow:
        light *= 1 - shot.shadow / (1 + np.exp(-np.clip((x + 0.6 * y - 0.05) * 60, -30, 30)))
    picture *= (light * shot.exposure)[..., None]
    if shot.glare:
        spot = np.exp(-((x + 0.05) ** 2 + (y - 0.02) ** 2) / 0.08**2)
        picture += (shot.glare * spot)[..., None]
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), shot.blur), np.float32)
    grain = rng.standard_normal(picture.shape, np.float32)
    picture += grain * shot.noise * np.sqrt(np.maximum(picture, 0.01))
    return picture


def identity(light: Array) -> Array:
    """A camera without any tone curve of its own."""
    return light


def develop(light: Light, curve: Callable[[Array], Array] = identity) -> NDArray[np.uint8]:
    """An 8-bit picture as sRGB, BGR, after the camera's tone curve; what is outside sRGB is cut off."""
    encoded = encode_srgb(np.clip(curve(np.clip(light, 0, 1).astype(np.float64)), 0, 1))
    return np.asarray(np.round(encoded[..., ::-1] * 255), np.uint8)


def develop_raw(light: Light) -> NDArray[np.uint16]:
    """A 16-bit picture in linear light, BGR, as raw converters write it."""
    return np.asarray(np.round(np.clip(light[..., ::-1], 0, 1) * 65535), np.uint16)


def jpeg(image: NDArray[np.uint8], quality: int = 92) -> bytes:
    """The picture as a JPEG."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def plain_colours(cast: ArrayLike = (1.0, 1.0, 1.0)) -> dict[str, Array]:
    """The nominal card in linear sRGB under a light of a plain cast."""
    colours = {name: srgb_of_xyz(xyz_of_lab(lab)) for name, lab in nominal_labs().items()}
    return {name: rgb * np.asarray(cast) for name, rgb in (colours | {"paper": np.ones(3)}).items()}


def plain_liquid(lab: ArrayLike, cast: ArrayLike = (1.0, 1.0, 1.0)) -> Array:
    """A liquid of this CIELAB colour (D65) in linear sRGB under a light of a plain cast; below 0 outside sRGB."""
    return np.asarray(srgb_of_xyz(xyz_of_lab(lab)) * np.asarray(cast), np.float64)


def _slices(place: Rectangle) -> tuple[slice, slice]:
    top, left = round(place.y * _SCALE), round(place.x * _SCALE)
    return slice(top, top + round(place.height * _SCALE)), slice(left, left + round(place.width * _SCALE))


def _ampoule(card: Light, place: Rectangle, liquid: Any, paper: Any, *, shiny: bool) -> None:
    """A tube across its place: the liquid, darker towards the edges, with a reflection along it."""
    rows, columns = _slices(Rectangle(place.x + 2, place.y + (place.height - _TUBE) / 2, place.width - 4, _TUBE))
    across = np.linspace(-1, 1, rows.stop - rows.start)[:, None, None]
    tube = np.broadcast_to(liquid, (*across.shape[:2], 3)) * np.ones((1, columns.stop - columns.start, 1))
    if shiny:
        tube = tube * (1 - 0.35 * np.clip(np.abs(across) - 0.6, 0, 1))
        tube = tube + 0.9 * paper * np.exp(-(((across + 0.45) / 0.06) ** 2))
    card[rows, columns] = tube


def _view(shot: Shot) -> NDArray[np.float64]:
    """From pixels of the card to those of the picture."""
    centre = np.array((SIZE[0] / 2, SIZE[1] / 2))
    corners = np.array(((0, 0), (SIZE[0], 0), SIZE, (0, SIZE[1]))) - centre
    angle, tilt = math.radians(shot.turn), math.radians(shot.tilt)
    turned = corners @ np.array(((math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))))
    distance = 2.2 * SIZE[0]
    depth = distance + turned[:, 1] * math.sin(tilt)
    seen = np.stack((turned[:, 0], turned[:, 1] * math.cos(tilt)), axis=1) * (distance / depth)[:, None]
    extent = np.ptp(seen, axis=0)
    scale = shot.fill * min(shot.width / extent[0], shot.height / extent[1])
    middle = (seen.max(axis=0) + seen.min(axis=0)) / 2
    target = (seen - middle) * scale + np.array((shot.width / 2, shot.height / 2))
    source = (corners + centre) * _SCALE
    return np.asarray(cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32)), np.float64)


def tiff(image: NDArray[Any]) -> bytes:
    """The picture as a TIFF of its own depth."""
    return cv2.imencode(".tiff", image)[1].tobytes()


def reaction_film(
    rng: np.random.Generator,
    *,
    first: ArrayLike = (94.0, 0.0, 3.0),
    between: ArrayLike = (60.98, 44.26, 46.47),
    final: ArrayLike = (30.21, 48.05, -2.71),
    seconds: float = 140.0,
    every: float = 2.0,
    drop: float = 12.0,
    half_life: float = 8.0,
    width: int = 1280,
    height: int = 960,
) -> bytes:
    """A film (AVI) of an ampoule into which a drop falls, with a picture ``every`` so many seconds of its own time.

    Colours are CIELAB for D65: ``first`` that of the reagent, ``between`` where it jumps to, ``final`` where it goes.
    """
    colours, blank = plain_colours(), plain_liquid(first)
    start, jump, end = (np.asarray(each, np.float64) for each in (first, between, final))
    shot = Shot(width=width, height=height, turn=float(rng.uniform(-10, 10)), tilt=8, noise=0.006)
    file = io.BytesIO()
    with av.open(file, "w", format="avi") as film:
        stream = film.add_stream("mjpeg", rate=1 / Fraction(every), options={"qmin": "1", "qmax": "3"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj444p"
        for number in range(int(seconds / every)):
            since = number * every - drop
            lab = start if since < 0 else end + (jump - end) * 0.5 ** (since / half_life)
            light = photograph_card(lay_out(colours, plain_liquid(lab), blank), rng, shot)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(develop(light), format="bgr24")))
        film.mux(stream.encode())
    return file.getvalue()
