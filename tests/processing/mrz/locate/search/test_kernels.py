"""The kernels of the search against plain references."""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.processing.mrz.locate.search import kernels

Floats = NDArray[np.float64]


def picture(seed: int, shape: tuple[int, int] = (70, 110)) -> tuple[NDArray[np.float32], ...]:
    """Ink with some slanted bars in it, smoothed, and its structure tensor at half the size."""
    rng = np.random.default_rng(seed)
    sharp = rng.uniform(0, 20, shape).astype(np.float32)
    for _ in range(5):
        x, y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
        end = (int(x + rng.uniform(-80, 80)), int(y + rng.uniform(-30, 30)))
        cv2.line(sharp, (int(x), int(y)), end, [float(rng.uniform(60, 160))], 2)
    ink = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 1.1), np.float32)
    coarse = cv2.resize(ink, (shape[1] // 2, shape[0] // 2), interpolation=cv2.INTER_AREA)
    dx, dy = cv2.Sobel(coarse, cv2.CV_32F, 1, 0), cv2.Sobel(coarse, cv2.CV_32F, 0, 1)
    tensor = (np.asarray(cv2.GaussianBlur(p, (0, 0), 1.5), np.float32) for p in (dx * dx, dy * dy, dx * dy))
    return sharp, ink, *tensor


def reference_ridges(
    ink: NDArray[np.float32], xx: Floats, yy: Floats, xy: Floats, floor: float, contrast: float
) -> NDArray[np.complex128]:
    h, w = ink.shape
    rows, columns = np.indices((h, w))
    half = (np.minimum(rows // 2, xx.shape[0] - 1), np.minimum(columns // 2, xx.shape[1] - 1))
    a, b, c = xx[half].astype(float), yy[half].astype(float), xy[half].astype(float)
    coherent = np.hypot(a - b, 2 * c)
    normal = 0.5 * np.arctan2(2 * c, a - b)

    def at(step: int, beyond: float = np.nan) -> Floats:
        y, x = np.rint(rows + step * np.sin(normal)).astype(int), np.rint(columns + step * np.cos(normal)).astype(int)
        clamped = ink[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)].astype(float)
        return clamped if np.isnan(beyond) else np.where((y >= 0) & (y < h) & (x >= 0) & (x < w), clamped, beyond)

    on = (ink > floor) & (coherent > 0.25 * (a + b)) & (at(1) <= ink) & (at(-1) <= ink)
    for side in (-1, 1):
        on &= np.min([at(side * step, 0.0) for step in range(2, 8)], axis=0) * contrast <= ink
    return np.where(on, np.exp(2j * (normal + np.pi / 2)), 0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(70, 110), (71, 33)])
def test_ridges(seed: int, shape: tuple[int, int]) -> None:
    _, ink, xx, yy, xy = picture(seed, shape)
    found = kernels.ridges(ink, xx, yy, xy, 12.0, 1.35)
    wanted = reference_ridges(ink, xx, yy, xy, 12.0, 1.35)
    assert (wanted != 0).sum() > 30
    # A direction on the edge between two pixels may be rounded to either.
    assert ((found != 0) != (wanted != 0)).sum() <= 0.002 * ink.size
    both = (found != 0) & (wanted != 0)
    assert np.abs(found[both] - wanted[both]).max() < 2e-3


def reference_grow(
    direction: NDArray[np.complex64],
    ink: NDArray[np.float32],
    sharp: NDArray[np.float32],
    tolerance: float,
    least: float,
) -> list[Floats]:
    free = {(int(y), int(x)) for y, x in np.argwhere(direction)}
    out = []
    for seed in sorted(free):
        if seed not in free:
            continue
        free.remove(seed)
        members = [seed]
        mean = complex(direction[seed])
        for y, x in members:
            for near in itertools.product(range(y - 2, y + 3), range(x - 2, x + 3)):
                if near in free and abs(np.angle(direction[near] / mean)) <= 2 * tolerance:
                    free.remove(near)
                    members.append(near)
                    mean += complex(direction[near])
        points = np.array(members)[:, ::-1].astype(float)
        weight = ink[tuple(np.array(members).T)].astype(float)
        centre = np.average(points, axis=0, weights=weight)
        covariance = np.cov(points.T, aweights=weight, bias=True) if len(points) > 1 else np.zeros((2, 2))
        along = np.linalg.eigh(covariance)[1][:, 1]
        reach = (points - centre) @ along
        if len(points) < least * 0.5 or np.ptp(reach) < least:
            continue
        limits = np.array(sharp.shape[::-1]) - 1
        before, behind = (np.clip(np.rint(points + side * 1.5 * along), 0, limits).astype(int) for side in (-1, 1))
        change = np.abs(sharp[behind[:, 1], behind[:, 0]] - sharp[before[:, 1], before[:, 0]]).sum()
        ends = centre + along * np.array([[reach.min()], [reach.max()]])
        there = sharp[tuple(np.array(members).T)].sum()
        out.append(np.array([*ends.ravel(), weight.mean(), len(points), np.ptp(reach), change / there]))
    return out


@pytest.mark.parametrize("seed", range(5))
def test_grow(seed: int) -> None:
    sharp, ink, xx, yy, xy = picture(seed)
    direction = kernels.ridges(ink, xx, yy, xy, 12.0, 1.35)
    found = kernels.grow(direction, ink, sharp, math.radians(15), 8.0)
    wanted = reference_grow(direction, ink, sharp, math.radians(15), 8.0)
    assert len(found) == len(wanted) > 0
    for segment, truth in zip(found, wanted, strict=True):
        ends = truth[:4].reshape(2, 2)
        assert min(np.abs(segment[:4].reshape(2, 2) - way).max() for way in (ends, ends[::-1])) < 0.01
        assert segment[4:7] == pytest.approx(truth[4:7], rel=1e-3)
        assert segment[7] == pytest.approx(truth[7], rel=0.2)  # half pixels are rounded either way


def test_more_segments_than_there_was_room_for() -> None:
    direction = np.zeros((1200, 60), np.complex64)
    direction[::4, 5:55] = 1
    ink = np.ones((1200, 60), np.float32)
    assert len(kernels.grow(direction, ink, ink, 0.2, 10.0)) == 300


def segment(x0: float, y0: float, x1: float, y1: float, ink: float = 10.0) -> list[float]:
    length = math.hypot(x1 - x0, y1 - y0)
    return [x0, y0, x1, y1, ink, length, length, 1.0]


def reference_join(segments: NDArray[np.float32], gap: float) -> list[tuple[set[int], Floats]]:
    """Members and end points of each line, from complex numbers."""
    ends = segments[:, [0, 2]].astype(float) + 1j * segments[:, [1, 3]]
    weight = segments[:, 4] * segments[:, 6] * np.minimum(segments[:, 7] / 0.8, 1) ** 2
    order = [int(i) for i in np.argsort(-weight)]
    lines: list[tuple[set[int], Floats]] = []
    taken: set[int] = set()
    for seed in order:
        if seed in taken:
            continue
        origin, along = ends[seed].mean(), np.diff(ends[seed])[0]
        z = (ends - origin) / (along / abs(along))
        z = np.where((z[:, :1].real > z[:, 1:].real), z[:, ::-1], z)
        members, fit = [seed], np.poly1d([0.0, 0.0])
        grown = True
        while grown:
            grown = False
            for i in order:
                low, high = z[members].real.min(), z[members].real.max()
                a, b = z[i].real
                if i in taken or i in members or a > high + gap or b < low - gap:
                    continue
                off = np.abs(z[i].imag - fit(z[i].real)).max()
                if off > 1.5 + 0.03 * max(b - high, low - a, 0) or min(high, b) - max(low, a) > 0.5 * (b - a):
                    continue
                members.append(i)
                weights = np.sqrt(np.repeat(segments[members, 6].astype(float), 2))
                fit = np.poly1d(np.polyfit(z[members].real.ravel(), z[members].imag.ravel(), 1, w=weights))
                grown = True
        taken |= set(members)
        reach = np.array([z[members].real.min(), z[members].real.max()])
        lines.append((set(members), origin + (reach + 1j * fit(reach)) * along / abs(along)))
    return lines


@pytest.mark.parametrize("seed", range(8))
def test_join(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, np.pi)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    pieces = []
    for row, _ in itertools.product(range(4), range(5)):
        x, length = rng.uniform(0, 200), rng.uniform(10, 50)
        y = 15 * row + rng.uniform(-1, 1)
        ends = np.array([(x, y), (x + length, y + rng.uniform(-1, 1))]) @ rotation
        pieces.append(segment(*ends.ravel(), ink=rng.uniform(5, 20)))
    segments = np.array(pieces, np.float32)
    found = kernels.join(segments, 25.0)
    wanted = reference_join(segments, 25.0)
    assert len(found) == len(wanted)
    for line, (members, ends) in zip(found, wanted, strict=True):
        assert line[:4] == pytest.approx([ends[0].real, ends[0].imag, ends[1].real, ends[1].imag], abs=0.05)
        assert line[4] == pytest.approx(segments[list(members), 6].sum(), rel=1e-5)
        assert line[5] == pytest.approx((segments[list(members), 4] * segments[list(members), 6]).sum(), rel=1e-5)


def test_a_line_is_not_continued_over_a_gap_or_at_another_height() -> None:
    segments = np.array([segment(0, 0, 60, 0), segment(70, 0, 100, 0), segment(130, 0, 150, 0), segment(0, 5, 40, 5)])
    joined = kernels.join(segments.astype(np.float32), 25.0)
    assert joined[:, 4] == pytest.approx([90, 40, 20])


def reference_stack(lines: Floats, seeds: int, closest: float, farthest: float, shared: float) -> set[frozenset[int]]:
    def beside(a: int, b: int) -> tuple[float, float]:
        return tuple(kernels.abreast.py_func(lines, a, b))

    out = set()
    for a, b in itertools.permutations(range(len(lines)), 2):
        step, common = beside(a, b)
        if a >= seeds or common < shared or not closest < abs(step) < farthest:
            continue
        out.add(frozenset((a, b)))
        for c in set(range(len(lines))) - {a, b}:
            other, common = beside(a, c)
            if common >= shared and min(abs(other - 2 * step), abs(other + step)) < 0.2 * abs(step):
                out.add(frozenset((a, b, c)))
    return out


@pytest.mark.parametrize("seed", range(6))
def test_stack(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = np.array([segment(0, y, 100, y)[:6] for y in rng.permutation(7) * 8.0])
    found = kernels.stack(lines, 4, 3.5, 15.0, 0.3)
    stacks = [frozenset(int(i) for i in stack if i >= 0) for stack in found]
    assert len(set(stacks)) == len(stacks)  # each is taken once
    assert set(stacks) == reference_stack(lines, 4, 3.5, 15.0, 0.3)
    for stack in found:
        heights = lines[stack[stack >= 0], 1]
        assert (np.diff(heights) > 0).all() or (np.diff(heights) < 0).all()


def test_lines_are_abreast_if_they_share_most_of_their_length() -> None:
    lines = np.array(
        [segment(*ends)[:6] for ends in [(0, 0, 100, 0), (90, 8, 20, 8), (110, 8, 200, 8), (50, 0, 50, 90)]]
    )
    assert kernels.abreast(lines, 0, 1) == pytest.approx((8.0, 0.7))
    assert kernels.abreast(lines, 0, 2) == (0, 0)
    assert kernels.abreast(lines, 0, 3) == (0, 0)


def reference_cut(lines: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float, float]:
    ends = lines[:, :4].reshape(-1, 2, 2)
    longest = ends[np.argmax(np.hypot(*(ends[:, 1] - ends[:, 0]).T))]
    along = (longest[1] - longest[0]) / np.hypot(*(longest[1] - longest[0]))
    across = np.array((-along[1], along[0]))
    x, y = (ends - longest[0]) @ along, (ends - longest[0]) @ across
    abreast = np.array([x.min(), x.max()])
    seen = np.minimum(lines[:, 4] / np.ptp(abreast), 1.0)
    slope = np.diff(y)[:, 0] / np.diff(x)[:, 0]
    slope = seen * slope + (1 - seen) * np.average(slope, weights=seen)
    at = y.mean(axis=1, keepdims=True) + slope[:, None] * (abreast - x.mean(axis=1, keepdims=True))
    if (at[-1] - at[0]).sum() < 0:  # a strip is turned, never mirrored
        at, step = at[::-1], at[0] - at[-1]
    else:
        step = at[-1] - at[0]
    corners = longest[0] + abreast[:, None] * along + at[..., None] * across
    return corners, float(np.ptp(abreast)), *(step / (len(lines) - 1))


@pytest.mark.parametrize("seed", range(10))
def test_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angle, step = rng.uniform(0, 2 * np.pi), rng.choice([-9.0, 9.0])
    turn = np.array(((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
    lines = []
    for i in range(2 + seed % 2):
        begin, end = rng.uniform(0, 40), rng.uniform(80, 160)
        ends = (np.array(((begin, i * step), (end, i * step))) + rng.normal(0, 0.7, (2, 2))) @ turn
        lines.append([*ends.ravel(), rng.uniform(0.4, 1) * (end - begin), 50.0])
    found = kernels.cut(np.array(lines))
    for value, expected in zip(found, reference_cut(np.array(lines)), strict=True):
        assert value == pytest.approx(expected)
    assert found[2] > 0
    assert found[3] > 0
