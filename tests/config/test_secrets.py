from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_agent.config import secrets
from edge_agent.config.secrets import SecretError, Secrets


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr(secrets, "STORES", ())
    (tmp_path / "secrets").mkdir()
    return tmp_path


def put(folder: Path, name: str, data: bytes = b"open sesame\n", mode: int = 0o600) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    (folder / name).chmod(mode)
    return folder / name


@pytest.mark.parametrize("data", [b"open sesame", b"open sesame\n", b"open sesame\r\n"])
def test_a_secret_comes_without_the_line_end_that_editors_add(config: Path, data: bytes) -> None:
    path = put(config / "secrets", "password", data)
    assert Secrets(config).path("password") == path
    assert Secrets(config).text("password") == "open sesame"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o777])
def test_a_file_that_others_can_use_is_refused(config: Path, mode: int) -> None:
    path = put(config / "secrets", "password", mode=mode)
    with pytest.raises(SecretError) as raised:
        Secrets(config).text("password")
    assert str(raised.value) == f"the secret {path} is open to others (mode {mode:o}): chmod 600 {path}"


def test_what_systemd_hands_over_comes_first_and_needs_no_mode(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(config / "secrets", "password", b"old", mode=0o644)
    handed = put(config / "credentials", "password", b"new", mode=0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(config / "credentials"))
    assert Secrets(config).path("password") == handed
    assert Secrets(config).text("password") == "new"


def test_without_systemd_the_stores_of_the_service_count(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(config / "credstore", "password", b"stored")
    monkeypatch.setattr(secrets, "STORES", (config / "nowhere", config / "credstore"))
    assert Secrets(config).text("password") == "stored"
    put(config / "credentials", "other")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(config / "credentials"))
    with pytest.raises(SecretError, match="is missing"):
        Secrets(config).text("password")


def test_a_missing_secret_is_told_with_the_place_where_it_belongs(config: Path) -> None:
    with pytest.raises(SecretError) as raised:
        Secrets(config).text("password")
    assert str(raised.value) == (
        f"the secret password is missing: write it into {config}/secrets/password (chmod 600), or into /etc/credstore, "
        "from where systemd hands over what LoadCredential= names (only root may look)"
    )


@pytest.mark.parametrize("name", ["", ".", "..", "../agent.toml", "/etc/shadow", "a/b"])
def test_a_name_leads_nowhere_else(config: Path, name: str) -> None:
    with pytest.raises(SecretError, match="not the name of a credential"):
        Secrets(config).path(name)


@pytest.mark.parametrize(
    ("data", "what"), [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "is not text"), (b"x" * 70_000, "larger")]
)
def test_what_cannot_be_a_secret_is_refused_without_being_shown(config: Path, data: bytes, what: str) -> None:
    put(config / "secrets", "password", data)
    with pytest.raises(SecretError, match=what) as raised:
        Secrets(config).text("password")
    assert "xx" not in str(raised.value)


def test_a_folder_or_pipe_is_no_secret(config: Path) -> None:
    (config / "secrets/folder").mkdir(mode=0o700)
    os.mkfifo(config / "secrets/pipe", 0o600)
    for name in ("folder", "pipe"):
        with pytest.raises(SecretError, match="is not a file"):
            Secrets(config).text(name)
