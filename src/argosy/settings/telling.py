"""What is told of databases: logs, events, alarms, webhooks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Logs:
    container: str = "database_logs"
    """Container of the object store that logs of databases are published in."""
    kept_seconds: int = 2_592_000
    """After so long a published part of a log is deleted."""
    most_megabytes: int = 256
    """Published text of one log that is kept, in MiB; the oldest goes first."""


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
