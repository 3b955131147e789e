"""What is there to be connected: cameras on the network, serial ports, V4L2 cameras. Nothing is changed there."""

from __future__ import annotations

import fcntl
import os
import re
import struct
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from drivers.cctv import discovery
from drivers.cctv.device import Description, describe
from drivers.cctv.discovery import Found
from drivers.cctv.http import Account, Peer

V4L2: Final = Path("/sys/class/video4linux")
BY_ID: Final = Path("/dev/v4l/by-id")
_VIDIOC_QUERYCAP: Final = 0x80685600
_CAPTURE, _DEVICE_CAPS = 0x1, 0x80000000
AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that could become a device.

    Attributes:
        kind: ``camera``, ``serial`` or ``video``.
        where: its address, port or path.
        what: what it says that it is.
        drivers: kinds of drivers that could read it, the likeliest first.
        settings: what is known of their settings.
        facts: what else is known, as (word, value).
        name: a name for the device, which has to be unique at the post.

    """

    kind: str
    where: str
    what: str
    drivers: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    facts: tuple[tuple[str, str], ...] = ()
    name: str = ""


def addresses(interfaces: Iterable[str]) -> list[str]:
    """Our own addresses on these interfaces, named or given by address; all but loopback if there are none.

    Raises:
        ValueError: there is no such interface.
    """
    known = discovery.interfaces()
    wanted = list(interfaces)
    unknown = [name for name in wanted if name not in known and name not in known.values()]
    if unknown:
        there = ", ".join(f"{name} ({address})" for name, address in known.items())
        raise ValueError(f"there is no interface {unknown[0]} with an IPv4 address; there are: {there}")
    if wanted:
        return [known.get(name, name) for name in wanted]
    return [address for address in known.values() if not address.startswith("127.")] or list(known.values())


def cameras(own: list[str], seconds: float, timeout: float) -> list[Candidate]:
    """The cameras that answer a call on these networks, and what each tells without an account."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found: dict[str, tuple[Found, str]] = {}
        for address, answers in zip(own, pool.map(lambda at: _search(at, seconds), own), strict=True):
            for answer in answers:
                found.setdefault(answer.endpoint, (answer, address))
        return list(pool.map(lambda each: _camera(each[0], each[1], timeout), found.values()))


def camera(host: str, port: int, account: Account | None, timeout: float) -> Candidate:
    """One camera whose address is known, by what it tells this account."""
    told = describe(Peer(host, port, account, timeout), account)
    settings = {"host": host, "port": port} | ({"user": account.user} if account is not None else {})
    return _candidate(f"{host}:{port}", told, settings, "")


def _search(address: str, seconds: float) -> list[Found]:
    try:
        return list(discovery.search(address, seconds=seconds))
    except OSError:  # an interface without a network
        return []


def _camera(found: Found, own: str, timeout: float) -> Candidate:
    where = f"{found.host}:{found.port}"
    settings = {"host": found.host, "port": found.port, "endpoint": found.endpoint, "interface": own}
    said = " ".join(found.scopes[word] for word in ("name", "hardware") if word in found.scopes)
    if found.secure:
        told = Description(withheld="It wants HTTPS, which this agent does not speak to cameras: allow HTTP there.")
    else:
        told = describe(Peer(found.host, found.port, None, timeout), None)
    return _candidate(where, told, settings, said)


def _candidate(where: str, told: Description, settings: dict[str, Any], said: str) -> Candidate:
    known = told.identity
    facts = [("firmware", known.firmware)] if known is not None else []
    facts += [("clock", told.clock)] if told.clock else []
    if told.services:
        facts += [(word, "yes" if word in told.services else "no") for word in ("events", "ptz", "imaging")]
    facts += [("presets", ", ".join(told.presets))] if told.presets else []
    for profile in told.profiles:
        rate = f", {profile.frames_per_second:g} frames/s" if profile.frames_per_second else ""
        stream = told.streams.get(profile.token, "")
        facts.append(
            (f"profile {profile.token}", f"{profile.width} x {profile.height} {profile.encoding}{rate} {stream}")
        )
    facts += [("withheld", told.withheld)] if told.withheld else []
    what = f"{known.maker} {known.model}" if known is not None else said or "ONVIF camera"
    return Candidate("camera", where, what, ("cctv.onvif",), settings, tuple(facts), _slug(f"camera-{where}"))


def serial_ports(drivers: tuple[str, ...]) -> Iterator[Candidate]:
    """The serial ports with something plugged in; not those of the mainboard, which are there without."""
    from serial.tools import list_ports  # noqa: PLC0415  (only needed here)

    for port in sorted(list_ports.comports()):
        if port.vid is None:
            continue
        settings = {"usb": f"{port.vid:04x}:{port.pid:04x}"}
        settings |= {"serial_number": port.serial_number} if port.serial_number else {}
        what = " ".join(word for word in (port.manufacturer, port.product) if word) or "USB serial port"
        facts = (("usb", settings["usb"]), ("serial number", port.serial_number or "none"))
        yield Candidate(
            "serial", port.device, what, drivers, settings, facts, _slug(f"serial-{Path(port.device).name}")
        )


def video_devices(drivers: tuple[str, ...], root: Path = V4L2, by_id: Path = BY_ID) -> Iterator[Candidate]:
    """The V4L2 devices that deliver pictures."""
    links = {link.resolve().name: link for link in sorted(by_id.iterdir())} if by_id.is_dir() else {}
    for entry in sorted(root.iterdir()) if root.is_dir() else ():
        if not _captures(Path("/dev") / entry.name):
            continue
        try:
            what = (entry / "name").read_text().strip()[:80]
        except OSError:
            what = ""
        path = str(links.get(entry.name, Path("/dev") / entry.name))
        yield Candidate("video", path, what or "camera", drivers, {"device": path}, (), _slug(f"camera-{entry.name}"))


def _captures(path: Path) -> bool:
    """Whether a V4L2 device delivers pictures (VIDIOC_QUERYCAP); those that we may not open are taken to do so."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except PermissionError:
        return True
    except OSError:
        return False
    try:
        answer = fcntl.ioctl(handle, _VIDIOC_QUERYCAP, bytes(104))
    except OSError:
        return False
    finally:
        os.close(handle)
    capabilities, own = struct.unpack_from("II", answer, 84)
    return bool((own if capabilities & _DEVICE_CAPS else capabilities) & _CAPTURE)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
