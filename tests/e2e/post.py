"""A whole post in a temporary folder: its configuration, its agent as a real process, its journal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from edge_agent.daemon.journal import Journal, JournalDamagedError, Stand

PLUGIN = Path(__file__).parent / "plugin"
FOREIGN = {"NOTIFY_SOCKET", "STATE_DIRECTORY", "NUMBA_CACHE_DIR", "EDGE_AGENT_PRELOAD"}
"""Variables of the tests' own process that are nothing to an agent."""


def toml(value: Any) -> str:
    return json.dumps(str(value) if isinstance(value, Path) else value)


class Post:
    """A border crossing point ``kz/kordai`` that exists for one test."""

    def __init__(self, folder: Path, port: int, **sections: dict[str, Any]) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.state = folder / "state"
        self.log = folder / "agent.log"
        self.process: subprocess.Popen[bytes] | None = None
        (self.config / "devices").mkdir(parents=True)
        self.state.mkdir()
        self.configure(port, **sections)

    def configure(self, port: int, **sections: dict[str, Any]) -> None:
        """Write agent.toml; ``sections`` add to or override its tables, ``broker__tls`` meaning [broker.tls]."""
        tables: dict[str, dict[str, Any]] = {
            "post": {"country": "kz", "bcp": "kordai"},
            "broker": {"host": "127.0.0.1", "port": port, "timeout": 3},
            "journal": {"reserve_bytes": "1 MiB"},
        }
        for name, values in sections.items():
            tables.setdefault(name, {}).update(values)
        lines = [f"state_directory = {toml(self.state)}"]
        for name, values in tables.items():
            lines.append(f"[{name.replace('__', '.')}]")
            lines += [f"{key} = {toml(value)}" for key, value in values.items()]
        (self.config / "agent.toml").write_text("\n".join(lines) + "\n")

    def device(self, name: str, driver: str, *, keys: dict[str, Any] | None = None, **settings: Any) -> None:
        """Write a device's file."""
        lines = [f"name = {toml(name)}", f"driver = {toml(driver)}"]
        lines += [f"{key} = {toml(value)}" for key, value in (keys or {}).items()]
        lines += ["[settings]", *(f"{key} = {toml(value)}" for key, value in settings.items())]
        (self.config / "devices" / f"{name}.toml").write_text("\n".join(lines) + "\n")

    def start(self, **environment: str) -> Self:
        """Start the agent, in a process group of its own."""
        env = {key: value for key, value in os.environ.items() if key not in FOREIGN}
        env |= {"PYTHONPATH": str(PLUGIN), **environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge_agent.daemon", str(self.config)],
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,
            )
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """kill -9, the main process only."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def hang_up(self) -> None:
        """Ask for the configuration to be read again."""
        os.kill(self.pid, signal.SIGHUP)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def journal(self) -> Journal:
        return Journal(self.state / "journal.db")

    def stand(self) -> Stand:
        """Where the journal stands; all zero as long as there is none."""
        try:
            with self.journal() as journal:
                return journal.stand()
        except (FileNotFoundError, JournalDamagedError):
            return Stand(0, 0, 0, 0, 0, 0)

    def workers(self) -> dict[str, int]:
        """The processes of the devices, by the device's name."""
        found = {}
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and os.getsid(int(folder.name)) == self.pid:
                    name = (folder / "comm").read_text().strip()
                    found[name] = int(folder.name)
            except (ProcessLookupError, FileNotFoundError, PermissionError):
                continue
        return found


def wait_until(condition: Callable[[], Any], timeout: float, what: str) -> Any:
    """Wait for a condition; say what was waited for when it does not come."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"waited {timeout} s in vain for: {what}"
        time.sleep(0.05)
