"""ONVIF cameras: their picture is watched as that of any other, and what they report by themselves comes beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from drivers.cctv.control import Control, Wishes
from drivers.cctv.http import Account, Peer
from drivers.cctv.settings import WatchSettings
from edge_agent.driver import CredentialName, Driver, DriverError, Observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from drivers.cctv.control import Place
    from drivers.cctv.stream import Picture
    from drivers.cctv.watch import Watch

LOOK_SECONDS = 0.2


class OnvifSettings(WatchSettings):
    """Settings of ``cctv.onvif``."""

    host: str = Field(
        min_length=1,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="IP address of the camera, or its name: see `edge-agent devices --discover`",
    )
    port: int = Field(default=80, ge=1, le=65535, description="Of its ONVIF service")
    user: str = Field(default="", description="Account at the camera; empty: it wants none")
    password: CredentialName | None = Field(default=None, description="Name of the credential that holds the password")
    allow_basic: bool = Field(
        default=False, description="Whether single pictures may be asked for with the password in clear (HTTP Basic)"
    )
    timeout: float = Field(default=5.0, ge=0.5, le=60, description="Seconds for each whole answer of the camera")
    endpoint: str = Field(
        default="",
        max_length=200,
        description="Endpoint reference by which it is found again at another address; empty: it keeps its address",
    )
    interface: str = Field(
        default="",
        pattern=r"^(\d{1,3}(\.\d{1,3}){3})?$",
        description="The agent's own address in the network where it is looked for; empty: as the system routes",
    )
    profile: str = Field(
        default="", description="Profile whose stream is watched; empty: the smallest with `analysis_height` lines"
    )
    watch: bool = Field(default=True, description="Whether its picture is watched")
    events: bool = Field(default=True, description="Whether what the camera reports by itself is wanted")
    home: str = Field(
        default="",
        description="Preset for which zones and lines are drawn; elsewhere nothing is watched. Empty: it does not turn",
    )
    home_seconds: float = Field(
        default=60.0, ge=5, le=86400, description="A camera that looks elsewhere for so long is sent back home"
    )

    @model_validator(mode="after")
    def _account(self) -> Self:
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password are given together or not at all")
        return self


class OnvifCamera(Driver[OnvifSettings]):
    """Cameras that speak ONVIF (profile S or T), with their own analytics, inputs, relays and presets."""

    kind = "cctv.onvif"
    Settings = OnvifSettings
    preload: ClassVar[tuple[str, ...]] = ("drivers.cctv.schemas", "drivers.cctv.watch")

    def observe(self) -> Iterator[Observation | None]:
        """Yield what happens in front of the camera and to it, and what it reports by itself."""
        from drivers.cctv.watch import Watch

        control, watch = Control(self.wishes(), self.account()), Watch(self.settings)
        control.start()
        try:
            while True:
                for observation in self._watched(control, watch):
                    self.trouble = control.trouble or watch.trouble
                    watch.paused = control.away
                    yield observation
                    while (report := control.take()) is not None:
                        yield Observation(report)
        finally:
            control.stop()

    def _watched(self, control: Control, watch: Watch) -> Iterator[Observation | None]:
        """The observations of the stream, as long as that stays where it is."""
        from drivers.cctv.stream import Source, Stream, StreamError

        place, account = control.picture, self.account()
        if place is None or not self.settings.watch:
            yield from watch.lost(time.monotonic(), control.trouble) if control.trouble else ()
            yield None
            time.sleep(LOOK_SECONDS)
            return
        who = (account.user, account.password()) if account is not None else ("", "")
        stream = Stream(Source(place.stream, *who, self.settings.timeout), self.settings.frames_per_second)
        stream.start()
        try:
            for observation in watch.through(stream, partial(self._better, place)):
                yield observation
                if control.picture is not None and control.picture.stream != place.stream:
                    return
        except StreamError as error:
            raise DriverError(str(error)) from None
        finally:
            stream.stop()

    def _better(self, place: Place, seen: Picture) -> NDArray[np.uint8]:
        """A single picture from the camera's web server; if that cannot be had, the one that was analysed."""
        from edge_agent.processing.images import ImageError, decode

        peer = Peer(place.peer.host, place.peer.port, place.peer.account, self.settings.timeout)
        try:
            reply = peer.request("GET", place.snapshot) if place.snapshot is not None else None
            return decode(reply.content) if reply is not None and reply.status_code == 200 else seen.colour()
        except (DriverError, ImageError):
            return seen.colour()

    def pictures(self) -> Iterator[NDArray[np.uint8] | None]:
        """What the camera sees (BGR, shape (h, w, 3)), for those who draw zones into it.

        Single pictures of its web server, about two a second; its stream where it gives none.
        """
        from drivers.cctv import device
        from drivers.cctv.soap import Session
        from drivers.cctv.stream import Source
        from drivers.cctv.watch import pictures
        from edge_agent.processing.images import ImageError, decode

        account = self.account()
        session = Session(Peer(self.settings.host, self.settings.port, account, self.settings.timeout), account)
        profile = device.choose(device.profiles(session), self.settings.profile, height=self.settings.analysis_height)
        path = device.snapshot_path(session, profile)
        while path is not None and (reply := session.peer.request("GET", path)).status_code == 200:
            try:
                yield decode(reply.content)
            except ImageError:
                break
            time.sleep(0.5)
        who = (account.user, account.password()) if account is not None else ("", "")
        yield from pictures(Source(device.stream_address(session, profile), *who, self.settings.timeout))

    def probe(self) -> str:
        """Maker, model and clock, the profiles, and whether it sends events."""
        from drivers.cctv import device
        from drivers.cctv.soap import Session, describe_offset

        account = self.account()
        session = Session(Peer(self.settings.host, self.settings.port, account, self.settings.timeout), account)
        known = device.identity(session)
        found = device.profiles(session)
        chosen = device.choose(found, self.settings.profile, height=self.settings.analysis_height)
        device.stream_address(session, chosen)
        sizes = ", ".join(f"{profile.width} x {profile.height}" for profile in found)
        parts = [f"{known.maker} {known.model}, firmware {known.firmware}", f"profiles {sizes}"]
        parts += ["events"] if session.has("events") else ["no events"]
        if self.settings.home:
            parts.append(f"home {device.find_preset(session, chosen, self.settings.home).name}")
        return "; ".join([*parts, f"its clock is {describe_offset(session.offset)}"])

    def account(self) -> Account | None:
        """Who we are at the camera."""
        settings = self.settings
        name = settings.password
        if name is None:
            return None
        return Account(settings.user, lambda: self.secret(name), settings.allow_basic)

    def wishes(self) -> Wishes:
        """What is wanted of the camera."""
        settings = self.settings
        return Wishes(
            host=settings.host,
            port=settings.port,
            seconds=settings.timeout,
            endpoint=settings.endpoint,
            interface=settings.interface,
            stream=settings.profile,
            height=settings.analysis_height,
            events=settings.events,
            home=settings.home,
            home_seconds=settings.home_seconds,
        )
