"""PassportEye as a second opinion, in a process of its own: it needs seconds for a page, and nobody waits for it.

The process is fed one page at a time through a pipe, when it is idle; what comes while it is busy waits in a short
queue, from which the oldest is dropped. It ends with the pipe.
"""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from edge_agent.driver import Observation
from edge_agent.events.evidence import Sha256, sha256
from edge_agent.events.passport import Disagreement, PassportCompared, PassportRead

MOST_WAITING: Final = 8
"""Pages; a picture has a few megabytes."""
PATIENCE_SECONDS: Final = 60.0
"""Without an answer; then the process is replaced. PassportEye itself gives up much earlier."""
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class _Question:
    page: bytes
    name: Sha256
    lines: tuple[str, ...]


class SecondReader:
    """Asks for a second opinion on pages, and hands out the comparisons as they come. Nothing here ever waits."""

    def __init__(self) -> None:
        self._waiting: deque[_Question] = deque(maxlen=MOST_WAITING)
        self._asked: _Question | None = None
        self._since = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""
        self._idle = False

    def ask(self, page: bytes, read: PassportRead) -> None:
        """Have a picture file read once more; ``read`` is what we made of it."""
        self._waiting.append(_Question(page, sha256(page), tuple(read.lines)))

    def answer(self) -> Observation | None:
        """The next comparison, if there is one."""
        for line in self._listen():
            message = json.loads(line)
            self._idle = True
            question, self._asked = self._asked, None
            if question is not None:
                return Observation(compared(question.lines, message["lines"], message["engine"], question.name))
        if self._waiting and self._is_ready():
            self._send(self._waiting.popleft())
        elif self._asked is not None and time.monotonic() - self._since > PATIENCE_SECONDS:
            self.close()
        return None

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process, self._asked, self._idle, self._said = None, None, False, b""

    def _is_ready(self) -> bool:
        """Whether a page can be sent; the process is started with the first."""
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._idle

    def _send(self, question: _Question) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(_LENGTH.pack(len(question.page)) + question.page)
            process.stdin.flush()
        except BrokenPipeError:
            self.close()
            return
        self._asked, self._since, self._idle = question, time.monotonic(), False

    def _listen(self) -> Iterator[bytes]:
        process = self._process
        if process is None or process.stdout is None or not select.select([process.stdout], [], [], 0)[0]:
            return
        self._said += os.read(process.stdout.fileno(), 65536)
        *lines, self._said = self._said.split(b"\n")
        yield from lines


def compared(ours: tuple[str, ...], theirs: list[str], engine: str, page: Sha256) -> PassportCompared:
    """What a second reading of a page says about the first. A character that one of them lacks is empty."""
    places = [
        (i, column, _at(ours, i, column), _at(theirs, i, column))
        for i in range(max(len(ours), len(theirs)) if theirs else 0)
        for column in range(max(len(lines[i]) for lines in (ours, theirs) if i < len(lines)))
    ]
    differ = [
        Disagreement(line=i + 1, column=column + 1, values=[one, other])
        for i, column, one, other in places
        if one != other
    ]
    return PassportCompared(
        page=page,
        engine=engine,
        verdict="disagrees" if differ else "agrees" if theirs else "unread",
        findings=["second_opinion_disagrees"] if differ else [],
        lines=theirs,
        disagreements=differ,
    )


def _at(lines: tuple[str, ...] | list[str], line: int, column: int) -> str:
    return lines[line][column : column + 1] if line < len(lines) else ""


def _serve(pages: BinaryIO, answers: BinaryIO) -> None:
    """Be the process: say that it is ready, then read pages until the pipe ends."""
    from drivers.passport import second_opinion
    from edge_agent.processing.images import ImageError, decode

    second_opinion.warm()
    engine = second_opinion.version()
    lines: tuple[str, ...] = ()
    while True:
        answers.write(json.dumps({"engine": engine, "lines": lines}).encode() + b"\n")
        answers.flush()
        head = pages.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return
        page = pages.read(_LENGTH.unpack(head)[0])
        try:
            lines = second_opinion.lines(decode(page))
        except (ImageError, second_opinion.ReaderError):
            lines = ()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
