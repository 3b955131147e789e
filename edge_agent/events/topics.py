"""Where things are published: ``blo/v1/{country}/{bcp}/{device}/{family}/{event}`` and its neighbours.

Topics are readable by every broker on the way: they name places and devices, never persons or documents.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.events.envelope import EventData

PREFIX = "blo/v1"
AGENT = "agent"
"""The name under which the agent itself appears among the devices; no device may take it."""


@dataclass(frozen=True, slots=True)
class Post:
    """One border crossing point as topics and sources name it, e.g. ``kz`` and ``kordai``."""

    country: str
    bcp: str

    def source(self, device: str) -> str:
        """The CloudEvents ``source`` of a device."""
        return f"/blo/{self.country}/{self.bcp}/{device}"

    def event(self, device: str, data: type[EventData]) -> str:
        """The topic of a device's events of one type."""
        return f"{self.root(device)}/{data.family}/{data.event}"

    def evidence(self, device: str, sha256: str) -> str:
        """The topic of one piece of evidence, named by its hash."""
        return f"{self.root(device)}/evidence/{sha256}"

    def status(self, device: str = AGENT) -> str:
        """The retained state of a device, or of the agent."""
        return f"{self.root(device)}/status"

    def birth(self) -> str:
        """The retained birth message: what is installed at this post."""
        return f"{self.root(AGENT)}/birth"

    def receipt(self, consumer: str) -> str:
        """Where a consumer says up to which sequence number it holds the events durably."""
        return f"{self.root(AGENT)}/receipt/{consumer}"

    def replay(self, consumer: str) -> str:
        """Where a consumer that saw a gap asks for a range again."""
        return f"{self.root(AGENT)}/replay/{consumer}"

    def root(self, device: str) -> str:
        """What all topics of a device begin with."""
        return f"{PREFIX}/{self.country}/{self.bcp}/{device}"


def device_of(topic: str) -> str:
    """The device whose topic this is."""
    return topic.removeprefix(f"{PREFIX}/").split("/")[2]
