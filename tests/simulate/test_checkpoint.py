"""The virtual checkpoint fits the drivers that it plays for."""

from __future__ import annotations

from edge_agent.config.loader import examine
from edge_agent.simulate import checkpoint


def test_its_configuration_is_right_and_every_device_is_played() -> None:
    findings = examine(checkpoint.CONFIG)
    assert [*findings.mistakes, *findings.notes] == []
    assert findings.config is not None
    for device in findings.config.devices:
        assert device.enabled, device.name
        assert checkpoint.player(device.driver) is not None, device.driver


def test_what_nothing_plays_is_left_as_it_is() -> None:
    assert checkpoint.player("trial.load") is None
