from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.config import secrets
from tests.config.folder import Folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A sound configuration without devices, on a computer without credentials."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr(secrets, "STORES", ())
    return Folder(tmp_path / "config")
