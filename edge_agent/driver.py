"""What a driver is: the one contract between a device and the daemon.

A driver is a class with typed settings and a blocking iterator of observations. It has a process to itself, so it may
simply block, with a timeout on every wait; no asyncio, no threads, no callbacks. It is found by its entry point in the
group ``edge_agent.drivers``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from edge_agent import calibration
from edge_agent.events.envelope import EventData

CredentialName = Annotated[str, Field(pattern="^[A-Za-z0-9._-]+$", max_length=80, json_schema_extra={"secret": True})]
"""The name of a secret, never the secret itself: ``Driver.secret`` gives that to the device's own process."""


class DriverSettings(BaseModel):
    """The ``[settings]`` table of a device's file. Every field has a description: ``edge-agent drivers`` prints it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Bytes behind an observation: a picture as the device delivered it, or its raw message.

    ``thumbnail`` makes a small JPEG of it, and is called only where the device's file asks for one.
    """

    data: bytes
    media_type: str
    role: str
    thumbnail: Callable[[], bytes] | None = None


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing a device saw.

    ``acknowledge`` is called once the event is durable on disk: there, and only there, a file is moved away or a scan
    confirmed to the device. If the process dies before, the device offers the observation again; with a ``key`` that is
    then the same (and differs from that of every other observation) it is not taken for a new one.
    """

    data: EventData
    evidence: tuple[Evidence, ...] = ()
    acknowledge: Callable[[], None] | None = None
    key: str | None = None
    observed: datetime = field(default_factory=_now)


class DriverError(Exception):
    """What is wrong with the device, in a technician's words and without personal data: it is shown in the status.

    The text of any other exception stays in the process, since it may quote what a device said.
    """


def _no_secrets(name: str) -> str:
    raise DriverError(f"The secret {name} cannot be had here: nobody has said where secrets are.")


S = TypeVar("S", bound=DriverSettings)


class Driver(ABC, Generic[S]):
    """Base of all drivers. Construction must not touch the device: that belongs into ``observe``.

    The main process imports a driver's module too, for its settings: what is heavy (NumPy, OpenCV, numba) is imported
    inside the methods that need it, and named in ``preload``.
    """

    kind: ClassVar[str]
    """The name in ``driver = "..."``, e.g. ``passport.page``."""
    Settings: ClassVar[type[DriverSettings]]
    deadline: ClassVar[float] = 30.0
    """Seconds without a yield after which the driver is taken for hung and is replaced."""
    preload: ClassVar[tuple[str, ...]] = ()
    """Heavy modules that every process of this driver needs: imported once, and their ``warm()`` called if they have
    it, before the processes are forked. None may start threads."""

    def __init__(self, settings: S) -> None:
        self.settings = settings
        self.secret: Callable[[str], str] = _no_secrets
        """The secret whose name stands in a setting of the type ``CredentialName``, read when it is called: ask again
        for each connection, since passwords change. Keep it out of messages, addresses and ``argv``."""
        self.device = ""
        """The device's name, set before ``observe`` or ``probe`` is called."""
        self.trouble = ""
        """Why less is seen than ought to be, in a technician's words, while it lasts and the driver goes on: the device
        is then called degraded. What it cannot go on with, it raises."""

    def calibration(self) -> calibration.Calibration | None:
        """The device's calibration as it is at this moment; None if it was never calibrated.

        Raises:
            DriverError: the file is damaged.
        """
        try:
            return calibration.load(calibration.path(self.device))
        except calibration.CalibrationError as error:
            raise DriverError(str(error)) from None

    @abstractmethod
    def observe(self) -> Iterator[Observation | None]:
        """Yield observations as they come, and None at least every second for 'alive, nothing new'.

        The iterator is resumed only after the observation that it yielded is durable and was acknowledged. Raising
        ends the process; the supervisor starts it again. On a clean stop the generator is closed: release in
        ``finally``.
        """

    def probe(self) -> str:
        """Contact the device once and say what was found, for ``edge-agent check --probe``.

        Raises:
            OSError: the device cannot be reached; the message says what to do.
        """
        return "nothing to contact"
