"""From the files of a post to its settings."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from edge_agent.config.models import AgentSettings, Config, DeviceSettings
from edge_agent.registry import find


class ConfigError(Exception):
    """The configuration has mistakes."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def load(directory: Path) -> Config:
    """The configuration in a folder."""
    agent = AgentSettings.model_validate(tomllib.loads((directory / "agent.toml").read_text()))
    devices = []
    digest = hashlib.sha256()
    for path in sorted((directory / "devices").glob("*.toml")):
        raw = tomllib.loads(path.read_text())
        digest.update(path.read_bytes())
        raw["settings"] = find(raw["driver"]).Settings.model_validate(raw.get("settings", {}))
        devices.append(DeviceSettings.model_validate(raw))
    return Config(agent=agent, devices=tuple(devices), sha256=digest.hexdigest())
