"""What the files refer to: certificates and secrets, which must be there and fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edge_agent.config.files import Source, UnreadableError, read_bounded
from edge_agent.config.mistakes import Mistake
from edge_agent.config.models import AgentSettings
from edge_agent.config.secrets import SecretError, Secrets
from edge_agent.config.spans import KeyPath

PEM = "a file in PEM format that the agent may read; a relative path starts at the folder of agent.toml"
MAX_PEM_BYTES = 4 * 1024 * 1024
"""A bundle of all authorities there are has a quarter of a megabyte."""
_PASSWORD: KeyPath = ("broker", "password")
_TLS: KeyPath = ("broker", "tls")


def check_references(source: Source, directory: Path, secrets: Secrets) -> Iterator[Mistake]:
    """Look at the secrets and certificates that are named, whatever else is wrong in the file."""
    broker = _table(source.data.get("broker"))
    tls = _table(broker.get("tls"))
    if "password" in broker and "username" not in broker and not source.broken:
        yield source.mistake(_PASSWORD, "is not used without a username", "username and password", at_key=True)
    yield from check_secrets(source, (_PASSWORD,), secrets)
    yield from _check_tls(source, directory, secrets, tls)


def check_secrets(source: Source, paths: Iterable[KeyPath], secrets: Secrets) -> Iterator[Mistake]:
    """Look at the secrets that are named at these places, those that hold no name excepted."""
    for path in paths:
        name = source.value(path)
        if isinstance(name, str) and path not in source.secrets:
            try:
                secrets.text(name)
            except SecretError as error:
                yield source.mistake(path, str(error))


def resolved(settings: AgentSettings, directory: Path) -> AgentSettings:
    """The same settings with paths of certificates that do not depend on the working directory."""
    tls = settings.broker.tls
    if tls is None:
        return settings
    paths = {name: getattr(tls, name) for name in ("ca", "certificate")}
    absolute = {name: (directory / path).absolute() for name, path in paths.items() if path is not None}
    broker = settings.broker.model_copy(update={"tls": tls.model_copy(update=absolute)})
    return settings.model_copy(update={"broker": broker})


def _check_tls(source: Source, directory: Path, secrets: Secrets, tls: dict[str, Any]) -> Iterator[Mistake]:
    found: dict[str, Path] = {}
    for name in ("ca", "certificate"):
        if isinstance(tls.get(name), str):
            path = directory / tls[name]
            try:
                read_bounded(path, MAX_PEM_BYTES)
                found[name] = path
            except UnreadableError as error:
                yield source.mistake((*_TLS, name), f"{path} {error.wrong}", PEM)
    if isinstance(tls.get("key"), str) and (*_TLS, "key") not in source.secrets:
        try:
            found["key"] = secrets.path(tls["key"])
        except SecretError as error:
            yield source.mistake((*_TLS, "key"), str(error))
    if "key" in tls and "certificate" not in tls and not source.broken:
        yield source.mistake((*_TLS, "key"), "is not used without a certificate", "certificate and key", at_key=True)
    if "ca" in found:
        yield from _check_authority(source, found["ca"])
    if "certificate" in found and ("key" in found or "key" not in tls):
        yield from _check_identity(source, found["certificate"], found.get("key"))


def _check_authority(source: Source, path: Path) -> Iterator[Mistake]:
    import ssl  # noqa: PLC0415  (not needed at most posts in trial, and slow)

    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError):
        yield source.mistake((*_TLS, "ca"), f"{path} holds no certificate", PEM)


def _check_identity(source: Source, certificate: Path, key: Path | None) -> Iterator[Mistake]:
    import ssl  # noqa: PLC0415  (the same)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # An encrypted key would make OpenSSL ask on the terminal; an empty password makes it fail instead.
        context.load_cert_chain(certificate, key, password=str)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None)
        if reason == "KEY_VALUES_MISMATCH":
            yield source.mistake((*_TLS, "key"), f"this key does not belong to the certificate {certificate}")
        elif key is None:
            wrong = f"{certificate} does not hold a certificate and its key"
            yield source.mistake((*_TLS, "certificate"), wrong, "a certificate in PEM, and its key named by `key`")
        else:
            wrong = f"{certificate} and its key cannot be used together ({reason or type(error).__name__})"
            yield source.mistake((*_TLS, "certificate"), wrong, "a certificate in PEM, and its key unencrypted in PEM")


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
