"""A camera's stream: its newest picture at any time, and never an endless wait.

One small thread reads and decodes, for a reader that is slower than its camera falls behind without limit. PyAV bounds
each call as a whole, so that a camera that sends a byte now and then is given up as well; what the thread has to say is
one picture and one sentence.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import av
import av.container
import av.error
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.container import InputContainer

Grey = NDArray[np.uint8]

BACKOFF: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before the next attempt; the last one for ever."""
OPTIONS: Final = {
    "rtsp_transport": "tcp",
    "fflags": "nobuffer",
    "flags": "low_delay",
    "analyzeduration": "200000",
    "probesize": "200000",
    "max_delay": "0",
}
"""To the first picture in a third of a second instead of more than one, and without a delay of its own."""
_PLANAR: Final = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray")
_ALL_KEYS: Final = ("mjpeg", "rawvideo", "png")
ERRORS: Final = (av.error.FFmpegError, OSError, ValueError)
"""What PyAV raises."""
MAX_PIXELS: Final = 16_000_000


class StreamError(Exception):
    """Why there is no picture, in a technician's words, without any password."""


class EndedError(StreamError):
    """A film is over."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where pictures come from.

    Attributes:
        address: ``rtsp://...``, ``/dev/video...`` or the path of a film.
        user: account at the camera; empty for none.
        password: of that account.
        timeout: seconds for opening and for each picture.
        repeat: whether a film begins again at its end.

    """

    address: str
    user: str = ""
    password: str = ""
    timeout: float = 5.0
    repeat: bool = False

    @property
    def live(self) -> bool:
        """Whether pictures come by themselves; those of a film are held back until their time."""
        return "://" in self.address or self.address.startswith("/dev/")

    @property
    def shown(self) -> str:
        """The address without an account that may stand in it."""
        parts = urlsplit(self.address)
        if "@" not in parts.netloc:
            return self.address
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    def open(self) -> InputContainer:
        """Open it within the time that it has.

        Raises:
            StreamError: it cannot be had.
        """
        options, kind, address = {}, None, self.address
        if address.startswith("/dev/"):
            kind = "v4l2"
        elif address.startswith(("rtsp://", "rtsps://")):
            options = OPTIONS | {"timeout": str(int(self.timeout * 1e6))}
            if self.user:
                parts = urlsplit(self.shown)
                account = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
                address = urlunsplit(parts._replace(netloc=f"{account}@{parts.netloc}"))
        began = time.monotonic()
        try:
            container = av.open(address, format=kind, options=options, timeout=(self.timeout, self.timeout))
        except ERRORS as error:
            silent = time.monotonic() - began > 0.9 * self.timeout  # FFmpeg gives this several names
            raise StreamError(self.explain(TimeoutError() if silent else error)) from None
        if not container.streams.video:
            container.close()
            raise StreamError(f"{self.shown} carries no picture.")
        return container

    def explain(self, error: BaseException) -> str:
        """An error in words; its own text may quote the password."""
        for kinds, words in _REASONS:
            if isinstance(error, kinds):
                return words.format(self.shown)
        return f"{self.shown} cannot be read ({type(error).__name__})."


_REASONS: Final[tuple[tuple[Any, str], ...]] = (
    (av.error.HTTPUnauthorizedError, "The camera at {} refuses the account: set user and password."),
    (av.error.HTTPForbiddenError, "The camera at {} refuses the account: it lacks the right to watch."),
    (av.error.HTTPNotFoundError, "The camera at {} knows no such stream: look at the path."),
    (av.error.ConnectionRefusedError, "Nobody answers at {}: is RTSP switched on, and is that its port?"),
    ((av.error.ExitError, av.error.TimeoutError, TimeoutError), "{} is silent: is the camera on, and in this network?"),
    (av.error.FileNotFoundError, "{} is not there: plug the camera in, or look at the path."),
    (av.error.PermissionError, "{} may not be opened: put the agent into group video."),
    ((av.error.EOFError, StopIteration), "{} has ended."),
    (av.error.InvalidDataError, "{} sends what is no picture."),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture, ``number`` counted from 1, received at ``time`` (monotonic, in seconds)."""

    frame: VideoFrame
    number: int
    time: float

    def grey(self, height: int) -> Grey:
        """Grey levels, shape (h, w), scaled down to at most ``height`` rows; without a copy where it fits."""
        frame = self.frame
        planar = frame.format.name in _PLANAR
        luma = _plane(frame, 0, frame.height, frame.width) if planar else frame.to_ndarray(format="gray")
        if frame.height <= height:
            return np.ascontiguousarray(luma, np.uint8)
        width = round(frame.width * height / frame.height)
        return np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def chroma(self) -> tuple[Grey, Grey] | None:
        """The planes U and V, without a copy; None if they do not lie apart."""
        frame = self.frame
        if len(frame.planes) < 3 or frame.format.name not in _PLANAR:
            return None
        one, other = (_plane(frame, i, frame.planes[i].height, frame.planes[i].width) for i in (1, 2))
        return one, other

    def colour(self) -> Grey:
        """BGR, shape (h, w, 3), in full size."""
        return np.asarray(self.frame.to_ndarray(format="bgr24"), np.uint8)


def _plane(frame: VideoFrame, index: int, height: int, width: int) -> Grey:
    plane = frame.planes[index]
    return np.asarray(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width]


class Stream:
    """The pictures of a source, the newest at any time; opened again, ever more slowly, whenever it breaks.

    ``rate`` is how many pictures a second are wanted: of streams in which each stands for itself the others are not
    even decoded.
    """

    def __init__(self, source: Source, rate: float = 30.0) -> None:
        self.source = source
        self.decoded = 0
        self.attempts = 0
        self.trouble = ""
        """Why there is no picture now; empty if there is."""
        self._rate = rate
        self._news = threading.Condition()
        self._newest: Picture | None = None
        self._taken = 0
        self._wanted = True
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        self._moved = time.monotonic()

    def start(self) -> None:
        """Begin to read."""
        self._moved = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """End reading; returns once the thread has ended, or may be left to its time limit."""
        self._ending = True
        self._thread.join(0.5)

    def want(self, wanted: bool) -> None:
        """Say whether anybody needs pictures: if not, none is decoded."""
        self._wanted = wanted

    def newest(self, wait: float) -> Picture | None:
        """The newest picture that was not taken yet, waited for at most ``wait`` seconds.

        Raises:
            StreamError: the reading thread itself does not come back.
        """
        with self._news:
            self._news.wait_for(lambda: self._newest is not None and self._newest.number > self._taken, wait)
            picture = self._newest
            if picture is not None and picture.number > self._taken:
                self._taken = picture.number
                return picture
        if not self._thread.is_alive():
            raise StreamError(self.trouble)
        if time.monotonic() - self._moved > 4 * self.source.timeout + BACKOFF[-1]:
            raise StreamError(f"Reading {self.source.shown} hangs in spite of its time limits.")
        return None

    def _run(self) -> None:
        failures = 0
        while not self._ending:
            before = self.decoded
            try:
                self.attempts += 1
                self._moved = time.monotonic()
                self._drain()
            except EndedError as error:
                self.trouble = str(error)
                return
            except StreamError as error:
                self.trouble = str(error)
            except ERRORS as error:
                self.trouble = self.source.explain(error)
            failures = 1 if self.decoded > before else failures + 1
            self._rest(BACKOFF[min(failures, len(BACKOFF)) - 1])

    def _rest(self, seconds: float) -> None:
        due = time.monotonic() + seconds
        while not self._ending and time.monotonic() < due:
            self._moved = time.monotonic()
            time.sleep(min(0.1, seconds))

    def _drain(self) -> None:
        with self.source.open() as container:
            again = True
            while again and not self._ending:
                for frame in self._frames(container):
                    self._show(frame)
                again = self.source.repeat and not self.source.live
                if again:
                    container.seek(0)
        if not self.source.live:
            raise EndedError(f"{self.source.shown} has ended.")
        raise StreamError(f"{self.source.shown} has ended.")

    def _frames(self, container: InputContainer) -> Iterator[VideoFrame]:
        """Decode what is needed, in time.

        Raises:
            StreamError: no picture came in time, although something else did.
        """
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        if video.codec_context.width * video.codec_context.height > MAX_PIXELS:
            raise StreamError(f"The pictures of {self.source.shown} are too large: choose a smaller stream.")
        alone = video.codec_context.name in _ALL_KEYS and self.source.live
        last, due, complete, clock = time.monotonic(), 0.0, True, time.monotonic()
        for packet in container.demux(video):
            now = self._moved = time.monotonic()
            if self._ending:
                return
            if not self._wanted or (alone and now < due):
                complete, last = alone, now
                continue
            if not complete and not packet.is_keyframe:
                continue
            complete = True
            frames: list[VideoFrame] = []
            with suppress(av.error.InvalidDataError):  # a damaged packet: the next key frame mends it
                frames = [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
            for frame in frames:
                last, due = now, max(due + 1 / self._rate, now)
                if not self.source.live and frame.time is not None:
                    self._wait_until(clock + frame.time)
                yield frame
            if now - last > self.source.timeout:
                raise StreamError(f"{self.source.shown} sends data, but no picture that can be shown.")

    def _wait_until(self, due: float) -> None:
        while not self._ending and (left := due - time.monotonic()) > 0:
            self._moved = time.monotonic()
            time.sleep(min(left, 0.1))

    def _show(self, frame: VideoFrame) -> None:
        with self._news:
            self.decoded += 1
            self.trouble = ""
            self._newest = Picture(frame, self.decoded, time.monotonic())
            self._news.notify()


def snapshot(source: Source) -> Picture:
    """One picture of a source, which is opened for it.

    Raises:
        StreamError: there is none within the time.
    """
    with source.open() as container:
        try:
            for frame in container.decode(video=0):
                return Picture(frame, 1, time.monotonic())
        except ERRORS as error:
            raise StreamError(source.explain(error)) from None
    raise StreamError(f"{source.shown} sends no picture.")
