"""What the processes are reached at, and how they work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Database:
    url: str = ""
    """SQLAlchemy URL of the control database; empty: SQLite `control.db` in the state directory."""


@dataclass(frozen=True)
class Api:
    host: str = "127.0.0.1"
    """Address that the REST API listens on."""
    port: int = 8779
    """Port of the REST API."""
    public_endpoint: str = ""
    """Base URL that links and the catalog show, when a proxy stands in front; empty: what the request used."""
    threads: int = 12
    """Requests served at once."""
    max_body: int = 1_048_576
    """Largest request body in bytes; above it the answer is 413."""
    page_size: int = 20
    """Default and largest page of a list."""
    policy_file: str = ""
    """oslo.policy file (YAML or JSON) laid over the shipped rules; empty: none."""
    trusted_proxy: str = ""
    """Address of a reverse proxy whose X-Forwarded-Proto, -Host and -For are believed; empty: none is."""
    default_datastore: str = ""
    """Datastore of a create request that names none; empty: such a request is refused, as Trove refuses it."""


@dataclass(frozen=True)
class Identity:
    backend: str = "local"
    """`local`: our own small Keystone-compatible service; `keystone`: a real one, by keystonemiddleware."""
    host: str = "127.0.0.1"
    """Address that the local identity service listens on."""
    port: int = 5000
    """Port of the local identity service."""
    token_seconds: int = 3600
    """How long a token of the local identity service is good."""
    logins_per_minute: int = 30
    """Failed logins per user and minute before further ones are refused with 429 for a while."""
    region: str = "RegionOne"
    """Region named in the catalog."""
    auth_url: str = ""
    """Keystone's URL, e.g. http://keystone:5000/v3 (backend `keystone` only)."""
    username: str = ""
    """Service user that validates tokens at Keystone."""
    password: str = ""
    """Password of that service user; better given by environment than by file."""
    project: str = "service"
    """Project of that service user."""

    @property
    def url(self) -> str:
        """Where logins are made."""
        return self.auth_url or f"http://{self.host}:{self.port}/v3"


@dataclass(frozen=True)
class Conductor:
    host: str = "127.0.0.1"
    """Address that the conductor listens on for guests."""
    port: int = 8780
    """Port of the conductor."""
    heartbeat_seconds: float = 10.0
    """How often a guest reports; a change of health is told at once."""
    silent_seconds: float = 30.0
    """After so long without a heartbeat a guest counts as silent (Trove's agent_heartbeat_expiry, there 90)."""


@dataclass(frozen=True)
class Console:
    host: str = "127.0.0.1"
    """Address that the web console listens on."""
    port: int = 8781
    """Port of the web console."""


@dataclass(frozen=True)
class Taskmanager:
    threads: int = 6
    """Operations worked on at once by one task manager."""
    lease_seconds: float = 30.0
    """How long a worker of another host may be silent before its operations are taken over."""


@dataclass(frozen=True)
class Metrics:
    token: str = ""
    """What `GET /metrics` wants to see as a bearer token; empty: it answers this machine's own addresses only, and
    nobody where a proxy stands in front."""
