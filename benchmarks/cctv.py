"""The video pass: quality against ground truth, cost against OpenCV, streams against the clock; all in one run.

python -m benchmarks.cctv --clips FOLDER    FOLDER as ../shared/data/cctv: vtest.avi, highway/, ...
python -m benchmarks.cctv --cdnet FOLDER    other clips of CDnet 2014: a video or input/, groundtruth/, temporalROI.txt

Everything runs on one thread; put it on one core with ``taskset -c 0`` (not the eight streams, meant for two).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.video import kernels
from edge_agent.processing.video.background import Background
from edge_agent.processing.video.counting import Crossing
from edge_agent.processing.video.health import Health
from edge_agent.processing.video.scene import Scene, warm
from edge_agent.processing.video.zones import Line, Zone

Grey = NDArray[np.uint8]
Subtract = Callable[[Grey, NDArray[np.uint8], float], Grey]
"""From grey and colour picture and the time to what moves."""

STREAMS: Final = 8
STREAM_SECONDS: Final = 15.0
STREAM_RATE: Final = 15


def pictures(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """The pictures of a video, or of a CDnet folder, BGR."""
    if folder.is_dir() and (folder / "input").is_dir():
        for path in sorted((folder / "input").glob("*.jpg")):
            yield np.asarray(cv2.imread(str(path)), np.uint8)
        return
    video = next((path for path in sorted(folder.glob("*.*")) if path.suffix in {".avi", ".mp4"}), folder)
    film = cv2.VideoCapture(str(video))
    while True:
        good, picture = film.read()
        if not good:
            return
        yield np.asarray(picture, np.uint8)


def grey_of(picture: NDArray[np.uint8], size: tuple[int, int] | None = None) -> Grey:
    """Grey levels, scaled to (width, height)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return np.asarray(grey if size is None else cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def subtractors() -> dict[str, tuple[Callable[[], Subtract], int]]:
    """Ours and OpenCV's, by name, with the median that is applied to their masks."""

    def ours() -> Subtract:
        models: list[Background] = []

        def step(grey: Grey, _: NDArray[np.uint8], time: float) -> Grey:
            if not models:
                models.append(Background((grey.shape[0], grey.shape[1])))
            return models[0].step(grey, time)

        return step

    def theirs(make: Callable[[], cv2.BackgroundSubtractor]) -> Callable[[], Subtract]:
        def begin() -> Subtract:
            model = make()
            return lambda _grey, colour, _time: (np.asarray(model.apply(colour)) == 255).astype(np.uint8)

        return begin

    return {
        "ours, grey": (ours, 0),
        "MOG2, colour": (theirs(cv2.createBackgroundSubtractorMOG2), 0),
        "MOG2, colour, median 5": (theirs(cv2.createBackgroundSubtractorMOG2), 5),
        "KNN, colour, median 5": (theirs(cv2.createBackgroundSubtractorKNN), 5),
    }


def cdnet(folder: Path, rate: float = 25.0) -> None:
    """Precision, recall and F as CDnet counts them: 85 and 170 do not count, shadows (50) are background."""
    first, last = map(int, (folder / "temporalROI.txt").read_text().split())
    truths = sorted((folder / "groundtruth").glob("*.png"))
    frames = list(pictures(folder))
    missing = max(len(truths) - len(frames), 0)  # a video made of the pictures may lack the first
    roi = cv2.imread(str(folder / "ROI.bmp"), cv2.IMREAD_GRAYSCALE)
    for name, (make, median) in subtractors().items():
        subtract, hit, false, missed = make(), 0, 0, 0
        for number, picture in enumerate(frames, 1 + missing):
            mask = subtract(grey_of(picture), picture, number / rate)
            if not first <= number <= last or number > len(truths):
                continue
            mask = cv2.medianBlur(mask, median).astype(np.uint8) if median else mask
            truth = cv2.imread(str(truths[number - 1]), cv2.IMREAD_GRAYSCALE)
            assert truth is not None
            counts = (truth != 85) & (truth != 170)
            if roi is not None and roi.shape == truth.shape:
                counts &= roi > 0
            moving = truth == 255
            hit += int((mask.astype(bool) & moving & counts).sum())
            false += int((mask.astype(bool) & ~moving & counts).sum())
            missed += int((~mask.astype(bool) & moving & counts).sum())
        precision, recall = hit / max(hit + false, 1), hit / max(hit + missed, 1)
        score = 2 * precision * recall / max(precision + recall, 1e-9)
        print(f"  {folder.name:12} {name:24} F {score:.3f}  P {precision:.3f}  R {recall:.3f}")


def vtest(folder: Path) -> None:
    """Crossings of a line (within 15 frames) and objects in a zone."""
    truth = json.loads((folder / "vtest_line_zone_gt.json").read_text())
    frames = [grey_of(picture, (480, 360)) for picture in pictures(folder / "vtest.avi")]
    for every, first in ((1, 0), (2, 0), (2, 1)):
        scene = Scene(
            lines=[Line("line", (0.5, 200 / 576), (0.5, 500 / 576))],
            zones=[Zone("zone", tuple((x / 768, y / 576) for x, y in truth["zone"]))],
            smallest=0.0008,
        )
        found, off = [], []
        for number in range(first, len(frames), every):
            happened = scene.step(frames[number], number / 10)
            found += [(number + 1, each.direction) for each in happened if isinstance(each, Crossing)]
            off.append(abs(len(scene.counts[0].inside) - truth["occupancy"].get(str(number + 1), 0)))
        wanted = [(frame, "forward" if way == "R2L" else "backward") for frame, _, way, _ in truth["crossings"]]
        hits, total = 0, len(wanted)
        for frame, way in found:
            near = [each for each in wanted if each[1] == way and abs(each[0] - frame) <= 15]
            if near:
                hits += 1
                wanted.remove(min(near, key=lambda each: abs(each[0] - frame)))
        print(
            f"  vtest, {10 // every} pictures/s from number {first + 1}: crossings P {hits / max(len(found), 1):.3f} "
            f"R {hits / total:.3f} ({len(found)} found of {total}), zone off by {statistics.fmean(off):.2f} on average"
        )


FAULTS: Final[dict[str, tuple[str, Callable[[Grey, int], Grey]]]] = {
    "black": ("dark", lambda f, _: (f * 0.03).astype(np.uint8)),
    "dazzled": ("dazzled", lambda f, _: np.clip(f.astype(int) + 190, 0, 255).astype(np.uint8)),
    "covered": ("covered", lambda f, n: noise(np.full_like(f, 70), n)),
    "defocused": ("defocused", lambda f, n: noise(np.asarray(cv2.GaussianBlur(f, (0, 0), 3.0), np.uint8), n)),
    "moved": ("moved", lambda f, _: np.roll(f, (f.shape[0] // 20, f.shape[1] // 10), (0, 1))),
    "one colour": ("stuck_colour", lambda f, _: np.full_like(f, 118)),
}


WEATHER: Final[dict[str, Callable[[Grey, int], Grey]]] = {
    "fog": lambda f, n: noise((f * 0.45 + 110).astype(np.uint8), n),
    "dusk": lambda f, n: noise((f * 0.4).astype(np.uint8), n, 3.0),
}


def noise(picture: Grey, seed: int, sigma: float = 1.5) -> Grey:
    """A picture with the noise of a sensor."""
    off = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + off, 0, 255).astype(np.uint8)


def health(folder: Path, seconds: float) -> None:
    """False alarms on clean clips, there and back with changing light, and how soon injected faults are found."""
    whole = [grey_of(picture, (640, 480)) for picture in pictures(folder / "vtest.avi")][::2]
    road = [grey_of(picture) for picture in pictures(folder / "highway")][::5]
    clips = {
        "vtest": whole,
        "vtest, left half": [np.ascontiguousarray(frame[:, :320]) for frame in whole],
        "vtest, upper half": [np.ascontiguousarray(frame[:300, ::-1]) for frame in whole],
        "highway": road,
        "highway, near half": [np.asarray(cv2.resize(frame[60:], (640, 360)), np.uint8) for frame in road],
        "intel": [grey_of(p, (640, 360)) for p in pictures(folder / "intel_car-detection.mp4")][::2],
    }
    for name, frames in clips.items():
        model, alarms, there = Health(), [], 2 * len(frames) - 2
        for number in range(int(seconds * 5)):
            at = number % there
            light = 1 + 0.35 * np.sin(number / 200)
            frame = np.clip(frames[min(at, there - at)] * light, 0, 255).astype(np.uint8)
            alarms += [fault for fault, began, _ in model.step(frame, number / 5) if began]
        print(f"  {name}: {len(alarms)} false alarms in {seconds / 60:.0f} minutes {sorted(set(alarms))}")
        for weather, change in WEATHER.items():
            model, alarms = Health(), []
            for number in range(300):
                frame = frames[number % len(frames)]
                frame = change(frame, number) if number >= 75 else frame
                alarms += [fault for fault, began, _ in model.step(frame, number / 5) if began]
            print(f"    {weather} at once: {len(alarms)} false alarms {sorted(set(alarms))}")
        found = []
        held: list[Grey] = []
        frozen: dict[str, tuple[str, Callable[[Grey, int], Grey]]] = {
            "frozen, clock runs": ("frozen", partial(clocked, held))
        }
        for fault, (wanted, spoil) in (FAULTS | frozen).items():
            held.clear()
            model, after = Health(), None
            for number in range(150):
                frame = frames[number % len(frames)]
                frame = spoil(frame, number) if number >= 75 else frame
                names = [each for each, began, _ in model.step(frame, number / 5) if began and number >= 75]
                if wanted in names and after is None:
                    after = number / 5 - 15
            found.append(f"{fault} {'not found' if after is None else f'{after:.1f} s'}")
        print(f"    {', '.join(found)}")


def clocked(held: list[Grey], frame: Grey, number: int) -> Grey:
    """The first picture that it was given, under a clock."""
    held.append(frame)
    picture = held[0].copy()
    cv2.putText(picture, f"12:00:{number // 5:02d}", (10, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, [255], 1)
    return picture


def median_ms(work: Callable[[int], object], rounds: int = 200) -> float:
    """Median time that one call has on the processor, in milliseconds: what waits for others does not count."""
    times = []
    for number in range(rounds + 20):
        began = time.thread_time()
        work(number)
        times.append(time.thread_time() - began)
    return 1e3 * statistics.median(times[20:])


def composition(shape: tuple[int, int]) -> Callable[[Grey], Grey]:
    """The same background model put together from OpenCV's functions, in floating point."""
    mean, deviation = np.zeros(shape, np.float32), np.full(shape, 2, np.float32)
    square, ten = np.ones((3, 3), np.uint8), np.full(shape, 10, np.float32)

    def step(grey: Grey) -> Grey:
        level = cv2.GaussianBlur(grey, (3, 3), 0).astype(np.float32)
        beyond = cv2.max(cv2.subtract(cv2.erode(mean, square), level), cv2.subtract(level, cv2.dilate(mean, square)))
        allowed = cv2.max(deviation * np.float32(2.5), ten)
        marked = cv2.compare(beyond, allowed, cv2.CMP_GT)
        clean = cv2.medianBlur(marked, 5)
        still = cv2.bitwise_not(clean)
        off = cv2.absdiff(level, mean)
        cv2.accumulateWeighted(level, mean, 1 / 32, still)
        cv2.accumulateWeighted(off, deviation, 1 / 32, still)
        return np.asarray(clean, np.uint8)

    return step


def fused(shape: tuple[int, int]) -> Callable[[Grey], Grey]:
    """The same in our kernels."""
    level, mean = kernels.plane(shape, np.int16), kernels.plane(shape, np.int16)
    deviation = kernels.plane(shape, np.int16, 2 * kernels.LEVEL)
    raw, clean = kernels.plane(shape, np.uint8), kernels.plane(shape, np.uint8)

    def step(grey: Grey) -> Grey:
        kernels.compare(grey, mean, deviation, 10 * kernels.LEVEL, level, raw)
        kernels.majority(raw, clean, 13)
        kernels.adapt(level, mean, deviation, clean, raw, raw, 5, 0)
        return clean

    return step


def advance(scene: Scene, frames: list[Grey], every: int, number: int) -> None:
    """The next picture of a film of 25 a second, of which each so-manieth is looked at."""
    scene.step(frames[(number * every) % len(frames)], number * every / 25)


def cost(folder: Path) -> None:
    """Milliseconds for each picture, on pictures of the road scaled to 640 x 360."""
    size = (640, 360)
    frames = [grey_of(picture, size) for picture in pictures(folder / "highway")][400:700]
    mog2 = cv2.createBackgroundSubtractorMOG2()
    base = median_ms(lambda n: mog2.apply(frames[n % 300]))
    print(f"  MOG2, grey 640 x 360: {base:.2f} ms")
    one, other, model = composition((360, 640)), fused((360, 640)), Background((360, 640))
    # Of few pictures, for each lies in the cache when it has just been made smaller.
    theirs, ours = median_ms(lambda n: one(frames[n % 20])), median_ms(lambda n: other(frames[n % 20]))
    print(f"  kernels {ours:.3f} ms, the same from OpenCV {theirs:.2f} ms: {theirs / ours:.1f} times as long")
    alone = median_ms(lambda n: model.step(frames[n % 300], n / 25))
    print(f"  background with shadows, exposure and clean-up: {alone:.2f} ms, {base / alone:.1f} times less than MOG2")
    zone, line = Zone("z", ((0.1, 0.3), (0.9, 0.3), (0.9, 1), (0.1, 1))), Line("l", (0, 0.6), (1, 0.6))
    for rate in (5.0, 25.0):
        scene = Scene(zones=[zone], lines=[line])
        every = round(25 / rate)
        whole = median_ms(partial(advance, scene, frames, every))
        print(f"  whole analysis at {rate:g}/s: {whole:.2f} ms, {base / whole:.1f} times less than MOG2 alone")
    luma = np.asarray(cv2.resize(frames[0], (1920, 1080)), np.uint8)
    scene = Scene(zones=[zone], lines=[line])

    def large(number: int) -> None:
        cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
        scene.step(frames[(number * 5) % 300], number / 5)

    print(f"  one 1080p camera, 5 pictures/s, beside decoding: {median_ms(large) * 5 / 10:.2f} % of a core")


def _camera(film: str, begin: float, answers: multiprocessing.Queue[tuple[int, int, float, float]]) -> None:
    from drivers.cctv.settings import WatchSettings  # noqa: PLC0415
    from drivers.cctv.stream import Source, Stream  # noqa: PLC0415
    from drivers.cctv.watch import Watch  # noqa: PLC0415

    cv2.setNumThreads(1)
    anonymous = _anonymous()
    stream, watch = Stream(Source(film, repeat=True), 5.0), Watch(WatchSettings())
    stream.start()
    looked, first, due = 0, 0.0, 0.0
    end = time.monotonic() + STREAM_SECONDS
    while time.monotonic() < end:
        time.sleep(max(due - time.monotonic(), 0))
        picture = stream.newest(0.5)
        if picture is not None:
            watch.look(picture)
            looked += 1
            first = first or time.monotonic() - begin
            due = max(due + 0.2, time.monotonic())
    answers.put((stream.decoded, looked, first, (_anonymous() - anonymous) / 2**20))


def _anonymous() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))


def streams(folder: Path) -> None:
    """Eight cameras with 720p sub-streams, each in a process of its own, forked from one that is warm."""
    import drivers.cctv.watch  # noqa: F401, PLC0415

    with tempfile.TemporaryDirectory() as where:
        film = Path(where) / "yard.mp4"
        with av.open(str(film), "w") as container:
            video = container.add_stream("libx264", rate=STREAM_RATE, options={"g": "30", "bf": "0"})
            video.width, video.height, video.pix_fmt, video.bit_rate = 1280, 720, "yuv420p", 2_000_000
            for number, picture in enumerate(pictures(folder / "vtest.avi")):
                if number == 300:
                    break
                large = np.asarray(cv2.resize(picture, (1280, 720)), np.uint8)
                container.mux(video.encode(av.VideoFrame.from_ndarray(large, format="bgr24")))
            container.mux(video.encode())
        context = multiprocessing.get_context("fork")
        answers: multiprocessing.Queue[tuple[int, int, float, float]] = context.Queue()
        begin = time.monotonic()
        cameras = [context.Process(target=_camera, args=(str(film), begin, answers)) for _ in range(STREAMS)]
        for camera in cameras:
            camera.start()
        results = [answers.get() for _ in cameras]
        for camera in cameras:
            camera.join()
    wanted = STREAM_SECONDS * STREAM_RATE
    least, fewest = min(each[0] for each in results), min(each[1] for each in results)
    print(f"  {STREAMS} streams of 720p, {STREAM_RATE}/s, on {os.cpu_count()} cores: the slowest decoded {least} of")
    print(f"    {wanted:.0f} pictures, analysed {fewest} of {STREAM_SECONDS * 5:.0f}; first one after at most ")
    print(f"    {max(each[2] for each in results):.2f} s; memory of its own {max(each[3] for each in results):.0f} MB")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, help="folder with vtest.avi, highway/ and intel_car-detection.mp4")
    parser.add_argument("--cdnet", type=Path, nargs="*", default=[], help="further folders of CDnet 2014")
    parser.add_argument("--minutes", type=float, default=10, help="of clean film for false alarms, each clip")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    warm()
    if chosen.clips is not None:
        print("Cost")
        cost(chosen.clips)
        print("Quality")
        cdnet(chosen.clips / "highway")
        vtest(chosen.clips)
    for folder in chosen.cdnet:
        cdnet(folder)
    if chosen.clips is not None:
        print("Health")
        health(chosen.clips, chosen.minutes * 60)
        print("Streams")
        streams(chosen.clips)


if __name__ == "__main__":
    main()
