"""What a worker and the main process say to each other, over a SOCK_SEQPACKET socket pair.

Every frame arrives whole or not at all, so a worker that stops in the middle of anything cannot hold up the main
process. Evidence does not pass through the socket: it travels as a sealed memory file whose descriptor goes with the
frame. Nothing is unpickled: a worker that a hostile file has taken over can say no more than these frames.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from edge_agent.events.evidence import Sha256
from edge_agent.events.status import State

MAX_FRAME = 160 * 1024
MAX_EVIDENCE = 16 * 1024 * 1024
MAX_EVIDENCE_ITEMS = 8
ACKNOWLEDGED = b"\x06"

_OBSERVATION, _REPORT = b"o", b"r"
_HEAD = struct.Struct("!cH")
_SUFFIX = re.compile(r"[a-z]+(-[a-z]+)*/[a-z]+(-[a-z]+)*")
_HASH = re.compile(r"[0-9a-f]{64}")
_MEDIA = re.compile(r"[a-z]+/[a-z0-9.+-]+")
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class FrameError(Exception):
    """A frame that breaks the rules: its sender is not to be trusted any longer."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Evidence that is to be published."""

    sha256: Sha256
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Observed:
    """From the worker: an encoded event; answered by ``ACKNOWLEDGED`` once it is durable."""

    suffix: str
    """``family/event``, the end of its topic."""
    encoded: bytes
    key: bytes | None = None
    blobs: tuple[Blob, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """From the worker: how the device is doing."""

    state: State
    reason: str = ""
    rejected: int = 0
    """How many inputs were set aside since the last report."""


def pair() -> tuple[socket.socket, socket.socket]:
    """A connected pair: the main process's end (never blocks on sending) and the worker's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_FRAME)
    ours.setblocking(False)
    return ours, theirs


def send_observed(sock: socket.socket, frame: Observed) -> None:
    """Send an observation.

    Raises:
        ValueError: the event or its evidence is larger than what the main process takes.

    """
    words = [frame.suffix, frame.key.hex() if frame.key else ""]
    for blob in frame.blobs:
        words += [blob.sha256, blob.media_type]
    head = " ".join(words).encode()
    packet = _HEAD.pack(_OBSERVATION, len(head)) + head + frame.encoded
    if len(packet) > MAX_FRAME:
        raise ValueError(f"an event of {len(frame.encoded)} bytes is too large; at most {MAX_FRAME} fit")
    if not frame.blobs:
        sock.send(packet)
        return
    files = [_memory_file(blob.body) for blob in frame.blobs]
    try:
        socket.send_fds(sock, [packet], files)
    finally:
        for file in files:
            os.close(file)


def send_report(sock: socket.socket, report: Report) -> None:
    """Send how the device is doing."""
    body = json.dumps({"state": report.state, "reason": report.reason[:2000], "rejected": report.rejected}).encode()
    sock.send(_HEAD.pack(_REPORT, 0) + body)


def receive(sock: socket.socket) -> Observed | Report | None:
    """The next frame, None when the worker has gone.

    Raises:
        FrameError: the frame breaks the rules.
        BlockingIOError: there is no frame.

    """
    try:
        packet, files, flags, _ = socket.recv_fds(sock, MAX_FRAME, MAX_EVIDENCE_ITEMS, socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        return None
    try:
        if not packet:
            return None
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise FrameError("too long")
        return _parse(packet, files)
    finally:
        for file in files:
            os.close(file)


def _parse(packet: bytes, files: Sequence[int]) -> Observed | Report:
    try:
        kind, length = _HEAD.unpack_from(packet)
        head, body = packet[_HEAD.size : _HEAD.size + length], packet[_HEAD.size + length :]
        if kind == _REPORT:
            said = json.loads(body)
            return Report(State(said["state"]), str(said["reason"]), int(said["rejected"]))
        if kind != _OBSERVATION:
            raise FrameError("unknown kind")
        suffix, key, *blobs = head.decode("ascii").split(" ")
        if not _SUFFIX.fullmatch(suffix):
            raise FrameError("bad topic")
        named = zip(blobs[::2], blobs[1::2], files, strict=True)
        return Observed(suffix, body, bytes.fromhex(key) or None, tuple(_blob(*each) for each in named))
    except (ValueError, KeyError, TypeError, struct.error, OSError) as error:
        raise FrameError(type(error).__name__) from error


def _blob(name: str, media_type: str, file: int) -> Blob:
    if not _HASH.fullmatch(name) or not _MEDIA.fullmatch(media_type):
        raise FrameError("bad evidence")
    if fcntl.fcntl(file, fcntl.F_GET_SEALS) & _SEALS != _SEALS:
        raise FrameError("evidence that can still change")
    size = os.fstat(file).st_size
    if size > MAX_EVIDENCE:
        raise FrameError("evidence too large")
    return Blob(name, media_type, os.pread(file, size, 0))


def _memory_file(body: bytes) -> int:
    if len(body) > MAX_EVIDENCE:
        raise ValueError(f"evidence of {len(body)} bytes is too large; at most {MAX_EVIDENCE} are taken")
    file = os.memfd_create("evidence", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(body)
    while view:
        view = view[os.write(file, view) :]
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
    return file
