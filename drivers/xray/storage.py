"""X-ray scanners that send DICOS over the network: a storage service (C-STORE) that answers only for what is durable.

What is received is written to the device's folder and read from there like any other scan, so that bad files end in
quarantine and a power failure loses nothing. The C-STORE is answered with success once the event of the scan is
durable, or, for one half of a pair, once that half is safe in the folder: its other half comes only after the answer.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from drivers.folder import Content
from drivers.xray.dicos import uids
from drivers.xray.folder import ScanDriver
from drivers.xray.sets import FileSet, ScanFolder
from drivers.xray.settings import XraySettings
from edge_agent.driver import DriverError, Observation
from edge_agent.durable import write

if TYPE_CHECKING:
    from pynetdicom.events import Event
    from pynetdicom.transport import ThreadedAssociationServer

SUCCESS: Final = 0x0000
OUT_OF_RESOURCES: Final = 0xA700
CANNOT_UNDERSTAND: Final = 0xC000
"""DICOM PS3.4, table B.2-1. The first is temporary: a scanner sends the file again."""
MAX_PDU: Final = 1 << 18
_OVERHEAD: Final = 64
_NETWORK_SECONDS: Final = 60.0
_ACSE_SECONDS: Final = 15.0
_NAME_DIGITS: Final = 40


class XrayDicosSettings(XraySettings):
    """Settings of ``xray.dicos``."""

    address: str = Field(default="0.0.0.0", description="Address at which the scanner finds us")  # noqa: S104  (a scanner is another machine)
    port: int = Field(default=11112, ge=1, le=65535, description="11112 is usual; 104 needs privileges")
    ae_title: str = Field(
        default="EDGE-AGENT", pattern=r"^[A-Z0-9 _.-]{1,16}$", description="What the scanner calls us"
    )
    scanners: list[str] = Field(
        default=[], max_length=20, description="AE titles of the scanners that may send; empty: any may"
    )
    associations: int = Field(default=4, ge=1, le=50, description="How many may be connected at a time")
    answer_seconds: float = Field(
        default=60, ge=1, le=600, description="How long a scanner waits until its scan is durable, before it is told no"
    )


class XrayDicos(ScanDriver[XrayDicosSettings]):
    """Scanners that send DICOS images (DX) and threat detection reports (TDR) by C-STORE. C-ECHO is answered too."""

    kind = "xray.dicos"
    Settings = XrayDicosSettings

    def __init__(self, settings: XrayDicosSettings) -> None:
        super().__init__(settings)
        self._waiting = _Waiting()

    def observe(self) -> Iterator[Observation | None]:
        """Yield an observation for each scan that is sent."""
        server = self._listen()
        try:
            yield from super().observe()
        finally:
            self._waiting.close()
            server.shutdown()

    def poll(self, folder: ScanFolder, reader: Any) -> Observation | None:
        """Look once; halves that are safe are answered for."""
        observation = super().poll(folder, reader)
        if observation is None:
            for name in folder.incomplete():
                self._waiting.answer(name, SUCCESS)
        return observation

    def finish(self, folder: ScanFolder, found: FileSet, content: Content) -> None:
        """Move the files away, and let the scanner know."""
        super().finish(folder, found, content)
        for _, file in found.files:
            self._waiting.answer(file.name, CANNOT_UNDERSTAND if content.failure else SUCCESS)

    def key(self, found: FileSet) -> str:
        """A scanner that has not heard our answer sends the same once more: its name holds its content's hash."""
        names = sorted(file.name for _, file in found.files)
        return hashlib.sha256("\0".join(names).encode()).hexdigest()

    def probe(self) -> str:
        """Whether scanners could reach us."""
        self.open()
        self._listen().shutdown()
        return f"port {self.settings.port} is free to listen on, as {self.settings.ae_title}"

    def _listen(self) -> ThreadedAssociationServer:
        """Begin to listen.

        Raises:
            DriverError: the port is taken.
        """
        from pynetdicom import AE, evt, register_uid
        from pynetdicom.service_class import StorageServiceClass
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # it logs what scanners send
        settings = self.settings
        entity = AE(settings.ae_title)
        entity.maximum_associations = settings.associations
        entity.maximum_pdu_size = MAX_PDU
        entity.require_called_aet = True
        entity.require_calling_aet = list(settings.scanners)
        entity.acse_timeout = _ACSE_SECONDS
        entity.network_timeout = _NETWORK_SECONDS
        entity.add_supported_context(Verification)
        for uid in uids.STORED:
            register_uid(uid, f"DICOS{uid.removeprefix('1.2.840.10008.').replace('.', '_')}", StorageServiceClass)
            entity.add_supported_context(uid, list(uids.SYNTAXES))
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_CONN_OPEN, partial(_bound, int(settings.max_bytes))),
        ]
        try:
            return entity.start_server((settings.address, settings.port), block=False, evt_handlers=handlers)  # type: ignore[return-value]  # not blocking
        except OSError as error:
            raise DriverError(
                f"Port {settings.port} at {settings.address} cannot be listened on ({os.strerror(error.errno or 0)}): "
                "is it taken?"
            ) from None

    def _store(self, event: Event) -> int:
        """Keep what a scanner sent, and wait until it is durable. Called in the association's own thread."""
        body = event.encoded_dataset()
        name = f"{hashlib.sha256(body).hexdigest()[:_NAME_DIGITS]}.dcs"
        answer = self._waiting.expect(name)
        try:
            write(self.settings.folder / name, body)
        except OSError:
            return OUT_OF_RESOURCES
        return answer.wait(self.settings.answer_seconds)


class _Answer:
    """What becomes of one file."""

    def __init__(self) -> None:
        self._known = threading.Event()
        self._status = OUT_OF_RESOURCES

    def give(self, status: int) -> None:
        self._status = status
        self._known.set()

    def wait(self, seconds: float) -> int:
        """The status once it is known; 'out of resources' if it does not become known in time."""
        self._known.wait(seconds)
        return self._status


class _Waiting:
    """The answers that scanners wait for, by the name of the file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, _Answer] = {}
        self._closed = False

    def expect(self, name: str) -> _Answer:
        with self._lock:
            answer = _Answer() if self._closed else self._answers.setdefault(name, _Answer())
            if self._closed:
                answer.give(OUT_OF_RESOURCES)
            return answer

    def answer(self, name: str, status: int) -> None:
        with self._lock:
            found = self._answers.pop(name, None)
        if found is not None:
            found.give(status)

    def close(self) -> None:
        """Tell all who wait to try again later."""
        with self._lock:
            self._closed = True
            answers = list(self._answers.values())
            self._answers.clear()
        for answer in answers:
            answer.give(OUT_OF_RESOURCES)


def _bound(limit: int, event: Event) -> None:
    """Close a connection that sends a larger PDU than was agreed, or more than ``limit`` bytes for one message.

    pynetdicom believes what the peer says of both, and keeps it in memory.
    """
    connection, dimse = event.assoc.dul.socket, event.assoc.dimse
    if connection is None:
        return
    receive = connection.recv

    def bounded(count: int) -> bytearray:
        message = dimse.message
        parts = (message.data_set, message.encoded_command_set) if message is not None else ()
        if count > MAX_PDU + _OVERHEAD or sum(part.tell() for part in parts if part is not None) > limit:
            raise OSError("too large")
        return receive(count)

    connection.recv = bounded  # type: ignore[assignment]  # of this connection only
