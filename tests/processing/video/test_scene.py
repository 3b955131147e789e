"""What is seen in made-up scenes at the edges, and in real clips where they are at hand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_agent.processing.video.background import Background
from edge_agent.processing.video.counting import Crossing, ZoneChange, ZoneCount
from edge_agent.processing.video.health import Health
from edge_agent.processing.video.regions import Region
from edge_agent.processing.video.scene import HealthChange, Motion, Scene
from edge_agent.processing.video.tracks import Track, Tracker
from edge_agent.processing.video.zones import Line, Zone, along, contains, raster, side

Grey = NDArray[np.uint8]
CLIPS = Path(__file__).parents[4] / "shared" / "data" / "cctv"
WIDTH, HEIGHT = 320, 180
SQUARE = ((0.4, 0.3), (0.6, 0.3), (0.6, 0.7), (0.4, 0.7))


def ground(seed: int = 3) -> Grey:
    rng = np.random.default_rng(seed)
    small = rng.integers(60, 190, (12, 20), dtype=np.uint8)
    picture = np.asarray(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST), np.uint8)
    return cv2.GaussianBlur(picture, (3, 3), 0).astype(np.uint8)


def noisy(picture: Grey, rng: np.random.Generator, sigma: float = 2.0) -> Grey:
    return np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def box(picture: Grey, x: float, y: float, level: int = 250) -> Grey:
    picture = picture.copy()
    left, top = round(x * WIDTH), round(y * HEIGHT)
    cv2.rectangle(picture, (left - 14, top - 12), (left + 14, top + 12), [level], -1)
    cv2.rectangle(picture, (left - 8, top - 8), (left + 8, top), [20], -1)
    return picture


def play(scene: Scene, places: Iterator[tuple[float, float] | None], fps: float = 10.0) -> list[object]:
    rng = np.random.default_rng(0)
    happened: list[object] = []
    for number, place in enumerate(places):
        picture = ground() if place is None else box(ground(), *place)
        happened += scene.step(noisy(picture, rng), number / fps)
    return happened


def walk(*corners: tuple[float, float], steps: int = 30) -> Iterator[tuple[float, float] | None]:
    yield from [None] * 30
    for (x0, y0), (x1, y1) in pairwise(corners):
        for k in range(steps):
            yield x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps
    yield from [None] * 40


def test_one_who_walks_across_crosses_once_and_is_in_the_zone_once() -> None:
    scene = Scene(zones=[Zone("z", SQUARE)], lines=[Line("l", (0.5, 0.9), (0.5, 0.1))])
    happened = play(scene, walk((0.05, 0.5), (0.95, 0.5), steps=50))
    assert [(h.line, h.direction) for h in happened if isinstance(h, Crossing)] == [("l", "forward")]
    assert [(h.state, h.count) for h in happened if isinstance(h, ZoneChange)] == [("entered", 1), ("left", 0)]
    assert [h.state for h in happened if isinstance(h, Motion)] == ["started", "ended"]


def test_one_who_turns_round_before_the_line_does_not_cross_and_back_is_backward() -> None:
    line = [Line("l", (0.5, 0.9), (0.5, 0.1))]
    happened = play(Scene(lines=line), walk((0.1, 0.5), (0.42, 0.5), (0.1, 0.5)))
    assert not [h for h in happened if isinstance(h, Crossing)]
    happened = play(Scene(lines=line), walk((0.9, 0.5), (0.1, 0.5), steps=50))
    assert [h.direction for h in happened if isinstance(h, Crossing)] == ["backward"]


def test_who_waits_in_a_zone_occupies_it_and_is_still_there_after_a_minute() -> None:
    def waiting() -> Iterator[tuple[float, float] | None]:
        yield from [None] * 15
        yield from ((0.1 + 0.4 * k / 20, 0.45) for k in range(20))
        yield from [(0.5, 0.45)] * 300

    scene = Scene(zones=[Zone("z", SQUARE, occupied_seconds=10)])
    happened = play(scene, waiting(), fps=5)
    assert [h.state for h in happened if isinstance(h, ZoneChange)] == ["entered", "occupied"]
    assert len(scene.counts[0].inside) == 1


def test_what_is_masked_never_happens() -> None:
    everywhere = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    scene = Scene(zones=[Zone("z", SQUARE)], masks=[everywhere])
    happened = play(scene, walk((0.05, 0.5), (0.95, 0.5)))
    assert not [h for h in happened if not isinstance(h, HealthChange)]
    assert scene.background is not None
    assert scene.background.max() == 0


@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_a_change_of_light_is_no_motion(factor: float) -> None:
    rng = np.random.default_rng(0)
    scene = Scene()
    happened: list[object] = []
    for number in range(80):
        bright = factor if number > 40 else 1.0
        happened += scene.step(noisy(np.clip(ground() * bright, 0, 255).astype(np.uint8), rng), number / 5)
    assert happened == []


def test_rain_is_no_object() -> None:
    rng = np.random.default_rng(0)
    scene = Scene()
    happened: list[object] = []
    for number in range(120):
        picture = ground()
        for _ in range(30):
            x, y = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT - 20))
            picture[y : y + int(rng.integers(4, 18)), x] = 235
        happened += scene.step(noisy(picture, rng), number / 5)
    assert [h for h in happened if not isinstance(h, HealthChange)] == []


def test_shadows_do_not_stand_out_and_what_casts_them_does() -> None:
    rng = np.random.default_rng(0)
    model = Background((HEIGHT, WIDTH))
    for number in range(40):
        model.step(noisy(ground(), rng), number / 5)
    picture = ground()
    picture[60:120, 40:100] = (picture[60:120, 40:100] * 0.62).astype(np.uint8)
    picture = box(picture, 0.7, 0.5)
    mask = model.step(noisy(picture, rng), 8.0)
    assert mask[70:110, 50:90].mean() < 0.1
    assert mask[80:100, 212:236].mean() > 0.8


def test_a_trembling_camera_sees_nothing_move() -> None:
    rng = np.random.default_rng(0)
    model = Background((HEIGHT, WIDTH))
    standing_out = []
    for number in range(100):
        dx, dy = round(5 * np.sin(number / 2)), round(3 * np.sin(number / 3))
        mask = model.step(noisy(np.roll(ground(), (dy, dx), (0, 1)), rng), number / 10)
        standing_out.append(mask[10:-10, 10:-10].mean())
    assert np.mean(standing_out[30:]) < 0.01


FAULTS: dict[str, tuple[str, Callable[[Grey, np.random.Generator], Grey]]] = {
    "black": ("dark", lambda f, rng: noisy((f * 0.03).astype(np.uint8), rng, 1)),
    "dazzled": ("dazzled", lambda f, _: np.maximum(f, 250)),
    "covered": ("covered", lambda f, rng: noisy(np.full_like(f, 70), rng)),
    "defocused": ("defocused", lambda f, rng: noisy(cv2.GaussianBlur(f, (0, 0), 3.0).astype(np.uint8), rng, 1)),
    "moved": ("moved", lambda f, _: np.roll(f, (9, 25), (0, 1))),
    "one colour": ("stuck_colour", lambda f, _: np.full_like(f, 118)),
}


def views(name: str) -> list[Grey]:
    """Some seconds of a real clip at 5 pictures a second."""
    film = cv2.VideoCapture(str(CLIPS / name))
    pictures, number = [], 0
    while len(pictures) < 40:
        good, picture = film.read()
        if not good:
            break
        if number % (5 if "highway" in name else 2) == 0:
            pictures.append(cv2.cvtColor(cv2.resize(picture, (480, 360)), cv2.COLOR_BGR2GRAY).astype(np.uint8))
        number += 1
    return pictures


needs_clips = pytest.mark.skipif(not CLIPS.exists(), reason="the shared clips are not here")


@needs_clips
@pytest.mark.parametrize("clip", ["vtest.avi", "highway/highway.avi"])
@pytest.mark.parametrize("fault", FAULTS)
def test_an_injected_fault_is_found_within_ten_seconds(clip: str, fault: str) -> None:
    wanted, spoil = FAULTS[fault]
    pictures, rng, health = views(clip), np.random.default_rng(0), Health()
    found: list[tuple[str, float]] = []
    for number in range(100):
        picture = pictures[number % len(pictures)]
        picture = spoil(picture, rng) if number >= 50 else picture
        found += [(name, number / 5 - 10) for name, began, _ in health.step(picture, number / 5) if began]
    assert found
    assert found[0][0] == wanted
    assert 0 <= found[0][1] <= 10


def looked_at(view: Grey, later: Callable[[Grey], Grey]) -> list[str]:
    """The faults of half a minute in which ``later`` happens to the view after ten seconds."""
    rng, health = np.random.default_rng(0), Health()
    found: list[str] = []
    for number in range(150):
        picture = box(view, number % 50 / 50, 0.5)
        picture = later(picture) if number >= 50 else picture
        found += [name for name, began, _ in health.step(noisy(picture, rng, 1), number / 5) if began]
    return found


VIEW = np.roll(ground(), 6, 1)
"""Its edges lie within the cells of the health's looks."""


def soft(picture: Grey, sigma: float = 3.0) -> Grey:
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.uint8)


def test_a_view_that_never_was_sharp_can_still_lose_its_focus() -> None:
    view = soft(VIEW, 1.5)
    assert looked_at(view, soft) == ["defocused"]
    assert looked_at(view, lambda picture: picture) == []


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_fog_that_takes_contrast_and_dusk_that_takes_light_are_no_loss_of_focus(share: float) -> None:
    assert looked_at(VIEW, lambda picture: (picture * share + 200 * (1 - share)).astype(np.uint8)) == []
    assert looked_at(VIEW, lambda picture: (picture * share).astype(np.uint8)) == []


def test_a_lost_focus_is_found_behind_one_who_fills_two_fifths_of_the_picture() -> None:
    def behind(picture: Grey) -> Grey:
        picture = soft(picture)
        picture[:, : WIDTH * 2 // 5] = 240
        return picture

    assert looked_at(VIEW, behind) == ["defocused"]


@needs_clips
@pytest.mark.parametrize("clock", [False, True])
def test_a_frozen_picture_is_found_even_if_its_clock_runs_on(clock: bool) -> None:
    pictures, health = views("vtest.avi"), Health()
    found: list[tuple[str, float]] = []
    for number in range(100):
        picture = pictures[min(number, 30)].copy()
        if clock:
            cv2.putText(picture, f"12:00:{number // 5:02d}", (10, 20), 0, 0.5, [255], 1)
        found += [(name, number / 5 - 6) for name, began, _ in health.step(picture, number / 5) if began]
    assert [name for name, _ in found] == ["frozen"]
    assert 0 <= found[0][1] <= 10


@needs_clips
def test_a_clean_clip_with_changing_light_raises_no_alarm() -> None:
    pictures, health = views("vtest.avi"), Health()
    for number in range(600):
        there = number % (2 * len(pictures) - 2)
        picture = pictures[min(there, 2 * len(pictures) - 2 - there)]
        light = 1 + 0.35 * np.sin(number / 150)
        assert health.step(np.clip(picture * light, 0, 255).astype(np.uint8), number / 5) == []


@needs_clips
@pytest.mark.slow
@pytest.mark.parametrize("every", [1, 2])
def test_people_who_cross_the_line_of_vtest_are_counted(every: int) -> None:
    truth = json.loads((CLIPS / "vtest_line_zone_gt.json").read_text())
    scene = Scene(
        lines=[Line("line", (0.5, 200 / 576), (0.5, 500 / 576))],
        zones=[Zone("zone", tuple((x / 768, y / 576) for x, y in truth["zone"]))],
        smallest=0.0008,
    )
    film = cv2.VideoCapture(str(CLIPS / "vtest.avi"))
    found, off = [], []
    for number in range(795):
        _, picture = film.read()
        if number % every:
            continue
        grey = cv2.cvtColor(cv2.resize(picture, (480, 360), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
        happened = scene.step(grey.astype(np.uint8), number / 10)
        found += [(number + 1, h.direction) for h in happened if isinstance(h, Crossing)]
        off.append(abs(len(scene.counts[0].inside) - truth["occupancy"].get(str(number + 1), 0)))
    wanted = [(frame, "forward" if way == "R2L" else "backward") for frame, _, way, _ in truth["crossings"]]
    hits = 0
    for frame, way in found:
        near = [w for w in wanted if w[1] == way and abs(w[0] - frame) <= 15]
        hits += bool(near)
        if near:
            wanted.remove(min(near, key=lambda w: abs(w[0] - frame)))
    assert hits / len(found) >= 0.93
    assert hits / 28 >= 0.93
    assert np.mean(off) <= 0.5


@pytest.mark.parametrize("rate", [5.0, 10.0])
@pytest.mark.parametrize("begin", [0.0, 0.7, 1e3 / 3, 1.7e5])
def test_zones_take_as_long_as_is_set_whatever_the_rounding_of_the_times(rate: float, begin: float) -> None:
    """At 5 pictures a second the second picture inside is 0.2 s after the first, give or take a rounding."""
    count = ZoneCount(Zone("z", SQUARE, enter_seconds=0.2, leave_seconds=0.2))
    turned: dict[str, int] = {}
    pictures = round(rate) * [(0.1, 0.4)] + round(rate) * [(0.5, 0.4)] + round(rate) * [(0.9, 0.4)]
    for number, (x, y) in enumerate(pictures):
        track = Track(1, x, y, 0.05, 0.1, begin, begin)
        changes = count.step([track], begin + number / rate)
        if changes:
            turned[changes[0].state] = number % round(rate)
    expected = math.ceil(0.2 * rate - 0.5)
    assert turned == {"entered": expected, "left": expected}


def test_who_is_seen_once_in_a_zone_has_not_entered_however_few_pictures_there_are() -> None:
    count = ZoneCount(Zone("z", SQUARE, enter_seconds=0.2))
    for number, x in enumerate((0.1, 0.1, 0.5, 0.9, 0.9)):
        assert count.step([Track(1, x, 0.4, 0.05, 0.1, 0, 0)], number * 2.0) == []


def person(x: float, width: float = 0.05) -> Region:
    return Region(x - width / 2, 0.4, x + width / 2, 0.6, width * 0.2)


def followed(tracker: Tracker, pictures: Sequence[Sequence[Region]], begin: float) -> float:
    for number, found in enumerate(pictures):
        tracker.step(found, begin + number / 5)
    return begin + len(pictures) / 5


def test_one_of_a_group_who_steps_out_of_it_is_no_new_one() -> None:
    tracker = Tracker()
    time = followed(tracker, [[person(0.3 + 0.01 * k), person(0.5 - 0.01 * k)] for k in range(8)], 0)
    time = followed(tracker, [[person(0.4, 0.06)]] * 3, time)
    followed(tracker, [[person(0.405), person(0.435)]] * 2, time)
    assert sorted(track.number for track in tracker.tracks) == [1, 2]
    assert sorted(track.x for track in tracker.tracks) == pytest.approx([0.405, 0.435])


def test_all_who_do_not_fit_into_a_region_are_given_up_together() -> None:
    tracker = Tracker()
    time = followed(
        tracker, [[person(x + side * 0.01 * k) for x, side in ((0.3, 1), (0.4, 0), (0.5, -1))] for k in range(8)], 0
    )
    assert len(tracker.tracks) == 3
    followed(tracker, [[person(0.4)]] * 8, time)
    assert len(tracker.tracks) == 1


def test_zones_and_lines() -> None:
    assert contains(SQUARE, (0.5, 0.5))
    assert not contains(SQUARE, (0.7, 0.5))
    assert raster([SQUARE], (10, 10)).sum() == pytest.approx(8, abs=8)
    up = Line("l", (0.5, 1.0), (0.5, 0.0))
    assert side(up, (0.6, 0.5)) > 0 > side(up, (0.4, 0.5))
    assert along(up, (0.9, 0.25)) == pytest.approx(0.75)
