"""The web server of the page: on loopback only, for whoever knows the address, with nothing from elsewhere.

The address holds a random token, so that neither other users of this computer nor pages in the same browser can call
it; the name of the host is checked, so that no other name can be made to lead here.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, Final

from pydantic import ValidationError

from edge_agent.cli.calibrate.page.feed import Feed
from edge_agent.cli.calibrate.page.shapes import Shapes

MAX_BODY: Final = 128 * 1024
READ_SECONDS: Final = 10
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' blob:; connect-src 'self'; style-src 'nonce-{nonce}'; "
        "script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Keep = Callable[[Shapes], str]
"""Writes the shapes into the device's file; says what was written where, or raises ``ValueError`` with the reason."""


class Page:
    """The page of one camera, served until ``close``.

    Attributes:
        address: to be opened in a browser on this computer.
        done: set once the technician says so.

    """

    def __init__(self, name: str, feed: Feed, shapes: Callable[[], Shapes], keep: Keep, port: int = 0) -> None:
        self.done = threading.Event()
        self._token, self._nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(12)
        self._name, self._feed, self._shapes, self._keep = name, feed, shapes, keep
        self._writing = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.address = f"http://127.0.0.1:{self.port}/{self._token}/"
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self) -> None:
        """Serve nobody any more."""
        self._server.shutdown()
        self._server.server_close()

    def get(self, what: str) -> tuple[int, bytes, str]:
        """Status, body and media type of what lies below the token."""
        match what:
            case "":
                text = files("edge_agent.cli.calibrate.page").joinpath("page.html").read_text("utf-8")
                return 200, text.replace("{nonce}", self._nonce).encode(), "text/html; charset=utf-8"
            case "picture.jpg" | "background.jpg":
                picture = self._feed.jpeg() if what == "picture.jpg" else self._feed.background()
                return (200, picture, "image/jpeg") if picture is not None else (503, b"", "text/plain")
            case "state.json":
                return self._json(200, {"name": self._name, "shapes": self._shapes().model_dump(), **self._health()})
            case "health.json":
                return self._json(200, self._health())
            case _:
                return 404, b"", "text/plain"

    def post(self, what: str, body: bytes) -> tuple[int, bytes, str]:
        """The same for what changes something."""
        match what:
            case "save":
                try:
                    shapes = Shapes.model_validate_json(body)
                    with self._writing:
                        return self._json(200, {"said": self._keep(shapes)})
                except ValidationError as error:
                    first = error.errors(include_url=False)[0]
                    place = ".".join(str(part) for part in first["loc"])
                    return self._json(422, {"said": f"{place}: {first['msg']}"})
                except ValueError as error:
                    return self._json(409, {"said": str(error)})
            case "done":
                self.done.set()
                return self._json(200, {"said": "This page may be closed."})
            case _:
                return 404, b"", "text/plain"

    def _health(self) -> dict[str, Any]:
        return {"figures": self._feed.figures(), "trouble": self._feed.trouble}

    def _json(self, status: int, content: dict[str, Any]) -> tuple[int, bytes, str]:
        return status, json.dumps(content).encode(), "application/json"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self

        class Handler(BaseHTTPRequestHandler):
            timeout = READ_SECONDS

            def log_message(self, *_: object) -> None:
                return  # the address is a secret

            def do_GET(self) -> None:
                what = self._below()
                self._answer(*(page.get(what) if what is not None else (404, b"", "text/plain")))

            def do_POST(self) -> None:
                what, length = self._below(), self.headers.get("Content-Length", "")
                origin = self.headers.get("Origin", f"http://{self.headers['Host']}")
                if what is None or origin != f"http://{self.headers['Host']}":
                    self._answer(404, b"", "text/plain")
                elif self.headers.get_content_type() != "application/json":
                    self._answer(415, b"", "text/plain")
                elif not length.isdecimal() or int(length) > MAX_BODY:
                    self._answer(413, b"", "text/plain")
                else:
                    self._answer(*page.post(what, self.rfile.read(int(length))))

            def _below(self) -> str | None:
                """The path below the token; None for who does not know it, or came under another name."""
                first, token, what = (*self.path.split("?")[0].split("/", 2), "", "")[:3]
                named = self.headers.get("Host") in {f"127.0.0.1:{page.port}", f"localhost:{page.port}"}
                return what if named and not first and secrets.compare_digest(token, page._token) else None

            def _answer(self, status: int, body: bytes, media_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in _HEADERS.items():
                    self.send_header(name, value.format(nonce=page._nonce))
                self.end_headers()
                self.wfile.write(body)

        return Handler
