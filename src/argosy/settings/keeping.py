"""What is kept against loss: the object store, backups, the deployment's own state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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
    """Where backups and logs are kept: `filesystem` (a directory, also of a mount), `s3`, `swift`, or `sftp`."""
    path: str = ""
    """Directory of the `filesystem` store, best below a mount of its own; it must exist, or the store counts as away.
    Empty: `objects` in the state directory, which is lost with this machine's disk."""
    url: str = ""
    """`s3`: the endpoint, empty for Amazon's. `swift`: where to log in: Keystone's URL, which ends with /v3, or
    TempAuth's, which ends with /auth/v1.0. `sftp`: sftp://HOST or sftp://HOST:PORT."""
    bucket: str = "argosy"
    """Bucket, which must exist, or container. `sftp`: directory, which must exist, from where a login begins or with a
    slash before it."""
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
    """File of mode 0600 with `access_key` and `secret_key` (`s3`), `user` and `password` (`swift`), or `user` and
    `private_key` or `password` (`sftp`), a line of TOML each; empty: `keys/store.toml` in the state directory."""
    host_key: str = ""
    """What the server of `sftp` is known by: its lines of known_hosts, or the fingerprint (`SHA256:…`) of its key."""
    authorities: str = ""
    """PEM file of the authorities that sign the store's certificate; empty: the system's."""
    patience_seconds: float = 15.0
    """For so long one request to a store that is away is repeated, before whoever waits for it is told; they try again
    for as long as they can."""


@dataclass(frozen=True)
class Region:
    """Another deployment, whose backups can be registered here: where they lie, by the options of `[store]`, whose
    `credentials_file` is `keys/region-NAME.toml` unless told; and whose they are.
    """

    store: Store
    """What its section says."""
    projects: Mapping[str, str]
    """Whose backups are whose: the id of a project there, and which project of this deployment may name its backups.
    Empty: a project has the same id in both; told: those that are named, and no others."""


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
