"""WS-Discovery (April 2005), the asking side: which cameras are on a network, and where one is by now.

Of an address that is answered only the port is taken, and the host is the sender: a camera behind translation reports
an address that nobody can reach, and a liar that of somebody else.
"""

from __future__ import annotations

import fcntl
import re
import socket
import struct
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

GROUP: Final = ("239.255.255.250", 3702)
LARGEST: Final = 65536
_SIOCGIFADDR: Final = 0x8915
_REPEAT_SECONDS: Final = 0.5
"""A probe is a datagram, and may be lost."""

_PROBE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>uuid:{message}</w:MessageID>'
    "<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
    "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body><d:Probe>"
    "<d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A camera that answered.

    Attributes:
        endpoint: its endpoint reference, which stays when its address changes.
        host: where the answer came from.
        port: of its device service.
        secure: whether it wants HTTPS.
        scopes: what it says of itself, by kind (``name``, ``hardware``, ``location`` ...).

    """

    endpoint: str
    host: str
    port: int
    secure: bool
    scopes: dict[str, str]


def interfaces() -> dict[str, str]:
    """The network interfaces that have an IPv4 address, and that address, loopback last."""
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                continue
            found[name] = socket.inet_ntoa(answer[20:24])
    return dict(sorted(found.items(), key=lambda entry: entry[1].startswith("127.")))


def search(address: str = "", *, seconds: float = 2.0, endpoint: str = "") -> Iterator[Found]:
    """Cameras as they answer on the interface with an IPv4 address (empty: the one that the system chooses).

    With an ``endpoint`` only that one, and no longer than until it has answered.

    Raises:
        OSError: nothing can be sent there.
    """
    until = time.monotonic() + seconds
    message = str(uuid.uuid4())
    seen: set[str] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        if address:
            asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        asking.bind((address, 0))
        ask = 0.0
        while (now := time.monotonic()) < until:
            if now >= ask:
                asking.sendto(_PROBE.format(message=message).encode(), GROUP)
                ask = now + _REPEAT_SECONDS
            asking.settimeout(max(0.01, min(ask, until) - now))
            try:
                data, (sender, _) = asking.recvfrom(LARGEST)
            except TimeoutError:
                continue
            for found in read(data, sender, message):
                if found.endpoint not in seen and endpoint in {"", found.endpoint}:
                    seen.add(found.endpoint)
                    yield found
                    if endpoint:
                        return


def read(data: bytes, sender: str, message: str) -> list[Found]:
    """The cameras in an answer to the probe with the id ``message``; none where it is anything else."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    if not (root.findtext(".//{*}RelatesTo") or "").strip().endswith(message):
        return []
    found = []
    for match in root.iterfind(".//{*}ProbeMatch"):
        endpoint = (match.findtext(".//{*}EndpointReference/{*}Address") or "").strip()
        try:
            addresses = [urlsplit(text) for text in (match.findtext(".//{*}XAddrs") or "").split()]
            own = [parts for parts in addresses if parts.hostname == sender] or addresses  # first its own, if several
            port, secure = (own[0].port, own[0].scheme == "https") if own else (None, False)
        except ValueError:  # not an address
            continue
        if endpoint.isprintable() and 0 < len(endpoint) <= 200:
            scopes = _scopes(match.findtext(".//{*}Scopes") or "")
            found.append(Found(endpoint, sender, port or (443 if secure else 80), secure, scopes))
    return found


def _scopes(text: str) -> dict[str, str]:
    pairs = re.findall(r"onvif://www\.onvif\.org/([\w-]+)/(\S+)", text)
    readable = {kind.lower(): "".join(c for c in unquote(value) if c.isprintable())[:80] for kind, value in pairs}
    return {kind: value for kind, value in readable.items() if kind not in {"type", "profile"}}
