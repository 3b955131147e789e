"""The conversation with an ONVIF camera, beside its picture: events, presets, imaging, and finding it again.

It has a thread of its own, for a camera that is slow to answer must not keep its picture from being watched. Whatever
the camera does, the thread begins anew, with a growing pause.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from drivers.cctv import device, discovery
from drivers.cctv.device import Position, Preset, Profile
from drivers.cctv.http import Account, Peer
from drivers.cctv.reports import Notice, Properties, notices
from drivers.cctv.soap import MANAGER, FaultError, Session, path_of
from edge_agent.driver import DriverError
from edge_agent.events.cctv import CctvDevice

PULL_SECONDS: Final = 2.0
"""How long the camera may wait for something to report: less than the supervisor waits for us to end."""
LIFETIME_SECONDS: Final = 60.0
"""Of a subscription: an agent that is killed cannot end its own."""
LOOK_SECONDS: Final = 5.0
"""Between two looks at where a camera points, and how it sees."""
CLOCK_SECONDS: Final = 900.0
"""A camera's clock drifts, and is set: after so long the conversation begins anew."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
MOST_WAITING: Final = 512


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted of the camera: the settings of the driver that matter here."""

    host: str
    port: int
    seconds: float
    endpoint: str = ""
    interface: str = ""
    stream: str = ""
    height: int = 360
    events: bool = True
    home: str = ""
    home_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the picture is by now: the stream to be watched, and the path of single pictures."""

    stream: str
    peer: Peer
    snapshot: str | None


class Control(threading.Thread):
    """Talks to the camera until it is stopped.

    Attributes:
        picture: where the picture is; None before the camera has said so.
        trouble: why the camera cannot be talked to; empty while it can.
        away: whether it looks elsewhere than at home.
        lost: reports that were dropped because nobody took them.

    """

    def __init__(self, wishes: Wishes, account: Account | None) -> None:
        super().__init__(name="onvif", daemon=True)
        self.picture: Place | None = None
        self.trouble = ""
        self.away = False
        self.lost = 0
        self._wishes, self._account = wishes, account
        self._host, self._port = wishes.host, wishes.port
        self._waiting: deque[CctvDevice] = deque(maxlen=MOST_WAITING)
        self._properties = Properties()
        self._stopping = threading.Event()
        self._night: bool | None = None

    def take(self) -> CctvDevice | None:
        """The next report; None if there is none."""
        return self._waiting.popleft() if self._waiting else None

    def stop(self) -> None:
        """End the conversation, and at the camera the subscription."""
        self._stopping.set()
        self.join(PULL_SECONDS + 2 * self._wishes.seconds)

    def run(self) -> None:
        """Talk, and begin anew whenever that ends."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            begun = time.monotonic()
            self._look_for_it()
            try:
                self._talk()
            except DriverError as error:
                self.trouble = str(error)
            except Exception as error:  # a camera may say anything, and zeep has not thought of all of it
                self.trouble = f"The camera at {self._host} says what nobody understands ({type(error).__name__})."
            else:
                continue
            pause = FIRST_PAUSE if time.monotonic() - begun > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            self._stopping.wait(pause)

    def _talk(self) -> None:
        """One conversation. Returns when it is time to begin anew."""
        account = self._account
        if account is not None and self._host != self._wishes.host:
            account = replace(account, basic=False)
        session = Session(Peer(self._host, self._port, account, self._wishes.seconds), account)
        profile = device.choose(device.profiles(session), self._wishes.stream, height=self._wishes.height)
        stream = device.stream_address(session, profile)
        self.picture = Place(stream, session.peer, device.snapshot_path(session, profile))
        home = self._home(session, profile)
        self.trouble = ""
        subscription = Subscription(session) if self._wishes.events and session.has("events") else None
        end = time.monotonic() + CLOCK_SECONDS
        looked = 0.0
        away_since: float | None = None
        try:
            while not self._stopping.is_set() and time.monotonic() < end:
                if subscription is not None:
                    self._note(subscription.pull())
                else:
                    self._stopping.wait(LOOK_SECONDS)
                    session.call("devicemgmt", "GetSystemDateAndTime")
                if time.monotonic() - looked >= LOOK_SECONDS:
                    looked = time.monotonic()
                    self._look_at_light(session, profile)
                    away_since = self._look_home(session, profile, home, away_since)
        finally:
            if subscription is not None:
                subscription.close()

    def _note(self, found: list[Notice]) -> None:
        for notice in found:
            report = self._properties.news(notice)
            if report is not None:
                self._report(report)

    def _report(self, report: CctvDevice) -> None:
        self.lost += len(self._waiting) == MOST_WAITING
        self._waiting.append(report)

    def _look_at_light(self, session: Session, profile: Profile) -> None:
        if not session.has("imaging") or not profile.source:
            return
        with suppress(FaultError):
            night = device.night(session, profile.source)
            if night is not None and night != (self._night or False):
                self._report(
                    CctvDevice(
                        report="night",
                        active=night,
                        topic="ImagingSettings/IrCutFilter",
                        source=profile.source,
                        said=None,
                        since_before=self._night is None,
                    )
                )
            self._night = night if night is not None else self._night

    def _home(self, session: Session, profile: Profile) -> Preset | None:
        if not self._wishes.home:
            return None
        return device.find_preset(session, profile, self._wishes.home)

    def _look_home(self, session: Session, profile: Profile, home: Preset | None, since: float | None) -> float | None:
        """Whether the camera looks away from home, since when; send it back when that has been long enough."""
        if home is None or home.position is None:
            return None
        at: Position | None = device.position(session, profile)
        self.away = at is not None and not device.near(at, home.position)
        if not self.away:
            return None
        since = since if since is not None else time.monotonic()
        if time.monotonic() - since >= self._wishes.home_seconds:
            device.goto(session, profile, home)
            return None
        return since

    def _look_for_it(self) -> None:
        """Where the camera is by now, if its endpoint reference is known: addresses are dealt out anew.

        Anybody could answer in its name, and gets to see no more than digests.
        """
        if not self._wishes.endpoint:
            return
        with suppress(OSError):
            for found in discovery.search(self._wishes.interface, endpoint=self._wishes.endpoint):
                self._host, self._port = found.host, found.port


class Subscription:
    """A pull point at the camera, renewed while it is used, made anew where it cannot be."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._create()

    def pull(self) -> list[Notice]:
        """What has happened, as soon as something has; empty after ``PULL_SECONDS``.

        Raises:
            UnreachableError: the camera does not answer.
            FaultError: it has forgotten the subscription, and makes no other.
        """
        if time.monotonic() >= self._renew_at:
            self._renew()
        try:
            return self._pull()
        except FaultError:  # forgotten, as after a reboot
            self._create()
            return self._pull()

    def close(self) -> None:
        """End it at the camera, which has few."""
        with suppress(DriverError):
            self._ask("events", "Unsubscribe", binding=MANAGER)

    def _create(self) -> None:
        answer = self._session.call("events", "CreatePullPointSubscription", InitialTerminationTime=_LIFETIME)
        reference = getattr(answer, "SubscriptionReference", None)
        address = getattr(getattr(reference, "Address", None), "_value_1", None)
        if not isinstance(address, str):
            raise FaultError(f"The camera at {self._session.peer} makes no subscription.")
        self._path = path_of(address)
        parameters = getattr(getattr(reference, "ReferenceParameters", None), "_value_1", None) or ()
        self._headers = [part for part in parameters if hasattr(part, "tag")]  # to be sent back as they came
        self._renew_at = time.monotonic() + LIFETIME_SECONDS / 2

    def _renew(self) -> None:
        try:
            self._ask("events", "Renew", binding=MANAGER, TerminationTime=_LIFETIME)
            self._renew_at = time.monotonic() + LIFETIME_SECONDS / 2
        except FaultError:  # not every camera can: end it, and begin another
            self.close()
            self._create()

    def _pull(self) -> list[Notice]:
        answer = self._ask(
            "pullpoint",
            "PullMessages",
            extra=PULL_SECONDS,
            Timeout=timedelta(seconds=PULL_SECONDS),
            MessageLimit=64,
        )
        return list(notices(answer, self._session.offset))

    def _ask(self, service: str, operation: str, *, binding: str = "", extra: float = 0.0, **parameters: Any) -> Any:
        return self._session.at(
            self._path, service, operation, binding=binding, extra=extra, headers=self._headers, **parameters
        )


_LIFETIME: Final = f"PT{LIFETIME_SECONDS:.0f}S"
