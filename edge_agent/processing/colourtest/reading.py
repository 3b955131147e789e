"""The colour of a test in a picture, measured by its reference card, or why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.colourtest.card import BLANK, NEUTRALS, SAMPLE, Rectangle, nominal_labs, paper, patches
from edge_agent.processing.colourtest.colour import Array, ciede2000, xyz_of_lab
from edge_agent.processing.colourtest.correct import (
    COVERAGE,
    Curve,
    Field,
    Matrix,
    fit_curve,
    fit_field,
    fit_matrix,
)
from edge_agent.processing.colourtest.locate import Located, Pixels, flatten, locate
from edge_agent.processing.colourtest.sample import look, look_into, white_level

MIN_RESOLUTION: Final = 3.0
"""Pixels for a millimetre."""
MAX_MISFIT: Final = 1.0
"""Millimetres."""
MAX_RMS: Final = 5.0
"""CIEDE2000 of the coloured patches, each predicted from the others. Daylight and white LEDs have 1 to 2, bulbs and old
tubes up to 4, high-pressure sodium lamps 5 to 10."""
_DARKEST_PAPER: Final = 0.04
_MAX_FIELD_MISFIT: Final = 0.06
_MAX_UNEVENNESS: Final = 1.2
_MAX_TINT: Final = 0.25
_MAX_CLIPPED: Final = 0.03
_LOST: Final = 0.2
"""Part of pixels cut off at black from which a channel says only that it is no brighter."""
_DEEPEST: Final = 0.12
"""How far below zero a cut-off channel may have been, relative to white: the table's colours go down to about half."""
_TABLE_DEVIATION: Final = 0.8
"""Of the table itself, whose notations are steps of a colour atlas matched by eye; CIEDE2000, one axis."""
_UNMEASURED_DEVIATION: Final = 0.8
"""Added where nobody measured the print; what its errors do to the fit comes on top by itself."""
_MAX_PATCHINESS: Final = 6.0
"""CIEDE2000 between parts of one liquid."""
_MAX_LEFT_OUT: Final = 0.35
_GLARING: Final = 0.5
_ROUNDS: Final = 3
_LIQUID: Final = (0.6, 0.3)
"""Part of the width and the height of an ampoule's place that is looked at."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What the card says of light, print and camera."""

    located: Located
    bits: int
    unevenness: float | None = None
    median: float | None = None
    p95: float | None = None


class Refused(Exception):  # noqa: N818  (what happened, in the words of the trade)
    """A picture whose colours cannot be trusted: ``code`` for programs, the message says what to do about it.

    Codes: no_card, card_too_small, card_bent, too_bright, too_dark, shadow, uneven_light, mixed_light, glare,
    light_unfit, not_uniform.
    """

    def __init__(self, code: str, message: str, quality: Quality | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.quality = quality


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of a liquid. ``lab`` is CIELAB for D65, shape (3,); ``deviation`` that of one axis, in CIEDE2000.

    ``candidates``, shape (n, 3), are what it may have been where a channel of the picture is cut off; else ``lab``.
    """

    lab: Array
    candidates: Array
    deviation: float
    bits: int
    cut_off: bool

    @property
    def radius(self) -> float:
        """CIEDE2000 within which the true colour lies in 99 of 100 readings."""
        return COVERAGE * self.deviation


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A picture whose card was found, and by which its colours can be measured."""

    flat: Pixels
    white: int
    linear: bool
    level: float
    field: Field
    curve: Curve
    matrix: Matrix
    quality: Quality
    measured: bool

    def colour(self, place: Rectangle) -> Colour:
        """The colour of a liquid in its place.

        Raises:
            Refused: glare or not_uniform.
        """
        middle = liquid(place)
        seen = look_into(self.flat, middle, white=self.white, linear=self.linear)
        if seen.whole.high.max() > _GLARING:
            raise Refused("glare", _GLARE, self.quality)
        light = self.light(seen.whole.rgb, middle)
        lost = (seen.whole.low > _LOST) & (self.quality.bits == 8)
        lab, parts = self.matrix.lab(light), self.matrix.lab(self.light(seen.parts, middle))
        patchiness = float(np.percentile(ciede2000(parts, np.median(parts, axis=0)), 75))
        if patchiness > _MAX_PATCHINESS or seen.whole.left_out > _MAX_LEFT_OUT:
            raise Refused(
                "not_uniform",
                "The liquid has not one colour but several: wait until it has settled, and put the layer that is "
                "asked for into the middle of the frame.",
                self.quality,
            )
        squares = (
            self.matrix.deviation(light) ** 2
            + (patchiness / 2) ** 2
            + _TABLE_DEVIATION**2
            + (0 if self.measured else _UNMEASURED_DEVIATION**2)
        )
        return Colour(lab, self._candidates(light, lost), float(np.sqrt(squares)), self.quality.bits, bool(lost.any()))

    def light(self, rgb: Array, place: Rectangle) -> Array:
        """Light of a place, shape (..., 3), in linear light and relative to the paper in the middle of the card."""
        return np.asarray(self.curve.undo(rgb / self.level) / self.field.at(place), np.float64)

    def _candidates(self, light: Array, lost: NDArray[np.bool_]) -> Array:
        if not lost.any():
            return self.matrix.lab(light)[None]
        depths = np.linspace(0, -_DEEPEST, 7)
        colours = np.repeat(light[None], len(depths), axis=0)
        colours[:, lost] += depths[:, None]
        real = np.asarray((colours @ self.matrix.values.T > 0).all(axis=1), np.bool_)
        real[0] = True
        return self.matrix.lab(colours[real])


def calibrate(image: Pixels, references: Mapping[str, Array] | None = None) -> Calibrated:
    """Find the card in a picture and fit the light, the camera and the print.

    Args:
        image: BGR, shape (height, width, 3), uint8 or uint16.
        references: CIELAB for D65 of the printed colours by name, as measured; None for their nominal ones.

    Raises:
        Refused: the picture cannot be used, and why.
    """
    bits = 8 if image.dtype == np.uint8 else 16
    located = locate(image)
    if located is None:
        raise Refused(
            "no_card",
            "The reference card was not found: lay it flat, uncover its four black corner marks, and take it all into "
            "a sharp picture.",
        )
    quality = Quality(located, bits)
    if located.resolution < MIN_RESOLUTION:
        raise Refused("card_too_small", "The card is too small in the picture: go nearer.", quality)
    if located.misfit > MAX_MISFIT:
        raise Refused("card_bent", "The card is not flat: lay it on something even, or print a new one.", quality)
    flat = flatten(image, located)
    white = white_level(image)
    best: Calibrated | None = None
    refused: Refused | None = None
    for linear in (False, True) if bits == 16 else (False,):  # the file does not say; the neutrals do
        try:
            fitted = _fit(flat, white, linear, quality, references)
        except Refused as error:
            refused = refused or error
            continue
        if best is None or fitted.matrix.rms < best.matrix.rms:
            best = fitted
    if best is None:
        assert refused is not None
        raise refused
    return best


def _fit(
    flat: Pixels, white: int, linear: bool, quality: Quality, references: Mapping[str, Array] | None
) -> Calibrated:
    papers = [look(flat, place, white=white, linear=linear) for place in paper()]
    if np.mean([seen.high.max() > _MAX_CLIPPED for seen in papers]) > 0.1:
        raise Refused("too_bright", "The white paper is cut off: lower the exposure, or shade the lamp.", quality)
    level = float(np.mean([seen.rgb for seen in papers]))
    if level < _DARKEST_PAPER and quality.bits == 8:
        raise Refused("too_dark", "The picture is too dark: give more light, or expose it longer.", quality)
    seen = [look(flat, patch.place.inner(0.7), white=white, linear=linear) for patch in patches()]
    if max(float(each.high.max()) for each in seen) > _MAX_CLIPPED:
        raise Refused("glare", _GLARE, quality)
    labs = nominal_labs() if references is None else references
    targets = np.array([labs[patch.name] for patch in patches()])
    names = tuple(patch.name for patch in patches())
    neutral = np.array([name in NEUTRALS for name in names])
    greys = xyz_of_lab(targets[neutral])[:, 1:2]
    rgb, white_rgb = np.array([each.rgb for each in seen]) / level, np.array([each.rgb for each in papers]) / level
    curve = Curve(np.zeros(3))
    for _ in range(_ROUNDS):  # the light is seen through the curve, and the curve in the light
        field = fit_field(paper(), curve.undo(white_rgb))
        light = np.array([field.at(patch.place) for patch in patches()])
        curve = fit_curve(rgb[neutral], greys * light[neutral])
    _check_light(field, quality)
    even = curve.undo(rgb) / light
    usable = np.array([each.low.max() < 0.05 for each in seen]) | neutral
    matrix = fit_matrix(
        even[usable],
        targets[usable],
        tuple(name for name, use in zip(names, usable, strict=True) if use),
    )
    found = matrix.residuals
    quality = Quality(
        quality.located, quality.bits, field.unevenness, float(np.median(found)), float(np.percentile(found, 95))
    )
    if not matrix.rms <= MAX_RMS:
        raise Refused(
            "light_unfit",
            "The card's colours do not come out right in this light: use daylight, a bulb or a white LED (no sodium "
            "lamp), keep reflections off the card, and see that the card is the one that was measured.",
            quality,
        )
    return Calibrated(flat, white, linear, level, field, curve, matrix, quality, references is not None)


def _check_light(field: Field, quality: Quality) -> None:
    if field.misfit > _MAX_FIELD_MISFIT:
        raise Refused(
            "shadow",
            "There is a shadow or a reflection on the card: move the lamp, or what stands in its way.",
            quality,
        )
    if field.unevenness > _MAX_UNEVENNESS:
        raise Refused("uneven_light", "One side of the card has much more light: take the lamp farther away.", quality)
    if field.tint > _MAX_TINT:
        raise Refused("mixed_light", "Two kinds of light fall on the card: switch one off, or shade it.", quality)


_GLARE: Final = "There is a reflection on the card or the ampoule: tilt the card, or move the lamp to the side."


def liquid(place: Rectangle) -> Rectangle:
    """The middle of an ampoule in its place, which is looked at."""
    width, height = place.width * _LIQUID[0], place.height * _LIQUID[1]
    return Rectangle(place.x + (place.width - width) / 2, place.y + (place.height - height) / 2, width, height)


@dataclass(frozen=True, slots=True)
class TestReading:
    """Both colours of a test: of the sample, and of the blank if it could be seen."""

    sample: Colour
    blank: Colour | None
    quality: Quality
    measured: bool


def read_test(image: Pixels, references: Mapping[str, Array] | None = None) -> TestReading:
    """Measure a test in a picture.

    Raises:
        Refused: the picture cannot be used, and why.
    """
    fitted = calibrate(image, references)
    sample = fitted.colour(SAMPLE)
    try:
        blank = fitted.colour(BLANK)
    except Refused:
        blank = None
    return TestReading(sample, blank, fitted.quality, fitted.measured)
