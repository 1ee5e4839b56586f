"""PostgreSQL's configuration files, as text: pure functions of a guest's site."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from argosy import errors
from argosy.model.guest import Site, TlsMode

KIB = 1024
MIB = 1024 * KIB

SERVER_BYTES = 12 * MIB
"""The postmaster with its background processes: 7 MB were measured."""
SESSION_BYTES = 2 * MIB
"""One connection without sorts and hashes."""
MAINTENANCES = 2
"""How many maintenance jobs are counted on at once."""

OURS = frozenset(
    {
        "authentication_timeout", "cluster_name", "config_file", "data_directory", "external_pid_file", "fsync",
        "full_page_writes", "hba_file", "ident_file", "include", "include_dir", "include_if_exists",
        "listen_addresses", "log_destination", "logging_collector", "port", "ssl",
        "ssl_ca_file", "ssl_cert_file",
        "ssl_key_file", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions",
    }
)  # fmt: skip
"""Settings that no override may change: identity, place, and what keeps acknowledged writes."""


@dataclass(frozen=True)
class Shares:
    """How a guest's memory is divided. Bytes, except for the connections."""

    shared_buffers: int
    max_connections: int
    work_mem: int
    maintenance_work_mem: int

    @property
    def peak(self) -> int:
        """With every connection busy in one sort."""
        sessions = self.max_connections * (SESSION_BYTES + self.work_mem)
        return SERVER_BYTES + self.shared_buffers + MAINTENANCES * self.maintenance_work_mem + sessions


def shares(memory: int) -> Shares:
    """An eighth for shared buffers in the smallest guests, a quarter from 256 MiB on; the rest by connections."""
    shared = memory // (8 if memory < 256 * MIB else 4) // MIB * MIB
    maintenance = min(max(memory // 32, 2 * MIB), 2048 * MIB) // MIB * MIB
    connections = min(max(memory // (8 * MIB), 16), 1000)
    each = (memory - SERVER_BYTES - shared - MAINTENANCES * maintenance) // connections - SESSION_BYTES
    return Shares(shared, connections, max(each // 2 // (64 * KIB), 1) * 64 * KIB, maintenance)


def settings(site: Site, sockets: str) -> dict[str, str]:
    """Everything that is not PostgreSQL's own default, before overrides."""
    return {**_place(site, sockets), **_memory(site), **_durability(site), **_tls(site), **_logging()}


def own(site: Site) -> dict[str, str]:
    """What a tenant may set and Argosy says otherwise than PostgreSQL."""
    return {**_memory(site), **_durability(site), **_logging()}


def _place(site: Site, sockets: str) -> dict[str, str]:
    return {
        "data_directory": str(site.data / "db"),
        "hba_file": str(site.state / "pg_hba.conf"),
        "ident_file": str(site.state / "pg_ident.conf"),
        "listen_addresses": site.address,
        "port": str(site.port),
        "unix_socket_directories": sockets,
        "unix_socket_permissions": "0700",
        "authentication_timeout": "20s",
    }


def _memory(site: Site) -> dict[str, str]:
    share = shares(site.memory)
    return {
        "shared_buffers": _kilobytes(share.shared_buffers),
        "max_connections": str(share.max_connections),
        "work_mem": _kilobytes(share.work_mem),
        "maintenance_work_mem": _kilobytes(share.maintenance_work_mem),
        "effective_cache_size": _kilobytes(site.memory // 2),
        "autovacuum_max_workers": str(MAINTENANCES),
        "max_parallel_workers": str(max(int(site.vcpus), 1)),
        "max_parallel_workers_per_gather": str(min(max(int(site.vcpus) - 1, 0), 4)),
        "huge_pages": "off",
        "jit": "off",
    }


def _durability(site: Site) -> dict[str, str]:
    """WAL takes at most an eighth of the volume between checkpoints."""
    return {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "min_wal_size": "32MB",
        "max_wal_size": _kilobytes(_log(site)),
        "checkpoint_timeout": "15min",
    }


def _increments(site: Site, release: int) -> dict[str, str]:
    """Where only the log tells what increments of backups consist of, as much of it is kept as there is anyway between
    two checkpoints: what more would take is room that a filling volume needs for its last commits.
    """
    return {} if release >= SUMMARISES else {"wal_keep_size": _kilobytes(_log(site) // 2)}


def _whatever_is_asked(site: Site, release: int) -> dict[str, str]:
    """What waits for its archive takes at most a quarter of the volume, if the agent lets it; notes of what changed are
    kept for as long as a chain of increments may last.
    """
    bound = {"max_slot_wal_keep_size": _kilobytes(max(site.volume // 4, 128 * MIB))}
    return bound | ({"summarize_wal": "on", "wal_summary_keep_time": "32d"} if release >= SUMMARISES else {})


def _log(site: Site) -> int:
    return min(max(site.volume // 8, 64 * MIB), 4096 * MIB)


def _tls(site: Site) -> dict[str, str]:
    """Off while there is no certificate: with TLS enforced nobody but the agent comes in then."""
    if site.tls is TlsMode.OFF or not site.certificate.exists():
        return {"ssl": "off"}
    return {
        "ssl": "on",
        "ssl_cert_file": str(site.certificate),
        "ssl_key_file": str(site.private_key),
        "ssl_ca_file": str(site.authority) if site.tls is TlsMode.MTLS else "",
        "ssl_min_protocol_version": "TLSv1.2",
    }


def _logging() -> dict[str, str]:
    return {
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_min_duration_statement": "1s",
        "log_timezone": "UTC",
        "timezone": "UTC",
    }


SUMMARISES = 17
"""From this release on, a server can tell which blocks have changed."""


def postgresql_conf(site: Site, sockets: str, overrides: Mapping[str, object], release: int) -> str:
    """Raises BadRequest for an override that is not a setting's name or not the tenant's to change."""
    for name in overrides:
        if name in OURS or not re.fullmatch(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?", name):
            raise errors.BadRequest(f"the setting {name!r} of PostgreSQL cannot be changed")
    told = {name: _text(value) for name, value in overrides.items()}
    values = settings(site, sockets) | _increments(site, release) | told | _whatever_is_asked(site, release)
    return "".join(f"{name} = {quoted(value)}\n" for name, value in values.items())


WAYS: Mapping[TlsMode, tuple[str, ...]] = {
    TlsMode.MTLS: ("hostssl all all all scram-sha-256 clientcert=verify-ca",),
    TlsMode.ENFORCED: ("hostssl all all all scram-sha-256",),
    TlsMode.BASIC: ("host all all all scram-sha-256",),
    TlsMode.OFF: ("hostnossl all all all scram-sha-256",),
}
"""How tenants come in from the network."""


def pg_hba_conf(site: Site) -> str:
    """Who may come in how. The administrator: only by the socket, only as the guest's own Unix user."""
    lines = ["local all,replication os_admin,os_carrier peer map=guest", "host all os_admin,os_carrier all reject"]
    return "\n".join([*lines, *WAYS[site.tls]]) + "\n"


def pg_ident_conf(unix_user: str) -> str:
    return "".join(f'guest "{unix_user}" {name}\n' for name in ("os_admin", "os_carrier"))


def _kilobytes(size: int) -> str:
    return f"{size // KIB}kB"


def _text(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"
