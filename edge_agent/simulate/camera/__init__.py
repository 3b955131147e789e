"""An ONVIF camera on loopback: device, media, PTZ, imaging and event services, and WS-Discovery, by the schema.

It has no picture of its own: ``stream`` is the address of any RTSP server. It can be told to misbehave in the ways in
which real cameras do.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from xml.etree import ElementTree as ET

from edge_agent.simulate.camera import messages
from edge_agent.simulate.camera.discovery import Responder

SKEW: Final = timedelta(minutes=5)
"""How far the clock of a caller may be off."""
MAX_BODY: Final = 1024 * 1024


class Mood(StrEnum):
    """How the camera answers."""

    WELL = "well"
    MUTE = "mute"  # takes the connection and says nothing
    TRICKLE = "trickle"  # a byte every now and then
    HALF = "half"  # breaks off in the middle
    JUNK = "junk"  # no XML at all
    FAULT = "fault"  # a SOAP fault for everything


@dataclass(slots=True)
class Subscription:
    """A pull point."""

    ends: float
    waiting: deque[str] = field(default_factory=deque)


@dataclass
class Camera:
    """What the camera is and how it is doing; ``with Camera(...) as camera`` serves it.

    Attributes:
        stream: address of its picture, the same for both profiles.
        skew: its clock less the true time.
        renews: whether it knows Renew, which many do not.
        snapshot: the JPEG of its snapshot address.
        position: pan, tilt and zoom.
        states: of its events, by topic and source: what a new subscriber is told first.

    """

    user: str = ""
    password: str = ""
    stream: str = "rtsp://127.0.0.1:554/main"
    port: int = 0
    discoverable: bool = False
    endpoint: str = field(default_factory=lambda: f"urn:uuid:{uuid.uuid4()}")
    skew: timedelta = timedelta(0)
    renews: bool = True
    snapshot: bytes = b""
    mood: Mood = Mood.WELL
    advertised: str = ""
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    presets: dict[str, tuple[str, tuple[float, float, float]]] = field(
        default_factory=lambda: {"1": ("gate", (0.5, 0.1, 0.2)), "2": ("queue", (-0.5, 0.0, 0.0))}
    )
    home: tuple[float, float, float] = (0.0, 0.0, 0.0)
    states: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self._responder = Responder(self.endpoint, lambda: self.address) if self.discoverable else None
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Be switched off: subscriptions are forgotten."""
        self._server.shutdown()
        self._server.server_close()
        if self._responder is not None:
            self._responder.close()
        with self._news:
            self.subscriptions.clear()
            self._news.notify_all()

    @property
    def base(self) -> str:
        """What the camera takes for its own address."""
        return f"http://{self.advertised or f'127.0.0.1:{self.port}'}"

    @property
    def address(self) -> str:
        """Of its device service."""
        return f"{self.base}/onvif/device_service"

    def notify(self, topic: str, state: bool, *, source: str = "VideoSource_1", item: str = "State") -> None:
        """Let an event happen: a property of ``source`` has changed."""
        with self._news:
            self.states[topic, source] = (item, state)
            message = messages.notification(topic, source, item, state, "Changed", self.now())
            for subscription in self.subscriptions.values():
                subscription.waiting.append(message)
            self._news.notify_all()

    def now(self) -> datetime:
        """What its clock says."""
        return datetime.now(UTC) + self.skew

    # -- requests --------------------------------------------------------------------------------------------

    def answer(self, path: str, body: bytes) -> tuple[int, str]:
        """HTTP status and SOAP envelope for one request."""
        if self.mood is Mood.FAULT:
            return messages.fault("Receiver", "Action", "Device is busy")
        try:
            envelope = ET.fromstring(body)  # noqa: S314  (a simulator on loopback)
            request = envelope.find(f"{messages.SOAP}Body/*")
        except ET.ParseError:
            request = None
        if request is None:
            return messages.fault("Sender", "WellFormed", "Not well-formed")
        operation = request.tag.rpartition("}")[2]
        self.calls.append(operation)
        if operation != "GetSystemDateAndTime" and not self._known(envelope):
            return messages.fault("Sender", "NotAuthorized", "Sender not Authorized")
        handler: Callable[..., tuple[int, str]] | None = getattr(self, f"_on_{operation.lower()}", None)
        if handler is None:
            return messages.fault("Receiver", "ActionNotSupported", f"No {operation}")
        return handler(request, path)

    def _known(self, envelope: ET.Element) -> bool:
        """WS-UsernameToken with a digest (WSS UsernameToken Profile 1.0), not older than the skew allows."""
        if not self.user:
            return True
        token = envelope.find(f"{messages.SOAP}Header/{messages.WSSE}Security/{messages.WSSE}UsernameToken")
        if token is None:
            return False
        user = token.findtext(f"{messages.WSSE}Username", "")
        given = token.findtext(f"{messages.WSSE}Password", "")
        nonce = base64.b64decode(token.findtext(f"{messages.WSSE}Nonce", ""))
        created = token.findtext(f"{messages.WSU}Created", "")
        digest = hashlib.sha1(nonce + created.encode() + self.password.encode(), usedforsecurity=False).digest()
        try:
            fresh = abs(datetime.fromisoformat(created) - self.now()) <= SKEW
        except (ValueError, TypeError):
            return False
        return fresh and user == self.user and hmac.compare_digest(given, base64.b64encode(digest).decode())

    def _on_getsystemdateandtime(self, *_: Any) -> tuple[int, str]:
        return messages.clock(self.now())

    def _on_getdeviceinformation(self, *_: Any) -> tuple[int, str]:
        return messages.information()

    def _on_getservices(self, *_: Any) -> tuple[int, str]:
        return messages.services(self.base)

    def _on_getcapabilities(self, *_: Any) -> tuple[int, str]:
        return messages.capabilities(self.base)

    def _on_getprofiles(self, *_: Any) -> tuple[int, str]:
        return messages.profiles()

    def _on_getstreamuri(self, *_: Any) -> tuple[int, str]:
        return messages.uri("GetStreamUri", self.stream)

    def _on_getsnapshoturi(self, *_: Any) -> tuple[int, str]:
        return messages.uri("GetSnapshotUri", f"{self.base}/snapshot.jpg")

    def _on_getimagingsettings(self, *_: Any) -> tuple[int, str]:
        return messages.imaging()

    def _on_getpresets(self, *_: Any) -> tuple[int, str]:
        return messages.presets(self.presets)

    def _on_getstatus(self, *_: Any) -> tuple[int, str]:
        return messages.status(self.position, self.now())

    def _on_gotopreset(self, request: ET.Element, _path: str) -> tuple[int, str]:
        preset = self.presets.get(request.findtext(f"{messages.TPTZ}PresetToken", ""))
        if preset is None:
            return messages.fault("Sender", "NoToken", "The requested preset token does not exist")
        self.position = preset[1]
        return messages.empty(messages.TPTZ, "GotoPreset")

    def _on_gotohomeposition(self, *_: Any) -> tuple[int, str]:
        self.position = self.home
        return messages.empty(messages.TPTZ, "GotoHomePosition")

    # -- events ----------------------------------------------------------------------------------------------

    def _on_createpullpointsubscription(self, request: ET.Element, _path: str) -> tuple[int, str]:
        seconds = messages.seconds(request.findtext(f"{messages.TEV}InitialTerminationTime", "PT60S"))
        name = f"/onvif/pull/{uuid.uuid4().hex}"
        with self._news:
            subscription = Subscription(time.monotonic() + seconds)
            subscription.waiting.extend(
                messages.notification(topic, source, item, state, "Initialized", self.now())
                for (topic, source), (item, state) in self.states.items()
            )
            self.subscriptions[name] = subscription
        return messages.subscribed(f"{self.base}{name}", self.now(), seconds)

    def _on_pullmessages(self, request: ET.Element, path: str) -> tuple[int, str]:
        limit = int(request.findtext(f"{messages.TEV}MessageLimit", "1"))
        until = time.monotonic() + min(messages.seconds(request.findtext(f"{messages.TEV}Timeout", "PT0S")), 60.0)
        with self._news:
            while (found := self._living(path)) is not None and not found.waiting and time.monotonic() < until:
                self._news.wait(min(0.2, max(0.0, until - time.monotonic())))
            if found is None:
                return messages.fault("Sender", "ResourceUnknown", "Unknown subscription")
            taken = [found.waiting.popleft() for _ in range(min(limit, len(found.waiting)))]
        return messages.pulled(taken, self.now())

    def _on_renew(self, request: ET.Element, path: str) -> tuple[int, str]:
        found = self._living(path)
        if found is None or not self.renews:
            return messages.fault("Sender", "InvalidArgVal", "Action failed")
        seconds = messages.seconds(request.findtext(f"{messages.WSNT}TerminationTime", "PT60S"))
        found.ends = time.monotonic() + seconds
        return messages.renewed(self.now(), seconds)

    def _on_unsubscribe(self, _request: ET.Element, path: str) -> tuple[int, str]:
        self.subscriptions.pop(path, None)
        return messages.empty(messages.WSNT, "Unsubscribe")

    def _living(self, path: str) -> Subscription | None:
        now = time.monotonic()
        for name in [name for name, subscription in self.subscriptions.items() if subscription.ends < now]:
            del self.subscriptions[name]
        return self.subscriptions.get(path)

    # -- HTTP ------------------------------------------------------------------------------------------------

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 30

            def log_message(self, *_: object) -> None:
                return

            def do_GET(self) -> None:
                found = self.path == "/snapshot.jpg" and camera.snapshot
                self._send(200 if found else 404, camera.snapshot if found else b"", "image/jpeg")

            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY)
                body = self.rfile.read(length)
                if camera.mood is Mood.MUTE:
                    time.sleep(20)
                    return
                status, text = camera.answer(self.path, body)
                self._send(
                    status, text.encode() if camera.mood is not Mood.JUNK else b"<html>oops", "application/soap+xml"
                )

            def _send(self, status: int, body: bytes, media_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    if camera.mood is Mood.TRICKLE:
                        for i in range(len(body)):
                            self.wfile.write(body[i : i + 1])
                            time.sleep(0.2)
                    else:
                        self.wfile.write(body[: len(body) // 2] if camera.mood is Mood.HALF else body)
                except OSError:
                    return

        return Handler
