"""The example checkpoint in ``config/`` is loaded, and what it says of defaults is held against the models."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from edge_agent.config import fields
from edge_agent.config.files import dotted
from edge_agent.config.loader import examine
from edge_agent.config.models import AgentSettings, DeviceSettings
from edge_agent.registry import find

EXAMPLE = Path(__file__).parents[2] / "config"
DEVICES = sorted((EXAMPLE / "devices").glob("*.toml"))
SHOWN_WITHOUT_DEFAULT = {
    "broker.client_id",
    "broker.username",
    "broker.password",
    "broker.tls.ca",
    "broker.tls.certificate",
    "broker.tls.key",
    "metrics.port",
}


def commented_in(text: str) -> dict[str, Any]:
    """A file as it is with all its commented settings switched on."""
    return tomllib.loads(re.sub(r"(?m)^# (?=\[[a-z.]+\]$|[a-z_]+ = )", "", text))


def leaves(table: dict[str, Any], at: tuple[str, ...] = ()) -> dict[str, Any]:
    found = {}
    for key, value in table.items():
        found |= leaves(value, (*at, key)) if isinstance(value, dict) else {dotted((*at, key)): value}
    return found


def test_the_example_has_no_mistakes_and_nothing_odd() -> None:
    findings = examine(EXAMPLE)
    assert [*findings.mistakes, *findings.notes] == []
    assert findings.config is not None
    assert findings.config.agent.post.country == "kz"
    assert [device.name for device in findings.config.devices] == [path.stem for path in DEVICES]


def test_agent_toml_shows_every_setting_with_its_default() -> None:
    text = (EXAMPLE / "agent.toml").read_text()
    shown = leaves(commented_in(text))
    known = {dotted(setting.path): setting for setting in fields.settings(AgentSettings)}
    assert shown.keys() == known.keys()
    for key in shown.keys() - leaves(tomllib.loads(text)).keys() - SHOWN_WITHOUT_DEFAULT:
        assert fields.written(shown[key]) == known[key].default, key


@pytest.mark.parametrize("path", DEVICES, ids=lambda path: path.stem)
def test_a_device_file_shows_every_setting_with_its_default(path: Path) -> None:
    text = path.read_text()
    written, shown = leaves(tomllib.loads(text)), leaves(commented_in(text))
    settings = [setting for setting in fields.settings(DeviceSettings) if setting.path != ("settings",)]
    settings += fields.settings(find(written["driver"]).Settings, ("settings",))
    known = {dotted(setting.path): setting for setting in settings if 0 not in setting.path}  # not in lists of tables
    if "enabled" in written:  # switched off, and so not commented out
        shown.pop("enabled")
        known.pop("enabled")
    assert shown.keys() == known.keys()
    switched_on = {key.rpartition(".")[0] for key in written}
    for key in shown.keys() - written.keys():
        default = known[key].default
        if key.rpartition(".")[0] not in switched_on and default in {None, '""'}:
            continue  # an example of what has to be given where a whole table is switched on
        assert default is not None
        assert tomllib.loads(f"v = {default}")["v"] == shown[key], key


def test_with_everything_switched_on_only_what_it_refers_to_is_missing(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "config")
    for path in (tmp_path / "config").rglob("*.toml"):
        path.write_text(re.sub(r"(?m)^# (?=\[[a-z.]+\]$|[a-z_]+ = )", "", path.read_text()))
    findings = examine(tmp_path / "config")
    assert {mistake.key for mistake in findings.mistakes} == {
        "broker.password",
        "broker.tls.ca",
        "broker.tls.certificate",
        "broker.tls.key",
    }
