"""What a device of the virtual checkpoint is: something that presents one thing after the other, on its real wire."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from edge_agent.driver import DriverSettings

S = TypeVar("S", bound=DriverSettings)


class SimulatedDevice(ABC, Generic[S]):
    """A device as its driver sees it: it writes the files, the bytes on the line, the stream.

    Constructing it makes what the driver looks for when it starts (a folder, a port, a server); ``play`` runs in a
    thread of its own. What would disturb others there, as a server, belongs into a process (``simulate.process``).

    Attributes:
        presented: how often something was presented so far.

    """

    counted: ClassVar[bool] = True
    """Whether each presentation becomes exactly one event. Not so for a camera: it reports what happens before it."""

    def __init__(self, settings: S, state: Path, pace: float) -> None:
        """Make what the driver looks for.

        Args:
            settings: of the driver, from the checkpoint's device file; its relative paths start at ``state``.
            state: the agent's state directory.
            pace: seconds between two travellers.

        """
        self.settings = settings
        self.state = state
        self.pace = pace
        self.presented = 0

    @abstractmethod
    def play(self, ending: threading.Event) -> None:
        """Present things until ``ending`` is set; then finish what was begun, release everything and return."""
