"""A TCP proxy that can be told to be a bad link."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Literal, Self

Mode = Literal["pass", "swallow", "refuse"]


class Proxy:
    """Between the agent and the broker: passes, swallows everything (both ways, connections stay open), or refuses."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.mode: Mode = "pass"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._peers: dict[socket.socket, socket.socket | None] = {}
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._thread.join(2)
        for sock in list(self._peers):
            sock.close()
        self._listener.close()

    def _run(self) -> None:
        while self._running:
            for key, _ in self._selector.select(0.1):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._pass_on(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if self.mode == "refuse":
            client.close()
            return
        server = None
        if self.mode == "pass":
            with contextlib.suppress(OSError):
                server = socket.create_connection(("127.0.0.1", self.target), 1)
            if server is None:
                client.close()
                return
            self._peers[server] = client
            self._selector.register(server, selectors.EVENT_READ)
        self._peers[client] = server
        self._selector.register(client, selectors.EVENT_READ)

    def _pass_on(self, sock: socket.socket) -> None:
        if sock not in self._peers:
            return
        peer = self._peers[sock]
        try:
            data = sock.recv(65536)
            if data and peer is not None and self.mode == "pass":
                peer.sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (sock, peer):
                if end is not None and self._peers.pop(end, self) is not self:
                    self._selector.unregister(end)
                    end.close()
