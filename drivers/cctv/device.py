"""What an ONVIF camera is and can do: profiles, addresses of its pictures, presets, imaging."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from drivers.cctv.http import Account, Peer
from drivers.cctv.soap import FaultError, Session, describe_offset, path_of
from edge_agent.driver import DriverError

_STREAM: Final = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
NEAR: Final = 0.02
"""How far a position may be from a preset, in the generic space from -1 to 1, and yet be it."""

Position = tuple[float, float, float]
"""Pan, tilt and zoom as the camera counts them."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One way in which the camera delivers its picture."""

    token: str
    name: str
    width: int
    height: int
    encoding: str
    frames_per_second: float
    source: str
    ptz: bool


@dataclass(frozen=True, slots=True)
class Preset:
    """A place that the camera can look at; not every camera tells its position."""

    token: str
    name: str
    position: Position | None


@dataclass(frozen=True, slots=True)
class Identity:
    """What the camera says that it is."""

    maker: str
    model: str
    firmware: str


def identity(session: Session) -> Identity:
    """Of GetDeviceInformation. The serial number is left out: nobody needs it here."""
    answer = session.call("devicemgmt", "GetDeviceInformation")
    return Identity(*(_text(getattr(answer, name, "")) for name in ("Manufacturer", "Model", "FirmwareVersion")))


def profiles(session: Session) -> list[Profile]:
    """The camera's profiles with video, the largest first."""
    found = []
    for profile in session.call("media", "GetProfiles") or ():
        encoder = getattr(profile, "VideoEncoderConfiguration", None)
        size = getattr(encoder, "Resolution", None)
        rate = getattr(encoder, "RateControl", None)
        source = getattr(profile, "VideoSourceConfiguration", None)
        found.append(
            Profile(
                str(profile.token),
                _text(getattr(profile, "Name", "")),
                int(getattr(size, "Width", 0) or 0),
                int(getattr(size, "Height", 0) or 0),
                _text(getattr(encoder, "Encoding", "")),
                float(getattr(rate, "FrameRateLimit", 0) or 0),
                _text(getattr(source, "SourceToken", "")),
                getattr(profile, "PTZConfiguration", None) is not None,
            )
        )
    return sorted(found, key=lambda profile: -profile.width * profile.height)


def choose(found: list[Profile], token: str, *, height: int) -> Profile:
    """The profile with a token or name; with an empty one the smallest that has at least ``height`` lines.

    Raises:
        DriverError: there is none.
    """
    if not found:
        raise DriverError("The camera has no profile: set one up on its own page.")
    if token:
        named = [profile for profile in found if token in {profile.token, profile.name}]
        if not named:
            known = ", ".join(profile.token for profile in found)
            raise DriverError(f"The camera has no profile {token}; it has {known}.")
        return named[0]
    enough = [profile for profile in found if profile.height >= height]
    return min(enough, key=lambda profile: profile.width * profile.height) if enough else found[0]


def stream_address(session: Session, profile: Profile) -> str:
    """Where the stream is, at the host that we know, without an account."""
    answer = session.call("media", "GetStreamUri", StreamSetup=_STREAM, ProfileToken=profile.token)
    try:
        parts = urlsplit(_text(getattr(answer, "Uri", ""), 1000))
        port = parts.port or 554
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "rtsp":
        raise FaultError(f"The camera at {session.peer} has no RTSP stream for its profile {profile.token}.")
    return urlunsplit(("rtsp", f"{session.peer.host}:{port}", parts.path, parts.query, ""))


def with_account(address: str, account: Account | None) -> str:
    """A stream's address as a player wants it: never to be shown to anybody."""
    if account is None:
        return address
    parts = urlsplit(address)
    who = f"{quote(account.user, safe='')}:{quote(account.password(), safe='')}"
    return urlunsplit((parts.scheme, f"{who}@{parts.netloc}", parts.path, parts.query, ""))


def snapshot_path(session: Session, profile: Profile) -> str | None:
    """Where the camera's web server has a single picture; None if it has none."""
    try:
        answer = session.call("media", "GetSnapshotUri", ProfileToken=profile.token)
    except FaultError:
        return None
    address = _text(getattr(answer, "Uri", ""), 1000)
    return path_of(address) if address.startswith("http") else None


def presets(session: Session, profile: Profile) -> list[Preset]:
    """The places that the camera can look at."""
    answer = session.call("ptz", "GetPresets", ProfileToken=profile.token)
    return [
        Preset(_text(entry.token), _text(getattr(entry, "Name", "")), _position(getattr(entry, "PTZPosition", None)))
        for entry in answer or ()
    ]


def find_preset(session: Session, profile: Profile, wanted: str) -> Preset:
    """A preset by its name or token.

    Raises:
        DriverError: there is none; the message says which there are.
    """
    known = presets(session, profile)
    for preset in known:
        if wanted.casefold() in {preset.name.casefold(), preset.token.casefold()}:
            return preset
    names = ", ".join(preset.name or preset.token for preset in known) or "none"
    raise DriverError(f"The camera has no preset {wanted}; it has {names}.")


def goto(session: Session, profile: Profile, preset: Preset) -> None:
    """Look at a preset."""
    session.call("ptz", "GotoPreset", ProfileToken=profile.token, PresetToken=preset.token)


def goto_home(session: Session, profile: Profile) -> None:
    """Look where the camera's own home position is."""
    session.call("ptz", "GotoHomePosition", ProfileToken=profile.token)


def position(session: Session, profile: Profile) -> Position | None:
    """Where the camera looks; None if it does not tell."""
    return _position(getattr(session.call("ptz", "GetStatus", ProfileToken=profile.token), "Position", None))


def near(one: Position, other: Position) -> bool:
    """Whether two positions are the same, but for the play of gears."""
    return all(abs(a - b) <= NEAR for a, b in zip(one, other, strict=True))


def night(session: Session, source: str) -> bool | None:
    """Whether the camera sees by infrared: its filter is out. None if it does not tell, or decides by itself."""
    settings = session.call("imaging", "GetImagingSettings", VideoSourceToken=source)
    return {"ON": False, "OFF": True}.get(_text(getattr(settings, "IrCutFilter", "")))


def _position(at: Any) -> Position | None:
    try:
        zoom = getattr(getattr(at, "Zoom", None), "x", None)
        return float(at.PanTilt.x), float(at.PanTilt.y), float(zoom or 0.0)
    except (AttributeError, TypeError, ValueError):
        return None


def _text(value: Any, longest: int = 80) -> str:
    return "".join(character for character in str(value or "") if character.isprintable())[:longest]


@dataclass(frozen=True, slots=True)
class Description:
    """What a camera tells somebody who has no account, or has one.

    Attributes:
        clock: how far its clock is off, in words; empty if it does not tell.
        services: those that it has, by their names in onvif-zeep.
        streams: addresses by the token of the profile.
        withheld: why the rest is not known; empty if all is.

    """

    identity: Identity | None = None
    clock: str = ""
    services: tuple[str, ...] = ()
    profiles: tuple[Profile, ...] = ()
    streams: dict[str, str] = field(default_factory=dict)
    presets: tuple[str, ...] = ()
    withheld: str = ""


def describe(peer: Peer, account: Account | None) -> Description:
    """As much as the camera tells. A camera that refuses a part is not asked again with anything else."""
    known: dict[str, Any] = {}
    try:
        session = Session(peer, account)
        known["clock"] = describe_offset(session.offset)
        known["services"] = tuple(sorted(session.paths))
        known["identity"] = identity(session)
        found = known["profiles"] = tuple(profiles(session))
        known["streams"] = {profile.token: stream_address(session, profile) for profile in found}
        if session.has("ptz") and found:
            known["presets"] = tuple(preset.name or preset.token for preset in presets(session, found[0]))
    except DriverError as error:
        known["withheld"] = str(error)
    return Description(**known)
