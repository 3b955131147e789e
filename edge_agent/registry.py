"""Drivers by their kind, as installed packages announce them in the entry-point group ``edge_agent.drivers``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from edge_agent.driver import Driver, DriverSettings

GROUP = "edge_agent.drivers"


@cache
def kinds() -> dict[str, EntryPoint]:
    """All drivers that are installed, by kind; nothing is imported."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def find(kind: str) -> type[Driver[Any]]:
    """The driver of a kind, imported.

    Raises:
        KeyError: there is none of this kind.
    """
    driver: type[Driver[Any]] = kinds()[kind].load()
    return driver


def make(device: str, kind: str, settings: DriverSettings, secret: Callable[[str], str]) -> Driver[Any]:
    """The driver of a device, which knows its name and finds its secrets; the device is not touched yet.

    Raises:
        KeyError: there is none of this kind.
    """
    driver = find(kind)(settings)
    driver.device, driver.secret = device, secret
    return driver


def version(kind: str) -> str:
    """The version of the distribution that brings a driver."""
    distribution = kinds()[kind].dist
    return distribution.version if distribution else ""
