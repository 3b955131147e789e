"""Figures for Prometheus, on the loopback interface: how much, how far, how well; never what or who.

Imported only where ``[metrics] port`` is set. The figures are looked up when somebody asks, so they cost nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from edge_agent.events.status import State

if TYPE_CHECKING:
    from edge_agent.daemon.intake import Intake
    from edge_agent.daemon.publisher import Publisher
    from edge_agent.daemon.supervisor import Supervisor

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """One device. ``restarts`` and ``rejected`` count since the device was last configured."""

    name: str
    state: State
    restarts: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told, at one moment. ``recorded`` counts since the agent started, the rest is as the journal stands."""

    recorded: int
    last_sequence: int
    delivered_through: int
    undelivered: int
    refused: int
    connected: bool
    disk_free_bytes: int
    devices: tuple[DeviceFigures, ...]

    @classmethod
    def of(cls, state_directory: Path, intake: Intake, publisher: Publisher, supervisor: Supervisor) -> Self:
        """Look at the parts of an agent; may be called from any thread.

        Raises:
            OSError: the disk of the state directory does not answer.

        """
        disk, stand = os.statvfs(state_directory), intake.stand
        return cls(
            recorded=intake.recorded,
            last_sequence=stand.last_sequence,
            delivered_through=stand.delivered_through,
            undelivered=stand.undelivered,
            refused=stand.refused,
            connected=publisher.trouble is None,
            disk_free_bytes=disk.f_bavail * disk.f_frsize,
            devices=tuple(
                DeviceFigures(name, device.state, device.restarts, device.rejected)
                for name, device in list(supervisor.devices.items())
            ),
        )


class _Collector:
    """What Prometheus's client asks at each scrape."""

    def __init__(self, look: Callable[[], Figures]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        """The figures of this moment as metrics."""
        return metrics(self._look())


def metrics(figures: Figures) -> Iterator[Metric]:
    """Figures as Prometheus's metrics; labels hold the names of devices, never what they saw."""
    gauges = {
        "last_sequence": ("Sequence number of the newest event in the journal", figures.last_sequence),
        "events_delivered_through": ("The broker has acknowledged all events up to here", figures.delivered_through),
        "undelivered": ("Events that the broker has not acknowledged", figures.undelivered),
        "refused": ("Events that the broker refused; they are tried again", figures.refused),
        "connected": ("Whether there is a connection to the broker", int(figures.connected)),
        "disk_free_bytes": ("Free on the disk of the journal", figures.disk_free_bytes),
    }
    yield CounterMetricFamily(
        "edge_agent_events_recorded", "Events made durable since the agent started", value=figures.recorded
    )
    for name, (text, value) in gauges.items():
        yield GaugeMetricFamily(f"edge_agent_{name}", text, value=value)
    states = GaugeMetricFamily("edge_agent_device_state", "1 for the state that it is in", labels=["device", "state"])
    restarts = CounterMetricFamily("edge_agent_device_restarts", "Its process was started again", labels=["device"])
    rejected = CounterMetricFamily("edge_agent_rejected", "Inputs that could not be used", labels=["device"])
    for device in figures.devices:
        for state in State:
            states.add_metric([device.name, state], int(state is device.state))
        restarts.add_metric([device.name], device.restarts)
        rejected.add_metric([device.name], device.rejected)
    yield from (states, restarts, rejected)


def serve(port: int, look: Callable[[], Figures]) -> WSGIServer:
    """Answer ``http://127.0.0.1:{port}/metrics`` in a thread of its own, until the process ends or ``shutdown()``.

    Raises:
        OSError: the port cannot be used.

    """
    registry = CollectorRegistry(auto_describe=False)  # not the default one, which tells about the Python process too
    registry.register(_Collector(look))
    server, _ = start_http_server(port, HOST, registry)
    return server
