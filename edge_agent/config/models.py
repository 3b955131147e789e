"""The settings of a post as typed models: ``agent.toml`` and one file per device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ByteSize, ConfigDict, Field

from edge_agent.driver import CredentialName, DriverSettings

Name = Annotated[str, Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
"""Lower-case letters, digits and single hyphens: what is safe in a topic, a file name and a metric."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PostSettings(_Table):
    """``[post]``: which border crossing point this is."""

    country: str = Field(pattern="^[a-z]{2}$", description="ISO 3166 two-letter code, lower case")
    bcp: Name = Field(description="Short name of the border crossing point, as it appears in topics")


class TlsSettings(_Table):
    """``[broker.tls]``: encryption and the identities of both ends. The host name is always checked."""

    ca: Path | None = Field(default=None, description="CA certificate(s) in PEM; the system's store if left out")
    certificate: Path | None = Field(default=None, description="Client certificate in PEM")
    key: CredentialName | None = Field(
        default=None, description="Name of the credential that holds the client key in PEM"
    )


class BrokerSettings(_Table):
    """``[broker]``: where events go."""

    host: str = Field(min_length=1)
    port: int = Field(default=1883, ge=1, le=65535, description="1883 plain, 8883 with TLS")
    protocol: Literal["auto", "5", "3.1.1"] = Field(
        default="auto", description="auto tries MQTT 5 and falls back to 3.1.1, which cannot report a refused event"
    )
    client_id: str | None = Field(default=None, max_length=64, description="Default: edge-{country}-{bcp}")
    username: str | None = None
    password: CredentialName | None = Field(default=None, description="Name of the credential that holds the password")
    keepalive: int = Field(default=30, ge=5, le=3600, description="Seconds")
    timeout: int = Field(
        default=20, ge=1, le=120, description="Seconds without any progress after which a connection is given up"
    )
    tls: TlsSettings | None = None


class JournalSettings(_Table):
    """``[journal]``: the store that makes events durable."""

    retention_days: float = Field(default=7, ge=0, le=3650, description="How long delivered events are kept")
    retention_bytes: ByteSize = Field(
        default=ByteSize(2 * 1024**3), description="... and how many bytes of them at most"
    )
    reserve_bytes: ByteSize = Field(
        default=ByteSize(64 * 1024**2), description="Free disk space below which devices are no longer acknowledged"
    )
    receipts: list[Name] = Field(
        default=[], description="Consumers whose receipt an event needs before it may be removed"
    )


class MetricsSettings(_Table):
    """``[metrics]``: Prometheus, on the loopback interface only."""

    port: int | None = Field(default=None, ge=1, le=65535, description="No metrics are served if left out")


class LogSettings(_Table):
    """``[log]``: what is written to the system's journal."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class AgentSettings(_Table):
    """``agent.toml``."""

    state_directory: Path = Field(
        default=Path("/var/lib/edge-agent"),
        description="Where the journal lives; $STATE_DIRECTORY (set by systemd) wins over this",
    )
    post: PostSettings
    broker: BrokerSettings
    journal: JournalSettings = JournalSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()


class DeviceSettings(_Table):
    """A file in ``devices/``: one device. ``settings`` is checked against the model of its driver."""

    name: Name = Field(description="Unique at this post; part of the topic")
    driver: str = Field(description="Kind of device: see `edge-agent drivers`")
    enabled: bool = True
    evidence: Literal["none", "thumbnail", "all"] = Field(
        default="none", description="What is sent of the pictures and raw data behind each event"
    )
    max_rate: float = Field(default=100, gt=0, description="Events per second; a device that floods is slowed to this")
    memory: ByteSize = Field(
        default=ByteSize(512 * 1024**2), description="A device process that needs more is replaced"
    )
    settings: DriverSettings


class Config(_Table):
    """Everything that ``edge-agent run`` needs, checked."""

    agent: AgentSettings
    devices: tuple[DeviceSettings, ...]
    sha256: str = Field(description="Hash over all files, for the birth message")
