"""From the files of a post to its settings, or to all mistakes in them at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_agent.config import fields
from edge_agent.config.files import NOT_THERE, Source, unreadable
from edge_agent.config.mistakes import Mistake, listed, nearest, quote
from edge_agent.config.models import AgentSettings, Config, DeviceSettings
from edge_agent.config.references import check_references, check_secrets, resolved
from edge_agent.config.secrets import Secrets
from edge_agent.config.spans import KeyPath
from edge_agent.config.validate import validate
from edge_agent.driver import CredentialName, DriverSettings
from edge_agent.events.topics import AGENT
from edge_agent.registry import find, kinds

LOOPBACK = re.compile(r"localhost|127\..*|::1")


class ConfigError(Exception):
    """The configuration has mistakes: all of them, each with its place."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


@dataclass(slots=True)
class Findings:
    """What a look at a configuration found.

    Attributes:
        config: None where there are mistakes.
        mistakes: in the order of the files and lines.
        notes: what is allowed but may not be meant.

    """

    config: Config | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    notes: list[Mistake] = field(default_factory=list)


def load(directory: Path) -> Config:
    """The configuration in a folder: ``agent.toml``, and a device in each ``devices/*.toml``.

    Raises:
        ConfigError: it has mistakes.

    """
    findings = examine(directory)
    if findings.config is None:
        raise ConfigError(findings.mistakes)
    return findings.config


def examine(directory: Path) -> Findings:
    """Look at everything in a folder; nothing in it makes this raise."""
    findings = Findings()
    digest = hashlib.sha256()
    agent = _agent(directory, digest, findings)
    devices = tuple(_devices(directory / "devices", digest, Secrets(directory), findings))
    findings.mistakes.sort(key=lambda mistake: (mistake.file, mistake.line, mistake.column))
    if agent is not None and not findings.mistakes:
        findings.config = Config(agent=agent, devices=devices, sha256=digest.hexdigest())
        _note_what_is_odd(findings, findings.config, directory)
    return findings


def check_device(path: Path, directory: Path) -> list[Mistake]:
    """The mistakes in one device's file, wherever it lies, as if it lay in the ``devices/`` of a folder."""
    findings = Findings()
    _device(Source.read(path), Secrets(directory), findings)
    return findings.mistakes


def _read(path: Path, digest: hashlib._Hash) -> Source:
    source = Source.read(path)
    digest.update(f"{path.name}\0{len(source.raw)}\0".encode())
    digest.update(source.raw)
    return source


def _agent(directory: Path, digest: hashlib._Hash, findings: Findings) -> AgentSettings | None:
    source = _read(directory / "agent.toml", digest)
    _hide_secrets(source, fields.secrets(AgentSettings))
    mistakes = source.unread()
    if not source.usable:
        hint = "a folder with agent.toml and devices/"
        findings.mistakes += [replace(m, allowed=hint) if m.wrong == NOT_THERE else m for m in mistakes]
        return None
    findings.mistakes += mistakes
    settings, mistakes = validate(AgentSettings, source.data, source, fields.tables(AgentSettings))
    findings.mistakes += mistakes
    findings.mistakes += check_references(source, directory, Secrets(directory))
    return resolved(settings, directory) if settings is not None else None


def _devices(folder: Path, digest: hashlib._Hash, secrets: Secrets, findings: Findings) -> Iterator[DeviceSettings]:
    names: dict[str, Source] = {}
    for path in _device_files(folder, findings):
        source = _read(path, digest)
        device = _device(source, secrets, findings)
        name = source.data.get("name")
        if isinstance(name, str):
            _check_name(name, source, names, findings)
        if device is not None:
            yield device


def _device_files(folder: Path, findings: Findings) -> list[Path]:
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        findings.mistakes.append(Mistake(str(folder), 0, 0, "", unreadable(folder, error)))
        return []
    visible = [path for path in found if not path.name.startswith(".")]
    findings.notes += [
        Mistake(str(path), 0, 0, "", "is not read: only files whose name ends in .toml are")
        for path in visible
        if path.suffix != ".toml"
    ]
    return [path for path in visible if path.suffix == ".toml"]


def _device(source: Source, secrets: Secrets, findings: Findings) -> DeviceSettings | None:
    kind = source.data.get("driver")
    model, mistakes = _settings_of(kind, source) if isinstance(kind, str) else (None, [])
    if model is not None:
        _hide_secrets(source, fields.secrets(model, ("settings",)))
    findings.mistakes += source.unread()
    if not source.usable:
        return None
    shape = [((), DeviceSettings), *(fields.tables(model, ("settings",)) if model is not None else ())]
    device, wrong = validate(DeviceSettings, {**source.data, "settings": {}}, source, shape)
    findings.mistakes += [*mistakes, *wrong]
    if model is None:
        return None
    table = source.data.get("settings", {})
    if not isinstance(table, dict):
        findings.mistakes.append(source.mistake(("settings",), "is not a table", fields.Kind(model).words()))
        return None
    settings, wrong = validate(model, table, source, shape, at=("settings",))
    findings.mistakes += wrong
    if source.data.get("enabled", True):
        findings.mistakes += check_secrets(source, fields.secrets(model, ("settings",)), secrets)
    return device.model_copy(update={"settings": settings}) if device is not None and settings is not None else None


def _settings_of(kind: str, source: Source) -> tuple[type[DriverSettings] | None, list[Mistake]]:
    """The model of a driver's settings, which is in the driver's module."""
    if kind not in kinds():
        known = listed(quote(name) for name in sorted(kinds())) if kinds() else "none: no drivers are installed"
        near = nearest(kind, kinds())
        wrong = f"there is no driver {quote(kind)}"
        return None, [source.mistake(("driver",), wrong, known, quote(near) if near else "")]
    try:
        return find(kind).Settings, []
    except Exception as error:  # a third party's module may fail in any way
        wrong = f"the driver {quote(kind)} is installed but cannot be loaded ({type(error).__name__}: {error})"
        return None, [source.mistake(("driver",), wrong, "a driver that `edge-agent drivers` lists as working")]


def _check_name(name: str, source: Source, names: dict[str, Source], findings: Findings) -> None:
    if name == AGENT:
        findings.mistakes.append(
            source.mistake(("name",), f"{quote(name)} is the agent's own name", "any other name", quote(f"{name}-1"))
        )
    first = names.setdefault(name, source)
    if first is not source:
        where = first.mistake(("name",), "")
        findings.mistakes.append(
            source.mistake(
                ("name",), f"{quote(name)} is already the name in {where.file}:{where.line}", "a name only once"
            )
        )


def _hide_secrets(source: Source, paths: Iterator[KeyPath]) -> None:
    """Show the name of a credential, but not what somebody wrote in its place."""
    kind = fields.Kind.of(CredentialName)
    source.secrets |= {path for path in paths if not kind.fits(source.value(path))}


def _note_what_is_odd(findings: Findings, config: Config, directory: Path) -> None:
    agent, devices = directory / "agent.toml", directory / "devices"
    broker = config.agent.broker
    if not config.devices:
        findings.notes.append(Mistake(str(devices), 0, 0, "", "there are no devices: nothing will be observed"))
    elif not any(device.enabled for device in config.devices):
        findings.notes.append(Mistake(str(devices), 0, 0, "", "no device is enabled: nothing will be observed"))
    if broker.tls is None and not LOOPBACK.fullmatch(broker.host):
        wrong = "events go over the network unencrypted: add a table [broker.tls]"
        findings.notes.append(Mistake(str(agent), 0, 0, "broker", wrong))
