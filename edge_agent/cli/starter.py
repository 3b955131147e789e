"""A device's file to start from: what is known is set, everything else is shown with its default and what it is for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

from edge_agent.config import fields
from edge_agent.config.fields import Setting
from edge_agent.config.models import DeviceSettings
from edge_agent.registry import find

WIDTH = 116


def starter(name: str, drivers: tuple[str, ...], known: dict[str, Any], remarks: Iterable[str]) -> str:
    """The text of a file in ``devices/``, for the first of ``drivers``; it loads as it is, and is switched off."""
    lines = [line for remark in remarks for line in _comment(remark)]
    lines += [*_comment(f"{len(drivers)} kinds of drivers could read it: {', '.join(drivers)}")] if drivers[1:] else []
    lines += ["#", f"#   edge-agent drivers {drivers[0]}   shows all settings", ""]
    lines += [f"name = {fields.written(name)}", f"driver = {fields.written(drivers[0])}", "enabled = false", ""]
    plain = [setting for setting in fields.settings(DeviceSettings) if setting.default and len(setting.path) == 1]
    for setting in plain:
        if setting.path[0] not in {"enabled", "settings"}:
            lines += _shown(setting, {})
    lines += ["[settings]"]
    settings = list(fields.settings(find(drivers[0]).Settings))
    for setting in (setting for setting in settings if len(setting.path) == 1):
        lines += _shown(setting, known)
    table: tuple[str | int, ...] = ()
    for setting in (setting for setting in settings if len(setting.path) > 1):
        if setting.path[:-1] != table:
            table = setting.path[:-1]
            keys = ".".join(str(part) for part in table if not isinstance(part, int))
            lines.append(f"# [[settings.{keys}]]" if isinstance(table[-1], int) else f"# [settings.{keys}]")
        lines += _shown(setting, {})
    return "\n".join(lines).rstrip("\n") + "\n"


def _shown(setting: Setting, known: dict[str, Any]) -> list[str]:
    key = str(setting.path[-1])
    what = setting.description or setting.allowed
    if key in known and len(setting.path) == 1:
        return [*_comment(what), f"{key} = {fields.written(known[key])}", ""]
    if setting.default is None:
        return [*_comment(f"{what}. Must be given: {setting.allowed}"), f"# {key} =", ""]
    return [*_comment(what), f"# {key} = {setting.default}" if setting.default else f"# {key} =", ""]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH)] or ["#"]
