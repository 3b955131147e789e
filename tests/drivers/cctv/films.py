"""Films for the cameras of the tests: a grey yard with some structure and noise, and whatever is drawn into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def yard(width: int = 320, height: int = 180, seed: int = 5) -> Image:
    """What the camera sees when nothing happens, BGR."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 120, np.uint8)
    for _ in range(40):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        shade = int(rng.integers(40, 220))
        cv2.rectangle(picture, (x, y), (x + int(rng.integers(4, 40)), y + int(rng.integers(3, 20))), [shade] * 3, -1)
    return picture


def passing(frames: int, *, width: int = 320, height: int = 180, still: int = 30, seed: int = 5) -> Iterator[Image]:
    """After ``still`` pictures of nothing a white van crosses the yard from left to right."""
    rng = np.random.default_rng(seed)
    empty = yard(width, height, seed)
    for number in range(frames):
        picture = empty.copy()
        if number >= still:
            x = int((number - still) * width * 1.2 / max(frames - still, 1) - 0.1 * width)
            cv2.rectangle(picture, (x - 20, height // 2 - 16), (x + 20, height // 2 + 16), (235, 240, 238), -1)
            cv2.rectangle(picture, (x - 12, height // 2 - 12), (x + 2, height // 2), (60, 50, 50), -1)
        yield np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def write(path: Path, pictures: Iterator[Image], fps: int = 10, codec: str = "libx264") -> Path:
    """Encode pictures as a camera would: no B frames, a key frame each second."""
    with av.open(str(path), "w") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream(
                    codec, rate=fps, options={"g": str(fps), "bf": "0", "preset": "ultrafast"}
                )
                stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        assert stream is not None
        container.mux(stream.encode())
    return path


def until(iterator: Iterator[object], found: Callable[[object], bool], limit: int = 400) -> object:
    """The first of what an iterator yields that is looked for."""
    for _, each in zip(range(limit), iterator, strict=False):
        if each is not None and found(each):
            return each
    raise AssertionError("it did not come")
