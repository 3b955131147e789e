from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.daemon.preload import prepare_environment
from edge_agent.simulate.broker import EmbeddedBroker
from tests.brokers import Mosquitto

for name in ("COLUMNS", "LINES"):  # the test runner's own, which its processes inherit
    os.environ.pop(name, None)
prepare_environment()  # before numba is imported: the kernels that the setup has compiled


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """Debian's broker, running."""
    with Mosquitto(tmp_path / "mosquitto", persistence=True) as broker:
        yield broker


@pytest.fixture
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """The broker of the trials, running; MQTT 5 on ``port``, MQTT 3.1.1 on ``port_311``."""
    with EmbeddedBroker(port=0) as broker:
        yield broker


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast ones first."""
    items.sort(key=lambda item: any(item.iter_markers("slow")) + 2 * any(item.iter_markers("e2e")))
