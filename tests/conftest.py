from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.simulate.broker import EmbeddedBroker
from tests.brokers import Mosquitto


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
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)
