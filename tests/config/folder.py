"""A configuration folder for a test."""

from __future__ import annotations

from pathlib import Path

from edge_agent.config.loader import Findings, examine

AGENT = '[post]\ncountry = "kz"\nbcp = "kordai"\n[broker]\nhost = "127.0.0.1"\n'
DEVICE = 'name = "lane-1"\ndriver = "trial.load"\n'


class Folder:
    """``agent.toml``, devices and secrets below one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "devices").mkdir(parents=True)
        self.agent(AGENT)

    def agent(self, text: str | bytes) -> None:
        self._write("agent.toml", text)

    def device(self, file: str, text: str | bytes) -> None:
        self._write(f"devices/{file}", text)

    def secret(self, name: str, text: str, mode: int = 0o600) -> Path:
        (self.path / "secrets").mkdir(exist_ok=True)
        path = self.path / "secrets" / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def examine(self) -> Findings:
        return examine(self.path)

    def said(self) -> list[str]:
        """The mistakes, with places relative to the folder."""
        return [str(mistake).replace(f"{self.path}/", "") for mistake in self.examine().mistakes]

    def noted(self) -> list[str]:
        return [str(note).replace(f"{self.path}/", "") for note in self.examine().notes]

    def _write(self, name: str, text: str | bytes) -> None:
        (self.path / name).write_bytes(text.encode() if isinstance(text, str) else text)
