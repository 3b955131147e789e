"""Whether a camera still shows what it is there to show.

A few times a second the picture is compared with the one before and with a reference, which follows slowly while all is
well: where structure was, there it should be, as sharp as it was. A lorry in front of the camera leaves some of it; a
hand over the lens, a turned camera or a loose focus leave none.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.video import kernels

Fault = Literal["no_signal", "frozen", "dark", "dazzled", "covered", "defocused", "moved", "stuck_colour"]
Floats = NDArray[np.float32]

LOOK_SECONDS: Final = 0.75
"""Least time between two looks."""
LEARN_LOOKS: Final = 6
"""Looks at the start that make the reference."""
FOLLOW_SECONDS: Final = 120.0
"""Time in which the reference follows."""
DARK: Final = 22.0
"""Level below which nothing is seen, and range of levels in a dark picture."""
BRIGHT: Final = 240.0
DAZZLED: Final = 0.5
"""Share of the picture that is white."""
FLAT: Final = 3.0
"""Standard deviation of the levels of a picture that shows nothing."""
NOISELESS: Final = 1.0
"""Root mean square of the differences in it: a hand over the lens still shows the noise of the sensor."""
STRUCTURED: Final = 25.0
"""Mean squared difference of pixels four apart in a cell that shows something."""
FAINT: Final = 3000.0
"""Power of the edges in a place that shows something."""
FEWEST: Final = 6
"""Places that are taken for structured in any picture."""
LOST: Final = 0.6
"""Share of the structure that is gone from a covered camera."""
BLURRED: Final = 0.5
"""Sharpness, of that of the reference, below which the camera is out of focus."""
SEEN: Final = 0.3
"""Contrast between places, of that of the reference, from which it is still the same view."""
SAME: Final = 0.5
"""Correlation of a place's edges with those of the reference from which it still shows the same."""
ELSEWHERE: Final = 0.3
"""Share of the structured places that may still show the same when the camera was moved."""
ALIKE: Final = 0.8
"""Correlation of the levels with those of the reference, over the whole picture, from which it is the same view."""
STILL: Final = 0.85
"""... and from which on it has surely not been moved."""
EMPTIER: Final = 0.55
"""Structure, of that of the reference, below which a picture that shows something else is that of a covered camera."""
PLAINER: Final = 0.75
"""The same where most of the structure is gone from its places."""
CLEARER: Final = 0.12
"""Gain in correlation from which a shift of the picture explains it."""
CLOCK: Final = 0.06
"""Share of the picture that may go on moving in a frozen one: a clock laid over it."""
COLOUR: Final = 22.0
"""Shift of the mean colour, in levels of U or V."""
_VIEW: Final[frozenset[Fault]] = frozenset({"covered", "defocused", "moved"})
_LOOKS: Final = 12
_QUIET: Final = 15.0
_PATCH: Final = 8
_WIDTH: Final = 160


@dataclass(slots=True)
class _Reference:
    """What the camera shows when it is well, as running averages."""

    level: Floats
    coarse: Floats
    fine: Floats
    change: Floats
    edges: Floats
    colour: Floats | None
    looks: list[tuple[Floats, ...]] = field(default_factory=list)
    """The first ones, until there are enough to learn from."""


@dataclass(slots=True)
class _Watch:
    """Since when a fault has been seen, or has not been seen any more."""

    since: float | None = None
    gone: float | None = None
    reported: bool = False


@dataclass(slots=True)
class Health:
    """State of one camera's health; ``step`` takes its pictures in order.

    ``hold_seconds`` is how long a fault must be seen, ``clear_seconds`` how long it must be gone, ``moved`` the share
    of the picture's width by which a moved camera is off, ``ignored`` what is not looked for.
    """

    hold_seconds: float = 4.0
    clear_seconds: float = 4.0
    moved: float = 0.02
    ignored: Collection[Fault] = ()
    figures: dict[str, float] = field(default_factory=dict)
    _reference: _Reference | None = None
    _before: NDArray[np.uint8] | None = None
    _looked: float = -math.inf
    _watches: dict[Fault, _Watch] = field(default_factory=dict)
    _still_since: float | None = None
    _moving: NDArray[np.bool_] | None = None
    _quietest: float = 0.0
    _names: list[Fault] = field(default_factory=list)

    def step(
        self,
        grey: NDArray[np.uint8],
        time: float,
        chroma: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None,
    ) -> list[tuple[Fault, bool, float]]:
        """Look at a picture, shape (h, w), with the planes U and V if it has any.

        Returns:
            The faults that began (true) or ended (false), with how long they were seen so far, in seconds.

        """
        if time - self._looked < LOOK_SECONDS:
            return []
        self._looked = time
        if self._before is None or self._before.shape != grey.shape:
            self._before, self._reference = grey.copy(), None
        cells = np.empty((grey.shape[0] // 16, grey.shape[1] // 16, 4), np.int32)
        kernels.texture(grey, self._before, cells)
        np.copyto(self._before, grey)
        seen = self._examine(cells.astype(np.float32), grey, chroma, time)
        return self._report(self._settled(seen) - set(self.ignored), time)

    def lost(self, time: float) -> list[tuple[Fault, bool, float]]:
        """No picture came; ``time`` is now."""
        seen: set[Fault] = {"no_signal"}
        return self._report(seen - set(self.ignored), time)

    def _examine(
        self,
        cells: Floats,
        grey: NDArray[np.uint8],
        chroma: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None,
        time: float,
    ) -> set[Fault]:
        level = cells[..., 0] / np.float32(256)
        coarse, fine = cells[..., 2] / np.float32(192), cells[..., 1] / np.float32(240)
        edges = _edges(grey)
        colour = None
        if chroma is not None:
            colour = np.array([plane[::8, ::8].mean() for plane in chroma], np.float32)
        reference = self._reference
        if reference is None:
            self._reference = _Reference(level, coarse, fine, cells[..., 3] * 0, edges, colour)
            self._reference.looks.append((level, coarse, fine, cells[..., 3] * 0, edges))
            return self._alone(level, coarse, 0.0)
        white = float((reference.level > BRIGHT).mean())
        seen = self._alone(level, coarse, white)
        if not reference.looks:
            if self._frozen(cells[..., 3], reference.change, time):
                seen.add("frozen")
            if not seen & {"dark", "dazzled", "stuck_colour"}:
                seen |= self._compare(level, coarse, fine, edges, reference)
            if (
                colour is not None
                and reference.colour is not None
                and float(np.abs(colour - reference.colour).max()) > COLOUR
            ):
                seen.add("stuck_colour")
        if not seen - {"frozen"}:
            _follow(reference, (level, coarse, fine, cells[..., 3], edges), colour)
        return seen

    def _alone(self, level: Floats, coarse: Floats, white_before: float) -> set[Fault]:
        """Faults that a picture shows by itself."""
        low, high = float(level.min()), float(level.max())
        white = float((level > BRIGHT).mean())
        self.figures |= {"level": float(level.mean()), "white": white, "structure": float(coarse.mean())}
        if float((level < DARK).mean()) > 0.97 and float(np.percentile(level, 98)) - low < DARK * 0.7:
            return {"dark"}
        if white >= DAZZLED and white > white_before + 0.25:
            return {"dazzled"}
        if high - low < 2 * FLAT and float(level.std()) < FLAT and float(np.sqrt(coarse.mean())) < NOISELESS:
            return {"stuck_colour"}
        return set()

    def _compare(self, level: Floats, coarse: Floats, fine: Floats, edges: Floats, reference: _Reference) -> set[Fault]:
        """Faults that show against the reference."""
        structured = reference.coarse > STRUCTURED
        if structured.sum() < FEWEST:
            structured = reference.coarse >= np.sort(reference.coarse, axis=None)[-FEWEST]
        gain = min(max(float(np.median(level / np.maximum(reference.level, 4))), 0.6), 2.0)
        lost = float((coarse < 0.2 * gain**2 * reference.coarse)[structured].mean())
        alike = _correlation(level, reference.level)
        contrast = _contrast(level, reference.level)
        sharp = _sharpness(fine, coarse, reference, structured) / max(contrast, SEEN) ** 2
        same = _same(edges, reference.edges)
        self.figures |= {"lost": lost, "sharpness": sharp, "same": same, "alike": alike, "contrast": contrast}
        left = float(coarse.mean() / max(float(reference.coarse.mean()), 1.0))
        self.figures |= {"left": left}
        if same < STILL:
            off, clearer, best = _shift(reference.edges, edges)
            self.figures |= {"shift": off, "clearer": clearer}
            if off > self.moved and clearer > CLEARER and best > SAME:
                return {"moved"}
        if contrast >= SEEN and sharp < BLURRED:
            return {"defocused"}
        gone = same < ELSEWHERE
        if alike < ALIKE and ((lost >= LOST and left < PLAINER) or (gone and left < EMPTIER)):
            return {"covered"}
        if gone and left >= EMPTIER and (lost >= LOST or _rich(reference.edges)):
            return {"moved"}
        return set()

    def _frozen(self, change: Floats, usual: Floats, time: float) -> bool:
        """Whether nothing has changed for too long, but for a small place that always does."""
        moving = change > np.clip(0.3 * usual, _QUIET / 4, 4 * _QUIET)
        union = moving if self._moving is None else self._moving | moving
        if self._still_since is None or float(union.mean()) > CLOCK:
            if self._still_since is not None:
                spell = time - self._still_since
                if spell < self._patience():
                    self._quietest = max(self._quietest, spell)
            quiet = float(moving.mean()) <= CLOCK
            self._still_since, self._moving = (time, moving) if quiet else (None, None)
            self.figures["still_seconds"] = 0.0
            return False
        self._moving = union
        self.figures["still_seconds"] = time - self._still_since
        return time - self._still_since > self._patience() - self.hold_seconds

    def _patience(self) -> float:
        """Seconds without change that are too many: more where quiet spells are usual."""
        return max(self.hold_seconds + 2.0, 2.0 * self._quietest)

    def _settled(self, seen: set[Fault]) -> set[Fault]:
        """One name for a view that is gone, while it is gone: what it was called most often of late."""
        view = seen & _VIEW
        if not view:
            self._names.clear()
            return seen
        self._names = [*self._names, *view][-_LOOKS:]
        reported = [fault for fault in _VIEW if fault in self._watches and self._watches[fault].reported]
        name = reported[0] if reported else max(sorted(set(self._names)), key=self._names.count)
        for fault in _VIEW - {name}:
            if fault in self._watches:
                self._watches[name] = self._watches.pop(fault)
        return (seen - _VIEW) | {name}

    def _report(self, seen: set[Fault], time: float) -> list[tuple[Fault, bool, float]]:
        changes: list[tuple[Fault, bool, float]] = []
        for fault in seen:
            watch = self._watches.setdefault(fault, _Watch())
            watch.since = time if watch.since is None else watch.since
            watch.gone = None
            if not watch.reported and time - watch.since >= self.hold_seconds:
                watch.reported = True
                changes.append((fault, True, time - watch.since))
        for fault, watch in list(self._watches.items()):
            if fault in seen:
                continue
            watch.gone = time if watch.gone is None else watch.gone
            patience = self.clear_seconds if watch.reported else min(self.clear_seconds, 1.0)
            if time - watch.gone >= patience:
                del self._watches[fault]
                if watch.reported and watch.since is not None:
                    changes.append((fault, False, watch.gone - watch.since))
        return changes


def _edges(grey: NDArray[np.uint8]) -> Floats:
    """Strength of the edges in a picture scaled down, by a whole number, to ``_WIDTH`` columns or somewhat more.

    Rows and columns that do not fill a patch are left out.
    """
    step = max(grey.shape[1] // _WIDTH, 1)
    rows, columns = (size // step // _PATCH * _PATCH for size in grey.shape)
    part = grey[: rows * step, : columns * step]
    small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    edges = np.zeros_like(small)
    edges[:, 1:-1] = np.abs(small[:, 2:] - small[:, :-2])
    edges[1:-1] += np.abs(small[2:] - small[:-2])
    return np.minimum(edges, 80.0, out=edges)


def _blocks(values: Floats) -> Floats:
    """Sums over patches."""
    size = values.shape[1] // _PATCH, values.shape[0] // _PATCH
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32) * np.float32(_PATCH**2)


def _same(edges: Floats, before: Floats) -> float:
    """Share of the places with structure in the reference, by its strength, that still show the same edges."""
    count = _PATCH**2
    one, other = _blocks(edges), _blocks(before)
    cross = _blocks(edges * before) - one * other / count
    power = _blocks(edges**2) - one**2 / count
    power_before = _blocks(before**2) - other**2 / count
    strong = np.sort(power_before, axis=None)
    least = min(max(float(strong[int(0.6 * strong.size)]), FAINT), float(strong[-FEWEST]))
    weight = np.sqrt(np.where(power_before >= least, power_before, 0))
    correlation = cross / np.sqrt(np.maximum(power * power_before, 1.0))
    return float(weight[correlation > SAME].sum() / max(float(weight.sum()), 1e-6))


def _rich(edges: Floats) -> bool:
    """Whether enough places show something for its absence to mean anything."""
    power = _blocks(edges**2) - _blocks(edges) ** 2 / _PATCH**2
    return int((power >= FAINT).sum()) > 4 * FEWEST


def _contrast(level: Floats, before: Floats) -> float:
    """Contrast between places two cells apart, of that which was there: 0 where nothing of the view is left.

    It is the median over the places that differed most, so that what passes does not count. Fog and dusk lower it; a
    loose focus, which blurs less than a cell, hardly does.
    """
    now, then = (
        np.concatenate([(each[2:] - each[:-2]).ravel(), (each[:, 2:] - each[:, :-2]).ravel()])
        for each in (level, before)
    )
    strength = np.abs(then)
    strong = strength >= max(float(np.percentile(strength, 60)), 0.5)
    return float(np.median(now[strong] / then[strong])) if strong.any() else 0.0


def _sharpness(fine: Floats, coarse: Floats, reference: _Reference, structured: NDArray[np.bool_]) -> float:
    """Energy of differences between pixels, of that of the reference, without what noise has of both.

    A loose focus takes away most between neighbours and less between pixels four apart, but some of both: it is the
    greater one of the two shares that is left, so that an encoder that smooths does not look like one.
    """
    noise, usual = np.percentile(fine, 5), np.percentile(reference.fine, 5)
    return max(
        float(np.median(np.maximum(now[structured] - noise, 0) / np.maximum(then[structured] - usual, 1)))
        for now, then in ((fine, reference.fine), (coarse, reference.coarse))
    )


def _shift(before: Floats, edges: Floats) -> tuple[float, float, float]:
    """By which share of its width the picture has moved, how much better it then correlates, and how well."""
    y, x = edges.shape[0] // 6, edges.shape[1] // 6
    scores = cv2.matchTemplate(before, edges[y:-y, x:-x], cv2.TM_CCOEFF_NORMED)
    _, best, _, at = cv2.minMaxLoc(scores)
    return math.hypot(at[0] - x, at[1] - y) / edges.shape[1], best - float(scores[y, x]), best


def _correlation(one: Floats, other: Floats) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))


def _follow(reference: _Reference, now: tuple[Floats, ...], colour: Floats | None) -> None:
    """Take a good look into the reference: in small steps, so that what passes by leaves no trace."""
    kept = (reference.level, reference.coarse, reference.fine, reference.change, reference.edges)
    if reference.looks:
        reference.looks.append(now)
        for average, values in zip(kept, zip(*reference.looks, strict=True), strict=True):
            np.copyto(average, np.median(values, axis=0))
        if len(reference.looks) == LEARN_LOOKS:
            reference.looks.clear()
        return
    share = np.float32(LOOK_SECONDS / FOLLOW_SECONDS)
    for average, value in zip(kept, now, strict=True):
        most = np.maximum(average * np.float32(0.15), np.float32(1.0))
        np.add(average, share * np.clip(value - average, -most, most), out=average)
    if reference.colour is not None and colour is not None:
        reference.colour += share * (colour - reference.colour)
