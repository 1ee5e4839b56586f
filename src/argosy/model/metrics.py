"""Every metric there is. Names by Prometheus' conventions: base units, counters end in _total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Form(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    name: str
    form: Form
    meaning: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """A tuple, for a project's instances have thousands of them."""

    metric: Metric
    value: float
    labels: Mapping[str, str] = MappingProxyType({})
    suffix: str = ""
    """_bucket, _sum or _count of a histogram"""


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"argosy_{name}", Form.GAUGE, meaning, labels)


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"argosy_{name}_total", Form.COUNTER, meaning, labels)


# --- of the deployment: GET /metrics ---

BUILD = _gauge("build_info", "Always 1; the label tells the release.", "version")
REQUESTS = Metric(
    "argosy_api_request_duration_seconds",
    Form.HISTOGRAM,
    "Time from a request's arrival to its answer, since the api process started; waiting for news is counted in.",
    ("method", "route", "status"),
)
RUNS = _gauge("runs", "Operations that are on record, by workflow and state.", "workflow", "state")
RUNS_DUE = _gauge("runs_due", "Operations that could go on and that no worker carries.")
RUN_OLDEST_DUE = _gauge("run_oldest_due_seconds", "For how long the oldest of them has been due.")
WORKERS = _gauge("workers", "Task managers that are registered.")
GUESTS = _gauge("guests", "Guests by the health of their database server, as last heard.", "health")
GUESTS_CONNECTED = _gauge("guests_connected", "Guests whose agent is connected.")
COMMANDS_WAITING = _gauge("commands_waiting", "Commands that guests have not answered yet.")
QUOTA_USED = _gauge("quota_used", "What a project holds: counts, GiB of volumes, MiB of ram.", "project", "resource")
POOL_SIZE = _gauge("pool_bytes", "Room that volumes share: of the pool, and of the disk below it.", "place")
POOL_USED = _gauge("pool_used_bytes", "Bytes of it that are taken.", "place")
STORE_UP = _gauge("store_up", "Whether the object store could be used when it was looked at last: 1 or 0.")
STORE_USED = _gauge("store_used_percent", "How full the object store is, where that is known.")
EVENTS = _counter("events", "Events told since the deployment was made.")
EVENT_AGE = _gauge("event_latest_timestamp_seconds", "When the latest event was told.")
WEBHOOKS = _gauge("webhooks", "Webhooks by state.", "state")
WEBHOOK_LAG = _gauge(
    "webhook_lag_seconds", "Age of the oldest event that an active webhook was not told of.", "webhook"
)
BACKUPS = _gauge("backups", "Backups by state, and by what is known of whether they restore.", "state", "proof")
DRILLS = _gauge("backup_drills", "Trials of backups on record, by how they ended.", "state")
DRILL_LATEST = _gauge("backup_drill_latest_timestamp_seconds", "When a backup was proven to restore last.")
ARCHIVES = _gauge("archives", "Instances whose log is archived, by how late that is.", "level")
SELF_BACKUP = _gauge("self_backup_timestamp_seconds", "When the deployment kept a backup of its own state last.")
DATABASE_SIZE = _gauge("database_bytes", "Size of the control database.")

DEPLOYMENT = (
    BUILD, REQUESTS, RUNS, RUNS_DUE, RUN_OLDEST_DUE, WORKERS, GUESTS, GUESTS_CONNECTED, COMMANDS_WAITING, QUOTA_USED,
    POOL_SIZE, POOL_USED, STORE_UP, STORE_USED, EVENTS, EVENT_AGE, WEBHOOKS, WEBHOOK_LAG, ARCHIVES, BACKUPS,
    DRILLS, DRILL_LATEST, SELF_BACKUP, DATABASE_SIZE,
)  # fmt: skip

# --- of instances: GET /v1.0/{project}/metrics ---

OF_INSTANCE = ("instance_id", "instance_name", "datastore", "datastore_version")


def _instance(name: str, meaning: str) -> Metric:
    return _gauge(f"instance_{name}", meaning, *OF_INSTANCE)


def _instance_total(name: str, meaning: str) -> Metric:
    return _counter(f"instance_{name}", meaning, *OF_INSTANCE)


UP = _instance("up", "1 while the database server is healthy and its guest is heard of, else 0.")
HEARTBEAT_AGE = _instance("heartbeat_age_seconds", "Time since the guest was last heard of.")
VOLUME = _instance("volume_bytes", "Size of the data volume.")
VOLUME_USED = _instance("volume_used_bytes", "Bytes of the data volume that are taken.")

REPORTED: Mapping[str, Metric] = {
    "uptime_seconds": _instance("engine_uptime_seconds", "Time since the database server started."),
    "engine_starts": _instance_total("engine_starts", "Starts of the database server by its guest."),
    "cpu_seconds": _instance_total("cpu_seconds", "Processor time of everything in the guest."),
    "resident_bytes": _instance("resident_bytes", "Memory of everything in the guest that nothing else shares."),
    "memory_limit_bytes": _instance("memory_limit_bytes", "Memory that the flavor gives the guest."),
    "connections": _instance("connections", "Client connections that are open."),
    "max_connections": _instance("max_connections", "Client connections that may be open."),
    "rejected_connections": _instance_total("rejected_connections", "Connections refused because of that limit."),
    "active_connections": _instance("active_connections", "Connections that are just being served."),
    "commits": _instance_total("commits", "Transactions committed."),
    "rollbacks": _instance_total("rollbacks", "Transactions rolled back."),
    "deadlocks": _instance_total("deadlocks", "Deadlocks noticed."),
    "queries": _instance_total("queries", "Statements that clients sent."),
    "log_written": _instance("log_written", "1 while the server writes a log that it could do without, else 0."),
    "slow_queries": _instance_total("slow_queries", "Statements that took longer than the server's long_query_time."),
    "commands": _instance_total("commands", "Commands processed."),
    "blocks_read": _instance_total("blocks_read", "Blocks that had to be read from the volume."),
    "blocks_hit": _instance_total("blocks_hit", "Blocks found in the server's cache."),
    "blocks_requested": _instance_total("blocks_requested", "Blocks asked of the server's cache."),
    "buffer_pool_bytes": _instance("buffer_pool_bytes", "Data in the server's cache."),
    "temporary_bytes": _instance_total("temporary_bytes", "Bytes written to temporary files."),
    "rows_returned": _instance_total("rows_returned", "Rows read by queries."),
    "rows_changed": _instance_total("rows_changed", "Rows inserted, updated or deleted."),
    "wal_bytes": _instance_total("wal_bytes", "Bytes of log written ahead of the data."),
    "oldest_transaction_seconds": _instance("oldest_transaction_seconds", "Age of the oldest open transaction."),
    "received_bytes": _instance_total("received_bytes", "Bytes received from clients."),
    "sent_bytes": _instance_total("sent_bytes", "Bytes sent to clients."),
    "memory_bytes": _instance("engine_memory_bytes", "Memory that the database server holds by its own account."),
    "max_memory_bytes": _instance("engine_max_memory_bytes", "Memory that it may hold by its own account."),
    "hits": _instance_total("keyspace_hits", "Keys looked up and found."),
    "misses": _instance_total("keyspace_misses", "Keys looked up and not found."),
    "archive_backlog_bytes": _instance("archive_backlog_bytes", "Log that is not in the store yet."),
    "archive_backlog_seconds": _instance("archive_backlog_seconds", "Age of the oldest log that is not."),
    "archive_latest": _instance("archive_latest_timestamp_seconds", "The newest moment that can be gone back to."),
    "keys": _instance("keys", "Keys kept."),
    "evicted_keys": _instance_total("evicted_keys", "Keys given up for want of memory."),
    "expired_keys": _instance_total("expired_keys", "Keys whose time was over."),
}
"""What guests report, by the name that drivers and agents give it: the numbers of one heartbeat."""

INSTANCE = (UP, HEARTBEAT_AGE, VOLUME, VOLUME_USED, *REPORTED.values())

CATALOGUE: Mapping[str, Metric] = {metric.name: metric for metric in (*DEPLOYMENT, *INSTANCE)}

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(samples: Iterable[Sample]) -> str:
    """The samples in Prometheus' text format, each metric's together."""
    grouped: dict[str, list[str]] = {}
    written = _Labels()
    for metric, value, labels, suffix in samples:
        lines = grouped.get(metric.name)
        if lines is None:
            lines = grouped[metric.name] = [_head(metric)]
        lines.append(f"{metric.name}{suffix}{{{written.of(labels)}}} {_number(value)}\n")
    return "".join(line for lines in grouped.values() for line in lines)


def _head(metric: Metric) -> str:
    return f"# HELP {metric.name} {metric.meaning}\n# TYPE {metric.name} {metric.form}\n"


class _Labels:
    """Writes labels; those of the sample before are not written anew: all of an instance's have the same."""

    def __init__(self) -> None:
        self._last: Mapping[str, str] | None = None
        self._text = ""

    def of(self, labels: Mapping[str, str]) -> str:
        if labels is not self._last:
            self._last = labels
            self._text = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
        return self._text


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)
