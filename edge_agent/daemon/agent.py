"""The agent: configuration in, devices running, events journalled and published, until somebody says stop."""

from __future__ import annotations

import logging
import os
import platform
import signal
import time
from datetime import UTC, datetime
from multiprocessing.connection import wait
from pathlib import Path

from edge_agent import __version__
from edge_agent.config.loader import ConfigError, load
from edge_agent.config.models import AgentSettings, Config
from edge_agent.config.secrets import Secrets
from edge_agent.daemon import notify
from edge_agent.daemon.intake import Intake
from edge_agent.daemon.log import set_up
from edge_agent.daemon.paths import journal_path, lock
from edge_agent.daemon.preload import prepare_environment
from edge_agent.daemon.publisher import Publisher
from edge_agent.daemon.supervisor import Device, Supervisor, context
from edge_agent.daemon.wire import Report
from edge_agent.events.status import AgentStatus, Birth, DeviceBirth, DeviceStatus, State
from edge_agent.events.topics import Post
from edge_agent.registry import find, version

log = logging.getLogger(__name__)

STATUS_SECONDS = 60.0
"""How often the counters in the agent's status are brought up to date while nothing else changes."""
STALLED_SECONDS = 30.0
"""A thread that has not moved for so long keeps the watchdog from being fed."""


class Agent:
    """Everything that runs in the main process."""

    def __init__(self, directory: Path) -> None:
        """Load the configuration and open the journal; nothing runs yet.

        Raises:
            ConfigError: the configuration has mistakes.
            JournalUnwritableError: the journal can be neither opened nor created.
            OSError: nor can its folder, or another agent uses it.

        """
        self._directory = directory.resolve()
        self._secrets = Secrets(self._directory)
        prepare_environment()
        self._config: Config = load(self._directory)
        self._started = datetime.now(UTC)
        self._since = self._started
        self._state: tuple[State, str] | None = None
        self._said = 0.0
        self._stopping = False
        self._reloading = False
        self._broken = False
        self._complaint: str | None = None
        settings = self._config.agent
        self._post = Post(settings.post.country, settings.post.bcp)
        self.journal = journal_path(settings).absolute()
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        os.chdir(self.journal.parent)  # relative paths in device files start here
        self._lock = lock(self.journal.parent)
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._intake = Intake(
            self.journal, self._post, settings.journal, on_report=self._on_report, on_recorded=self._on_recorded
        )
        self._publisher = self._make_publisher(settings)
        preload = {name for device in self._config.devices for name in find(device.driver).preload}
        self._supervisor = Supervisor(
            context(tuple(sorted(preload))), self._post, self._intake, self._secrets, self._say_device
        )

    def run(self) -> bool:
        """Run until SIGTERM or SIGINT; SIGHUP applies a changed configuration. False: it broke, start it anew."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)
        set_up(self._config.agent.log.level)
        self._intake.start()
        self._publisher.start()
        self._serve_metrics()
        self._publish_birth()
        self._supervisor.apply(self._config.devices)
        self._turn()
        notify.ready()
        watchdog = notify.watchdog_seconds()
        while not self._stopping:
            wait([self._wake_read, *self._supervisor.sentinels()], timeout=min(1.0, watchdog or 1.0))
            self._drain()
            if self._reloading:
                self._reload()
            self._turn()
            if watchdog and self._all_move():
                notify.watchdog()
        self._stop()
        return not self._broken

    def _serve_metrics(self) -> None:
        port = self._config.agent.metrics.port
        if port is None:
            return
        from edge_agent.daemon.metrics import Figures, serve  # noqa: PLC0415  (1 MB that most posts do not need)

        try:
            serve(port, lambda: Figures.of(self.journal.parent, self._intake, self._publisher, self._supervisor))
        except OSError as error:
            log.error("no metrics: port %d cannot be used (%s); change [metrics] port", port, error.strerror)

    def _turn(self) -> None:
        if not self._stopping and not (self._intake.is_alive() and self._publisher.is_alive()):
            log.critical("a thread of the agent has ended, which is a defect of it: ending, to be started again")
            self._broken = self._stopping = True
        self._supervisor.turn()
        self._say_agent()

    def _drain(self) -> None:
        try:
            while os.read(self._wake_read, 4096):
                pass
        except BlockingIOError:
            return

    def _all_move(self) -> bool:
        """Whether journal writer, publisher and supervisor have all moved lately; a mere timer would prove nothing."""
        oldest = min(self._intake.tick, self._publisher.tick, self._supervisor.tick)
        return time.monotonic() - oldest < STALLED_SECONDS

    def _stop(self) -> None:
        log.info("stopping")
        notify.stopping()
        self._supervisor.stop()
        self._intake.stop()
        self._intake.join(10.0)
        self._state = None
        self._say_agent(State.OFFLINE, "Stopped.")
        self._publisher.stop()
        self._publisher.join(5.0)
        log.info("stopped")

    # -- signals and other threads ---------------------------------------------------------------------------

    def _on_stop(self, _signal: int, _frame: object) -> None:
        self._stopping = True

    def _on_reload(self, _signal: int, _frame: object) -> None:
        self._reloading = True

    def _on_report(self, device: str, report: Report) -> None:
        self._supervisor.report(device, report)
        self._wake()

    def _on_recorded(self) -> None:
        self._publisher.wake()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"\0")
        except BlockingIOError:  # full: awake already
            return

    # -- configuration ---------------------------------------------------------------------------------------

    def _make_publisher(self, settings: AgentSettings) -> Publisher:
        return Publisher(
            self.journal,
            self._post,
            settings.broker,
            self._secrets,
            self._intake,
            will=self._status(State.OFFLINE, "The connection to the post was lost.").model_dump_json().encode(),
        )

    def _reload(self) -> None:
        """Apply the configuration as it is now; a wrong one changes nothing but the status."""
        self._reloading = False
        notify.reloading()
        try:
            config = load(self._directory)
        except ConfigError as error:
            self._complaint = f"The new configuration has {len(error.mistakes)} mistakes; the old one is still running."
            for mistake in error.mistakes:
                log.error("%s", mistake)
        else:
            self._complaint = self._apply(config)
        notify.ready()

    def _apply(self, config: Config) -> str | None:
        old, new = self._config.agent, config.agent
        self._config = config
        set_up(new.log.level)
        self._intake.settings = new.journal
        if new.broker != old.broker:
            self._publisher.stop()
            self._publisher.join(5.0)
            self._publisher = self._make_publisher(new)
            self._publisher.start()
            for device in self._supervisor.devices.values():
                self._say_device(device)
            self._state = None
        self._supervisor.apply(config.devices)
        self._publish_birth()
        self._said = 0.0
        log.info("the changed configuration is applied")
        if (new.post, new.state_directory, new.metrics) != (old.post, old.state_directory, old.metrics):
            return "Changes of [post], [metrics] or state_directory take effect when the agent is started again."
        return None

    # -- what is published about ourselves -------------------------------------------------------------------

    def _publish_birth(self) -> None:
        devices = [
            DeviceBirth(
                device=device.name,
                driver=device.driver,
                driver_version=version(device.driver),
                enabled=device.enabled,
            )
            for device in self._config.devices
        ]
        birth = Birth(
            agent_version=__version__,
            python_version=platform.python_version(),
            started=self._started,
            config_sha256=self._config.sha256,
            devices=devices,
        )
        self._publisher.retain(self._post.birth(), birth.model_dump_json().encode())

    def _say_device(self, device: Device) -> None:
        status: DeviceStatus = device.status()
        self._publisher.retain(self._post.status(device.settings.name), status.model_dump_json().encode())

    def _status(self, state: State, reason: str) -> AgentStatus:
        return AgentStatus(state=state, reason=reason, since=self._since)

    def _judge(self) -> tuple[State, str]:
        """The state of the whole agent, and why it is not better."""
        stand = self._intake.stand
        refused = f"The broker refused {stand.refused} events; they are tried again." if stand.refused else None
        ailing = [name for name, device in self._supervisor.devices.items() if device.state not in _WELL]
        devices = f"Look at {', '.join(ailing)}." if ailing else None
        troubles = [self._intake.trouble, self._publisher.trouble, refused, self._complaint, devices]
        reasons = [trouble for trouble in troubles if trouble]
        return (State.DEGRADED, " ".join(reasons)) if reasons else (State.OK, "")

    def _say_agent(self, state: State | None = None, reason: str = "") -> None:
        judged = (state, reason) if state is not None else self._judge()
        now = time.monotonic()
        if judged == self._state and now - self._said < STATUS_SECONDS:
            return
        if self._state is None or judged[0] != self._state[0]:
            self._since = datetime.now(UTC)
        self._state, self._said = judged, now
        stand = self._intake.stand
        status = self._status(*judged).model_copy(
            update={"last_sequence": stand.last_sequence, "undelivered": stand.undelivered}
        )
        self._publisher.retain(self._post.status(), status.model_dump_json().encode())
        notify.status(f"{judged[0]}: {judged[1] or f'{len(self._supervisor.devices)} devices'}")


_WELL = {State.OK, State.STARTING}
