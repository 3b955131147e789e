from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge_agent.daemon.journal import Stand
from edge_agent.daemon.metrics import DeviceFigures, Figures, metrics, serve
from edge_agent.events.status import State
from tests.brokers import Mosquitto, free_port, listens
from tests.e2e.post import Post, wait_until

FIGURES = Figures(
    recorded=12,
    last_sequence=1042,
    delivered_through=1040,
    undelivered=3,
    refused=1,
    connected=True,
    disk_free_bytes=5 << 30,
    devices=(
        DeviceFigures("lane-1", State.OK, restarts=0, rejected=2),
        DeviceFigures("lane-2", State.FAILED, restarts=7, rejected=0),
    ),
)


def scrape(port: int) -> dict[tuple[str, ...], float]:
    """Samples by (name, labels...)."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def port() -> Iterator[int]:
    number = free_port()
    server = serve(number, lambda: FIGURES)
    yield number
    server.shutdown()
    server.server_close()


def test_every_figure_is_told_under_its_name_and_nothing_else(port: int) -> None:
    assert scrape(port) == {
        ("edge_agent_events_recorded_total",): 12,
        ("edge_agent_last_sequence",): 1042,
        ("edge_agent_events_delivered_through",): 1040,
        ("edge_agent_undelivered",): 3,
        ("edge_agent_refused",): 1,
        ("edge_agent_connected",): 1,
        ("edge_agent_disk_free_bytes",): 5 << 30,
        **{("edge_agent_device_state", "lane-1", state): state == "ok" for state in State},
        **{("edge_agent_device_state", "lane-2", state): state == "failed" for state in State},
        ("edge_agent_device_restarts_total", "lane-1"): 0,
        ("edge_agent_device_restarts_total", "lane-2"): 7,
        ("edge_agent_rejected_total", "lane-1"): 2,
        ("edge_agent_rejected_total", "lane-2"): 0,
    }


def test_only_this_computer_can_ask(port: int) -> None:
    with socket.create_server(("127.0.0.2", port)):  # would be taken if it listened everywhere
        pass


def test_a_port_that_is_taken_is_an_error_of_the_system(port: int) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(port, lambda: FIGURES)


def test_the_figures_are_those_of_the_parts(tmp_path: Path) -> None:
    stand = Stand(1, 1042, 1040, 1, 0, 4096)
    device = SimpleNamespace(state=State.DEGRADED, restarts=1, rejected=2)
    parts = (
        SimpleNamespace(stand=stand, recorded=12),
        SimpleNamespace(trouble="Nothing listens."),
        SimpleNamespace(devices={"lane-1": device}),
    )
    figures = Figures.of(tmp_path, *parts)  # type: ignore[arg-type]  # stand-ins
    assert (figures.recorded, figures.last_sequence, figures.undelivered, figures.connected) == (12, 1042, 3, False)
    assert figures.devices == (DeviceFigures("lane-1", State.DEGRADED, 1, 2),)
    assert figures.disk_free_bytes > 0
    assert {metric.name for metric in metrics(figures)} >= {"edge_agent_rejected", "edge_agent_device_state"}


def test_an_agent_that_serves_none_does_not_import_the_client() -> None:
    code = "import sys, edge_agent.daemon.__main__; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.e2e
def test_the_agent_tells_its_figures_and_runs_without_them_if_the_port_is_taken(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    port = free_port()
    with (
        Post(tmp_path / "a", mosquitto.port, metrics={"port": port}, log={"level": "error"}) as first,
        Post(tmp_path / "b", mosquitto.port, metrics={"port": port}, broker={"client_id": "b"}) as second,
    ):
        first.device("lane-1", "trial.load", rate=50)
        first.start()
        wait_until(lambda: listens(port), 30, "the port of the metrics")
        figures = wait_until(
            lambda: (told := scrape(port))[("edge_agent_events_delivered_through",)] > 20 and told, 20, "figures"
        )
        assert figures[("edge_agent_events_recorded_total",)] > 20
        assert figures[("edge_agent_connected",)] == 1
        assert figures[("edge_agent_device_state", "lane-1", "ok")] == 1
        second.start()
        wait_until(lambda: "metrics" in second.log.read_text(), 30, "a word about the port")
        assert second.process is not None
        assert second.process.poll() is None
        assert first.stop() == 0
        assert second.stop() == 0
    assert "connected" not in first.log.read_text(), "the level of its log is error"
    assert "connected" in second.log.read_text()
