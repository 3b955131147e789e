"""Cameras watched by their stream alone: RTSP over TCP, USB (V4L2), and films."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from drivers.cctv.settings import WatchSettings
from edge_agent.driver import CredentialName, Driver, DriverError, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drivers.cctv.stream import Picture, Source


class RtspSettings(WatchSettings):
    """Settings of ``cctv.rtsp``."""

    address: str = Field(
        min_length=1,
        description="Stream for analysis, better a small one: rtsp://camera/path without an account, "
        "/dev/v4l/by-id/..., or the path of a film; a relative path starts at the agent's state directory",
    )
    main_address: str = Field(
        default="",
        description="Stream for pictures as evidence, opened only when one is wanted; empty: the same as `address`",
    )
    user: str = Field(default="", description="Account at the camera; empty: it wants none")
    password: CredentialName | None = Field(default=None, description="Name of the credential that holds the password")
    timeout: float = Field(default=5.0, ge=0.5, le=30, description="Seconds for opening and for each picture")
    repeat: bool = Field(default=False, description="Whether a film begins again at its end")

    @model_validator(mode="after")
    def _account(self) -> Self:
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password are given together or not at all")
        if any("@" in address.partition("://")[2].partition("/")[0] for address in (self.address, self.main_address)):
            raise ValueError("an account does not belong into an address: set user and password")
        return self


class StreamCamera(Driver[RtspSettings]):
    """Any camera with a stream. What happens before it becomes events; the stream itself is kept nowhere."""

    kind = "cctv.rtsp"
    Settings = RtspSettings
    preload: ClassVar[tuple[str, ...]] = ("drivers.cctv.watch",)

    def observe(self) -> Iterator[Observation | None]:
        """Yield what happens in front of the camera, and to it."""
        from drivers.cctv.stream import Stream, StreamError
        from drivers.cctv.watch import Watch

        watch = Watch(self.settings)
        stream = Stream(self.source(self.settings.address), self.settings.frames_per_second)
        stream.start()
        try:
            for observation in watch.through(stream, self._better):
                self.trouble = watch.trouble
                yield observation
        except StreamError as error:
            raise DriverError(str(error)) from None
        finally:
            stream.stop()

    def pictures(self) -> Iterator[NDArray[np.uint8] | None]:
        """What the camera sees (BGR, shape (h, w, 3)), for those who draw zones into it."""
        from drivers.cctv.watch import pictures

        return pictures(self.source(self.settings.address))

    def _better(self, picture: Picture) -> NDArray[np.uint8]:
        """A picture of the main stream; if that cannot be had, the one that was analysed."""
        from drivers.cctv.stream import StreamError, snapshot

        if not self.settings.main_address:
            return picture.colour()
        try:
            return snapshot(self.source(self.settings.main_address)).colour()
        except StreamError:
            return picture.colour()

    def probe(self) -> str:
        """The size of a picture, and how long the first one took."""
        from drivers.cctv.stream import StreamError, snapshot

        began = time.monotonic()
        try:
            frame = snapshot(self.source(self.settings.address)).frame
        except StreamError as error:
            raise DriverError(str(error)) from None
        return f"delivers pictures of {frame.width} x {frame.height}, the first after {time.monotonic() - began:.1f} s"

    def source(self, address: str) -> Source:
        """A stream with the account of this camera."""
        from drivers.cctv.stream import Source

        settings = self.settings
        password = self.secret(settings.password) if settings.password is not None else ""
        return Source(address, settings.user, password, settings.timeout, settings.repeat)
