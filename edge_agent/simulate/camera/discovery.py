"""The camera's side of WS-Discovery (April 2005): it answers probes that are sent to everybody."""

from __future__ import annotations

import re
import socket
import struct
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from xml.sax.saxutils import escape

GROUP: Final = ("239.255.255.250", 3702)

_MATCH: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>urn:uuid:{message}</w:MessageID>'
    "<w:RelatesTo>{relates}</w:RelatesTo>"
    "<w:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</w:To>"
    "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</w:Action></e:Header><e:Body>"
    "<d:ProbeMatches><d:ProbeMatch><w:EndpointReference><w:Address>{endpoint}</w:Address></w:EndpointReference>"
    "<d:Types>dn:NetworkVideoTransmitter</d:Types>"
    "<d:Scopes>onvif://www.onvif.org/name/Simulated%20camera onvif://www.onvif.org/hardware/none</d:Scopes>"
    "<d:XAddrs>{address}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></e:Body>"
    "</e:Envelope>"
)


class Responder:
    """Answers probes on the loopback interface until it is closed; several may run beside each other."""

    def __init__(self, endpoint: str, address: Callable[[], str]) -> None:
        self._endpoint, self._address = endpoint, address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(GROUP)
        member = struct.pack("4s4s", socket.inet_aton(GROUP[0]), socket.inet_aton("127.0.0.1"))
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Fall silent."""
        with suppress(OSError):  # not connected, and yet it wakes who waits in it
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                data, caller = self._socket.recvfrom(8192)
            except OSError:
                return
            asked = re.search(rb"MessageID[^>]*>\s*([^<\s]+)", data)
            if not data or asked is None or b"discovery/Probe<" not in data.replace(b" ", b""):
                continue
            message = _MATCH.format(
                message=uuid.uuid4(),
                relates=escape(asked[1].decode(errors="replace")),
                endpoint=self._endpoint,
                address=escape(self._address()),
            )
            self._socket.sendto(message.encode(), caller)
