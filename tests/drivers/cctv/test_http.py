"""Requests to a camera: who it is told that we are, and what it cannot do to us."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from drivers.cctv import http
from drivers.cctv.http import Account, Peer, UnreachableError, digest

ACCOUNT = Account("Mufasa", lambda: "Circle of Life")
Answer = Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str], bytes]]


@contextmanager
def server(answer: Answer) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            return

        def do_GET(self) -> None:
            status, headers, body = answer(self)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    found = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True).start()
    yield found.server_port
    found.shutdown()
    found.server_close()


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_digest_is_that_of_the_standard(monkeypatch: pytest.MonkeyPatch, algorithm: str, response: str) -> None:
    """RFC 7616, section 3.9.1; its cnonce is text, and ours is random."""
    nonce, cnonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

    class Random:
        def hex(self) -> str:
            return cnonce

    monkeypatch.setattr(http.os, "urandom", lambda _size: Random())
    challenge = {"realm": "http-auth@example.org", "nonce": nonce, "qop": "auth, auth-int", "algorithm": algorithm}
    answer = digest(challenge, ACCOUNT, "GET", "/dir/index.html", 1)
    assert f'response="{response}"' in answer
    assert "nc=00000001" in answer
    assert "Circle" not in answer


def test_a_digest_camera_lets_us_in_and_the_password_is_not_sent() -> None:
    seen: list[str] = []

    def hashed(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def camera(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        seen.append(request.headers.get("Authorization", ""))
        if not seen[-1]:
            return 401, {"WWW-Authenticate": 'Digest realm="cam", nonce="abc"'}, b""
        inner, outer = hashed("Mufasa:cam:Circle of Life"), hashed("GET:/snapshot?x=1")
        right = hashed(f"{inner}:abc:{outer}")
        return (200, {}, b"picture") if f'response="{right}"' in seen[-1] else (403, {}, b"")

    with server(camera) as port:
        assert Peer("127.0.0.1", port, ACCOUNT).request("GET", "/snapshot?x=1").content == b"picture"
    assert len(seen) == 2
    assert "Circle" not in "".join(seen)


def test_the_password_goes_out_in_clear_only_where_that_is_allowed() -> None:
    seen: list[str] = []

    def camera(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
        seen.append(request.headers.get("Authorization", ""))
        return (200 if seen[-1] else 401), {"WWW-Authenticate": 'Basic realm="cam"'}, b""

    with server(camera) as port:
        assert Peer("127.0.0.1", port, ACCOUNT).request("GET", "/").status_code == 401
        assert set(seen) == {""}
        allowed = Account("a", lambda: "b", basic=True)
        assert Peer("127.0.0.1", port, allowed).request("GET", "/").status_code == 200
    assert seen[-1] == "Basic YTpi"


def test_nobody_is_followed_anywhere() -> None:
    with (
        server(lambda _: (200, {}, b"a trap")) as trap,
        server(lambda _: (302, {"Location": f"http://127.0.0.1:{trap}/"}, b"")) as port,
    ):
        reply = Peer("127.0.0.1", port, ACCOUNT).request("GET", "/")
    assert (reply.status_code, reply.content) == (302, b"")


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        ({}, b"x" * 3000, "more than 0 MiB"),
        ({"Content-Length": "1000000000000"}, b"x" * 3000, "more than 0 MiB"),
        ({"Content-Length": "500"}, b"x" * 100, "breaks off"),
        ({"Transfer-Encoding": "chunked"}, b"FFFFFFFFFFFF\r\nx", "breaks off"),
    ],
)
def test_an_answer_without_end_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], body: bytes, said: str
) -> None:
    monkeypatch.setattr(http, "MAX_BYTES", 2000)
    with server(lambda _: (200, headers, body)) as port, pytest.raises(UnreachableError, match=said):
        Peer("127.0.0.1", port).request("GET", "/")
