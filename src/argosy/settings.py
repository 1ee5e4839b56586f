"""Every option: type, default, one sentence. The reference manual and the sample file are made from this module.

One TOML file (`argosy.toml` in the state directory), environment variables over it (`ARGOSY_SECTION__OPTION`, lists and
tables as JSON), nothing else. Read once at the start of a process. The state directory itself is chosen by
`ARGOSY_STATE` or `--state`; without either it is /var/lib/argosy for root and the XDG state home otherwise.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argosy import errors


class BadSetting(errors.Broken):
    """a setting cannot be used"""


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
class Taskmanager:
    threads: int = 6
    """Operations worked on at once by one task manager."""
    lease_seconds: float = 30.0
    """How long a worker of another host may be silent before its operations are taken over."""


@dataclass(frozen=True)
class Provider:
    kind: str = "local"
    """Where guests run."""
    level: str = "auto"
    """`root`: users, cgroups, sized volumes, sandbox; `user`: plain processes; `auto`: root where the state
    directory belongs to root."""
    network: str = "loopback"
    """`loopback`: 127.x.y.z per guest; `namespace`: a network namespace per guest on a private bridge."""
    addresses: str = ""
    """Network that guests' addresses are taken from; empty: a /16 of 127.0.0.0/8 (loopback) or 10.0.0.0/8 (namespace)
    derived from the state directory, so that deployments stay apart."""
    publish_addresses: str = ""
    """Addresses of this host (comma separated) at which public databases are reached; empty: its primary ones."""
    publish_names: str = ""
    """What clients are told instead, and certificates name besides: host names, or the addresses of a NAT before it."""
    publish_ports: str = "20000-24095"
    """Ports that public databases are given, below those that the kernel gives to outgoing connections."""
    pool_gigabytes: int = 0
    """Size of the volume pool in GiB (a sparse file); 0: four fifths of what is free."""
    engines: str = ""
    """Directory with further engine roots, one subdirectory each; empty: `engines` in the state directory."""


@dataclass(frozen=True)
class Tls:
    default_mode: str = "enforced"
    """TLS of new instances: `enforced` refuses plain connections, `basic` allows them too, `mtls` wants certificates
    of clients, `off` speaks none."""
    certificate_days: int = 825
    """How long an instance's certificate is good; it is renewed at two thirds of it."""


@dataclass(frozen=True)
class Logs:
    container: str = "database_logs"
    """Container of the object store that logs of databases are published in."""
    kept_seconds: int = 2_592_000
    """After so long a published part of a log is deleted."""
    most_megabytes: int = 256
    """Published text of one log that is kept, in MiB; the oldest goes first."""


@dataclass(frozen=True)
class Flavor:
    id: str
    name: str
    ram: int
    """MiB; enforced as the guest's memory limit."""
    vcpus: float
    """Processors; enforced as the guest's CPU quota."""


# No two have the same RAM: the trove shell sorts by it, and stumbles over a tie of a numeric id with another.
SHIPPED_FLAVORS = (
    Flavor("1", "tiny", 256, 1),
    Flavor("2", "small", 512, 1),
    Flavor("3", "medium", 1024, 1),
    Flavor("4", "large", 2048, 2),
    Flavor("5", "xlarge", 4096, 2),
    Flavor("6", "2xlarge", 8192, 4),
    Flavor("6.1", "2xlarge.compute", 6144, 8),
)


@dataclass(frozen=True)
class Limits:
    instances: int = 200
    """Quota: instances of a project (-1: unlimited). Trove ships 10."""
    volumes: int = 2000
    """Quota: GiB of volumes of a project. Trove ships 40."""
    backups: int = 1000
    """Quota: backups of a project. Trove ships 50."""
    ram: int = -1
    """Quota: MiB of memory of a project."""
    max_volume_gigabytes: int = 1000
    """Largest volume in GiB. Trove ships 10."""
    requests_per_minute: int = 6000
    """Requests of each verb per project and minute. Trove ships 200."""


@dataclass(frozen=True)
class Events:
    keep_days: float = 400.0
    """For how many days events are kept: the audit trail can be exported until then."""


@dataclass(frozen=True)
class Alarms:
    pool_warning_percent: float = 75.0
    """How full the pool of volumes, or the disk below it, is when it is told as a warning."""
    pool_critical_percent: float = 90.0
    """How full it is when it is told as critical."""
    volume_warning_percent: float = 90.0
    """How full an instance's volume is when it is told as a warning."""
    volume_critical_percent: float = 97.0
    """How full it is when it is told as critical."""


@dataclass(frozen=True)
class Webhooks:
    refused_networks: str = (
        "0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3, 100.100.100.200/32, 168.63.129.16/32,"
        " ::/127, fe80::/10, ff00::/8, fd00:ec2::254/128, fd20:ce::254/128"
    )
    """Networks that no webhook is sent to, whatever name leads there. As shipped: this machine itself and clouds'
    metadata services; add what else tenants must not reach. Private networks are allowed: receivers live there."""
    allowed_networks: str = ""
    """Exceptions from the refused networks, e.g. 127.0.0.1/32."""
    authorities: str = ""
    """PEM file of the authorities that sign receivers' certificates; empty: the system's."""
    timeout_seconds: float = 10.0
    """Seconds that a receiver has for one delivery, from connecting to its answer."""
    give_up_hours: float = 24.0
    """After so many hours without one success a webhook is marked failing, until its owner resumes it."""
    threads: int = 4
    """Deliveries under way at once; operations have threads of their own."""
    per_project: int = 20
    """Webhooks of a project."""


@dataclass(frozen=True)
class Metrics:
    token: str = ""
    """What `GET /metrics` wants to see as a bearer token; empty: it answers this machine's own addresses only, and
    nobody where a proxy stands in front."""


@dataclass(frozen=True)
class SelfBackup:
    every_hours: float = 24.0
    """How often the deployment keeps a backup of its own state, in `self-backups` of the state directory; 0: never."""
    kept: int = 7
    """How many of them stay."""
    passphrase_file: str = ""
    """File whose first line seals them, readable for the deployment's user; empty: they are sealed by
    `keys/master.key`, which is to be kept elsewhere too."""


@dataclass(frozen=True)
class Store:
    kind: str = "filesystem"
    """Where backups and logs are kept: `filesystem` (a directory, also of a mount), `s3`, or `swift`."""
    path: str = ""
    """Directory of the `filesystem` store, best below a mount of its own; it must exist, or the store counts as away.
    Empty: `objects` in the state directory, which is lost with this machine's disk."""
    url: str = ""
    """`s3`: the endpoint, empty for Amazon's. `swift`: where to log in: Keystone's URL, which ends with /v3, or
    TempAuth's, which ends with /auth/v1.0."""
    bucket: str = "argosy"
    """Bucket, which must exist, or container."""
    prefix: str = ""
    """Put before every key, so that a bucket can be shared; it ends with a slash."""
    region: str = ""
    """Region of the bucket (`s3`; empty: us-east-1), or of the store in Keystone's catalog."""
    addressing: str = "auto"
    """Whether `s3` names the bucket in the `path` or in the host (`virtual`)."""
    project: str = ""
    """Keystone's project (`swift` only)."""
    domain: str = "Default"
    """Keystone's domain of user and project."""
    credentials_file: str = ""
    """File of mode 0600 with `access_key` and `secret_key` (`s3`) or `user` and `password` (`swift`), a line of TOML
    each; empty: `keys/store.toml` in the state directory."""
    authorities: str = ""
    """PEM file of the authorities that sign the store's certificate; empty: the system's."""
    patience_seconds: float = 15.0
    """For so long one request to a store that is away is repeated, before whoever waits for it is told; they try again
    for as long as they can."""


@dataclass(frozen=True)
class Backups:
    snapshot_from_megabytes: int = 1024
    """From so many MiB of data on, a backup that names no strategy is read from a snapshot of the volume, where the
    engine can and incremental backups can build on that; below it, from the running server, which is quicker then."""
    bytes_per_second: int = 0
    """The most that a backup reads of a guest's data in a second, where the call does not say; 0: as much as it can."""
    nice: int = 10
    """How far what takes a backup stands back for the database server (nice(1), 0 to 19), where the call does not
    say; at 10 and above it takes the disk only when nobody else wants it."""
    stalled_minutes: float = 30.0
    """After so long without a byte a backup or a restore is given up."""
    running_expires_days: float = 3.0
    """After so long a backup that still counts as being made can be deleted (Trove's running_backups_expires)."""
    drills: str = "all"
    """Which finished backups are restored in a sandbox, so that they are known to restore: `all`, `daily` (of each
    instance the newest, once a day), `sampled`, or `off`."""
    drill_sample_percent: int = 10
    """How many of a hundred, where they are sampled."""
    drills_at_once: int = 1
    """How many sandboxes there are at a time."""
    prove_again_days: float = 30.0
    """After so many days a backup that was proven is proven again."""
    undo_hours: float = 24.0
    """How long what an instance's data were before they were restored over can be gone back to; it takes the room of
    what has changed since."""
    quarantine_hours: float = 72.0
    """How long a protected instance or backup that was deleted can be brought back."""
    minimum_retention_days: float = 0.0
    """For so many days nobody deletes a finished backup, neither its owner nor a schedule."""
    point_in_time: bool = False
    """Whether the log of every instance is archived, where its engine can, unless its owner turns that off."""
    log_seconds: float = 2.0
    """How often a guest ships what is new in its log: what the loss of its disk can cost at most, and a second."""
    log_keep_days: float = 7.0
    """How far back an instance can be restored to any moment, where its owner does not say."""
    log_spool_percent: float = 20.0
    """The part of a volume that log may take which is not in the store yet. What does not fit is given up."""
    log_base_hours: float = 24.0
    """After so long a backup is taken for point-in-time recovery to begin with, if anything was written since."""
    log_warning_seconds: float = 60.0
    """The age of the oldest log that is not in the store yet at which that is told as a warning."""
    log_critical_seconds: float = 600.0
    """The age at which it is told as critical. Half of the room for it, or all but a tenth, tell the same sooner."""


@dataclass(frozen=True)
class Settings:
    state: Path
    """The state directory: everything that this deployment keeps."""
    database: Database = field(default_factory=Database)
    api: Api = field(default_factory=Api)
    identity: Identity = field(default_factory=Identity)
    conductor: Conductor = field(default_factory=Conductor)
    taskmanager: Taskmanager = field(default_factory=Taskmanager)
    provider: Provider = field(default_factory=Provider)
    tls: Tls = field(default_factory=Tls)
    limits: Limits = field(default_factory=Limits)
    logs: Logs = field(default_factory=Logs)
    events: Events = field(default_factory=Events)
    alarms: Alarms = field(default_factory=Alarms)
    webhooks: Webhooks = field(default_factory=Webhooks)
    metrics: Metrics = field(default_factory=Metrics)
    self_backup: SelfBackup = field(default_factory=SelfBackup)
    store: Store = field(default_factory=Store)
    backups: Backups = field(default_factory=Backups)
    flavors: tuple[Flavor, ...] = SHIPPED_FLAVORS

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.state / 'control.db'}"

    @property
    def run(self) -> Path:
        """Sockets and pid files."""
        return self.state / "run"

    @property
    def keys(self) -> Path:
        """Master key and certificate authority."""
        return self.state / "keys"

    def flavor(self, flavor_id: str) -> Flavor:
        """Raises NotFound."""
        for flavor in self.flavors:
            if flavor.id == flavor_id:
                return flavor
        raise errors.NotFound(f"flavor {flavor_id} cannot be found")


def default_state(environment: Mapping[str, str], *, root: bool) -> Path:
    if environment.get("ARGOSY_STATE"):
        return Path(environment["ARGOSY_STATE"]).absolute()
    if root:
        return Path("/var/lib/argosy")
    home = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "argosy"


def load(state: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of the deployment in `state`. Raises BadSetting, naming the option, for what cannot be used."""
    environment = os.environ if environment is None else environment
    state = state or default_state(environment, root=os.geteuid() == 0)
    file = state / "argosy.toml"
    told = tomllib.loads(file.read_text()) if file.exists() else {}
    return _levelled(from_tables(state, _overlaid(told, environment)))


def _levelled(told: Settings) -> Settings:
    """`auto` is settled by whose the state directory is: the same for every process, whoever it runs as."""
    if told.provider.level != "auto" or not told.state.exists():
        return told
    level = "root" if told.state.stat().st_uid == 0 else "user"
    return dataclasses.replace(told, provider=dataclasses.replace(told.provider, level=level))


def from_tables(state: Path, told: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {"state": state}
    kinds = typing.get_type_hints(Settings)
    for name, table in told.items():
        if name == "flavors":
            values[name] = tuple(_section(Flavor, "flavors", each) for each in table)
        elif name in kinds and dataclasses.is_dataclass(kinds[name]):
            values[name] = _section(kinds[name], name, table)
        else:
            raise BadSetting(f"there is no section {name!r} in the settings: see docs/reference/settings.md")
    return Settings(**values)


def _overlaid(told: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    tables = {name: dict(table) if isinstance(table, dict) else table for name, table in told.items()}
    for variable, text in environment.items():
        section, found, option = variable.removeprefix("ARGOSY_").lower().partition("__")
        if variable.startswith("ARGOSY_") and found:
            tables.setdefault(section, {})[option] = text
    if environment.get("ARGOSY_FLAVORS"):
        tables["flavors"] = json.loads(environment["ARGOSY_FLAVORS"])
    return tables


def _section(kind: type[Any], name: str, table: Mapping[str, Any]) -> Any:
    hints = typing.get_type_hints(kind)
    unknown = set(table) - set(hints)
    if unknown:
        raise BadSetting(f"there is no option {name}.{min(unknown)}: see docs/reference/settings.md")
    return kind(**{option: _cast(hints[option], f"{name}.{option}", value) for option, value in table.items()})


def _cast(kind: type[Any], name: str, value: Any) -> Any:
    try:
        if kind is str:
            return str(value)
        if kind is bool:
            return _truth(value)
        return kind(value)
    except (TypeError, ValueError) as error:
        raise BadSetting(f"{name} must be of type {kind.__name__}, not {value!r}") from error


def _truth(value: Any) -> bool:
    """As TOML has it, or as an environment variable can."""
    told = str(value).lower()
    if told not in {"true", "yes", "1", "false", "no", "0"}:
        raise ValueError(told)
    return told in {"true", "yes", "1"}
