"""Requests to one camera, bounded in time and size whatever it answers, and to nobody else.

``requests`` and zeep limit each read of a socket, not the whole answer: a camera that sends a byte every half second
would hold them for ever. Here a point in time bounds all of it. Host and port are fixed; a redirection is an answer
like any other, so that credentials never follow it.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import socket
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from edge_agent.driver import DriverError

MAX_BYTES: Final = 8 * 1024**2
"""Of one answer; a 4K snapshot has 3 MB."""


class UnreachableError(DriverError):
    """The camera does not answer, or not in time."""


class RefusedError(DriverError):
    """The camera does not accept who we are."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are at a camera. The password is asked for each time, and is never sent in clear unless ``basic``."""

    user: str
    password: Callable[[], str]
    basic: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What a camera answered; the names are those that zeep looks for."""

    status_code: int
    headers: http.client.HTTPMessage
    content: bytes
    encoding: str | None = None


class Peer:
    """The web server of one camera. Each request has a connection of its own: cameras allow few, and forget them."""

    def __init__(self, host: str, port: int, account: Account | None = None, seconds: float = 5.0) -> None:
        self.host, self.port = host, port
        self.seconds = seconds
        self.account = account
        self._challenge: dict[str, str] = {}
        self._count = count(1)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, *, extra: float = 0.0
    ) -> Reply:
        """The answer to one request, whatever its status; ``extra`` seconds are added where the camera may wait.

        Raises:
            UnreachableError: no whole answer within the time, or more than ``MAX_BYTES``.
        """
        until = time.monotonic() + self.seconds + extra
        reply = self._once(method, path, body, headers or {}, until)
        if reply.status_code == 401 and self.account is not None:
            challenges = reply.headers.get_all("WWW-Authenticate") or []
            digests = [_parameters(text) for text in challenges if text.lower().startswith("digest ")]
            self._challenge = next((found for found in digests if found.get("algorithm", "MD5").upper() in _HASHES), {})
            self._count = count(1)
            if self._challenge or (self.account.basic and any(text.lower().startswith("basic") for text in challenges)):
                reply = self._once(method, path, body, headers or {}, until)
        return reply

    def _once(self, method: str, path: str, body: bytes, headers: dict[str, str], until: float) -> Reply:
        connection = _Connection(self.host, self.port, until)
        try:
            connection.request(method, path, body or None, {**headers, **self._authorization(method, path), **_CLOSE})
            response = connection.getresponse()
            content = response.read(MAX_BYTES + 1)
        except TimeoutError:
            raise UnreachableError(f"The camera at {self} does not answer in time.") from None
        except OSError as error:
            why = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else "its name is not known"
            raise UnreachableError(f"The camera at {self} cannot be reached ({why}).") from None
        except (http.client.HTTPException, ValueError):
            raise UnreachableError(f"The camera at {self} breaks off, or does not speak HTTP.") from None
        finally:
            connection.close()
        if response.length and len(content) <= MAX_BYTES:
            raise UnreachableError(f"The camera at {self} breaks off in the middle of its answer.")
        if len(content) > MAX_BYTES:
            raise UnreachableError(f"The camera at {self} answers with more than {MAX_BYTES >> 20} MiB.")
        return Reply(response.status, response.headers, content)

    def _authorization(self, method: str, path: str) -> dict[str, str]:
        account = self.account
        if account is None:
            return {}
        if self._challenge:
            return {"Authorization": digest(self._challenge, account, method, path, next(self._count))}
        if account.basic:
            token = b64encode(f"{account.user}:{account.password()}".encode()).decode()
            return {"Authorization": f"Basic {token}"}
        return {}


_CLOSE: Final = {"Connection": "close"}
_HASHES: Final = {"MD5": "md5", "SHA-256": "sha256"}
_PARAMETER: Final = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')


def _parameters(challenge: str) -> dict[str, str]:
    """The parameters of a ``WWW-Authenticate: Digest``."""
    return {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(challenge)}


def digest(challenge: dict[str, str], account: Account, method: str, path: str, use: int) -> str:
    """The ``Authorization`` that answers a digest challenge (RFC 7616, section 3.4), for the ``use``-th time."""
    algorithm = challenge.get("algorithm", "MD5").upper()

    def hashed(text: str) -> str:
        return hashlib.new(_HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce = challenge.get("realm", ""), challenge.get("nonce", "")
    secret = hashed(f"{account.user}:{realm}:{account.password()}")
    asked = hashed(f"{method}:{path}")
    fields = {"username": account.user, "realm": realm, "nonce": nonce, "uri": path}
    plain = {"algorithm": algorithm}
    if "auth" in [word.strip() for word in challenge.get("qop", "").split(",")]:
        plain |= {"qop": "auth", "nc": f"{use:08x}"}
        fields["cnonce"] = os.urandom(8).hex()
        fields["response"] = hashed(f"{secret}:{nonce}:{plain['nc']}:{fields['cnonce']}:auth:{asked}")
    else:
        fields["response"] = hashed(f"{secret}:{nonce}:{asked}")
    if "opaque" in challenge:
        fields["opaque"] = challenge["opaque"]
    quoted = [f'{name}="{value}"' for name, value in fields.items()]
    return "Digest " + ", ".join([*quoted, *(f"{name}={value}" for name, value in plain.items())])


class _Connection(http.client.HTTPConnection):
    """A connection that ends at a point in time (CLOCK_MONOTONIC)."""

    def __init__(self, host: str, port: int, until: float) -> None:
        super().__init__(host, port, timeout=max(0.01, until - time.monotonic()))
        self._until = until

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self.sock.until = self._until


class _Socket(socket.socket):
    """A socket that gives up at a point in time, however slowly something trickles in."""

    until = 0.0

    def _limit(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        self._limit()
        return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._limit()
        super().sendall(data, flags)
