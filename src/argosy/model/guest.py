"""What is said of a guest and of the database server in it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True)
class Secret:
    """A value that does not print."""

    value: str = field(repr=False)

    @classmethod
    def generate(cls, length: int = 36) -> Secret:
        """Random letters and digits: safe in every engine's quoting and in URLs. 36 as Trove makes them."""
        alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
        return cls("".join(secrets.choice(alphabet) for _ in range(length)))

    def __str__(self) -> str:
        return "***"


TAKEN_BACK = "was taken back: the server cannot run with it"
"""How a guest says of settings, in its message or in an answer, that its server runs without them."""


class Health(StrEnum):
    """How the database server is, as its agent sees it."""

    NEW = "new"
    """the agent is there, no server has been made yet"""
    STARTING = "starting"
    """the process runs and does not answer yet (recovering, loading)"""
    HEALTHY = "healthy"
    """it answered a query within the probe's time"""
    BLOCKED = "blocked"
    """the process runs and does not answer in time"""
    DOWN = "down"
    """the process is not running although it should be"""
    STOPPED = "stopped"
    """the process is not running, as asked"""
    FAILED = "failed"
    """it cannot be started: the message carries the server's own words"""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Probe:
    """One look at the server. Metrics are numbers by name, units in the name (`connections`, `uptime_seconds`)."""

    health: Health
    message: str = ""
    version: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


class TlsMode(StrEnum):
    MTLS = "mtls"
    """TLS only, and clients show a certificate too"""
    ENFORCED = "enforced"
    """TLS only"""
    BASIC = "basic"
    """plain connections work too"""
    OFF = "off"
    """plain connections only"""


@dataclass(frozen=True)
class Site:
    """Where one guest's server lives, as its driver sees it: paths inside the sandbox, address, limits."""

    root: Path
    """Engine root: where the binaries are (`root / "bin"` or as the engine lays them out), read-only."""
    data: Path
    """The data volume's mount point; the engine keeps its files in `data / "db"`."""
    state: Path
    """The agent's own directory, beside and never on the volume: configuration, TLS files, sockets, secrets."""
    address: str
    """What the server listens on and its certificate names."""
    port: int
    memory: int
    """Bytes of the flavor, of which the server gets its share."""
    vcpus: float
    volume: int
    """Bytes of the data volume."""
    tls: TlsMode = TlsMode.ENFORCED
    names: tuple[str, ...] = ()
    """Further names and addresses of the endpoint."""
    before: Path | None = None
    """Engine root of the version that the data have been of, while they are to become this one's."""

    @property
    def certificate(self) -> Path:
        """PEM chain of the server; `private_key` and `authority` stand beside it. Replaced by rename."""
        return self.state / "tls" / "server.crt"

    @property
    def private_key(self) -> Path:
        return self.state / "tls" / "server.key"

    @property
    def authority(self) -> Path:
        """PEM of those whose certificates clients may show: in mode `mtls` without any other they must show one."""
        return self.state / "tls" / "ca.crt"


@dataclass(frozen=True)
class Identity:
    """What must differ between a clone and its template. Derived, so that adopting twice is the same."""

    instance: str
    """uuid of the instance"""
    generation: int

    @property
    def number(self) -> int:
        """A server number for engines that want one: 1 … 2^32-1, from the instance's uuid."""
        return (int(self.instance.replace("-", "")[:8], 16) % (2**32 - 1)) + 1


@dataclass(frozen=True)
class ServiceSpec:
    """The one process that the guest's init must keep running."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: int = 15
    """SIGTERM unless the engine means something slower by it (PostgreSQL's fast stop is SIGINT)."""
    stop_seconds: float = 60.0
    """after which SIGKILL follows"""


@dataclass(frozen=True)
class Endpoint:
    host: str
    port: int
