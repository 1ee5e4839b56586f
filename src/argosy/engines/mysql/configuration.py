"""MariaDB's configuration files, as text: pure functions of a guest's site."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.model.guest import Identity, Site, TlsMode

KIB = 1024
MIB = 1024 * KIB

SERVER_BYTES = 36 * MIB
"""The process without buffer pool and connections: 33 MB with a small pool were measured."""
SESSION_BYTES = 2 * MIB

TEMPLATE_LOG_BYTES = 16 * MIB
"""A start reads the redo log twice, so a template's is small."""

BINLOG = "log/binlog"
"""Below the volume, beside the data directory. The server is told the way from there: the files' own index has it, and
a copy of the volume must not lead to where it was copied from.
"""

OURS = frozenset(
    {
        "basedir", "binlog_annotate_row_events", "binlog_checksum", "binlog_expire_logs_seconds", "binlog_format",
        "binlog_row_image", "bind_address", "character_sets_dir", "datadir", "encrypt_binlog", "expire_logs_days",
        "general_log_file", "gtid_domain_id",
        "init_connect", "init_file", "innodb_doublewrite", "innodb_flush_log_at_trx_commit", "lc_messages_dir",
        "local_infile", "log_bin", "log_bin_index", "log_error", "log_output", "max_binlog_size", "pid_file",
        "plugin_dir", "plugin_load", "plugin_load_add",
        "port", "require_secure_transport", "secure_file_priv", "server_id", "skip_name_resolve",
        "slow_query_log_file", "socket", "ssl", "ssl_ca", "ssl_cert", "ssl_key", "sync_binlog", "tls_version",
        "tmpdir", "user",
    }
)  # fmt: skip
"""Settings that no override may change: identity, place, and what keeps acknowledged writes."""

OFFERED = frozenset({"general_log", "slow_query_log"})
"""Whole names that are also the beginning of one of ours."""

LONGEST_LINE = 4000
"""Bytes. What is beyond 4096 of a line the server takes for the next line, and so for a setting of its own."""

Settings = dict[str, str]


@dataclass(frozen=True)
class Shares:
    """How a guest's memory is divided. Bytes, except for the connections."""

    buffer_pool: int
    max_connections: int
    temporary_table: int

    @property
    def peak(self) -> int:
        """With every connection busy."""
        return SERVER_BYTES + self.buffer_pool + self.max_connections * SESSION_BYTES


def shares(memory: int) -> Shares:
    """Half of what the server leaves for the buffer pool, the rest by connections."""
    pool = max((memory - 64 * MIB) // 2, 16 * MIB) // MIB * MIB
    connections = min(max(memory // (8 * MIB), 16), 1000)
    return Shares(pool, connections, min(max(memory // 64, MIB), 64 * MIB))


def log_bytes(site: Site) -> int:
    """The redo log: as much as an eighth of memory and a sixteenth of the volume allow."""
    return min(max(min(site.memory // 8, site.volume // 16), TEMPLATE_LOG_BYTES), 1024 * MIB) // MIB * MIB


def my_cnf(site: Site, base: Path, share: Path, overrides: Mapping[str, object]) -> str:
    """Raises BadRequest for an override that is not a setting's name or not the tenant's to change."""
    values = _place(site, base, share) | _binlog(site) | tunable(site, overrides)
    lines = "".join(_line(name, value) for name, value in values.items())
    return f"[mariadbd]\n{lines}!include {site.state / 'identity.cnf'}\n!include {kept_cnf(site)}\n"


def tunable(site: Site, overrides: Mapping[str, object]) -> Settings:
    """What may change while the server lives."""
    changed = {_checked(name): _text(value) for name, value in overrides.items()}
    return {**_memory(site), **_durability(site), **_tls(site), **_behaviour(), **_logging(site), **changed}


def own(site: Site) -> Settings:
    """What a tenant may set and Argosy says otherwise than MariaDB."""
    return {**_memory(site), **_durability(site), **_behaviour()}


def identity_cnf(identity: Identity, init_file: Path) -> str:
    number = identity.number
    return f"[mariadbd]\nserver_id = {number}\ngtid_domain_id = {number}\ninit_file = {_quoted(str(init_file))}\n"


def binlog(site: Site) -> Path:
    """Its files have this name, with a number as the suffix."""
    return site.data / BINLOG


def binlog_bytes(site: Site) -> int:
    """Of one file, before the next is begun."""
    return min(max(site.volume // 64, 4 * MIB), 64 * MIB) // MIB * MIB


def kept_cnf(site: Site) -> Path:
    """What says whether the server writes a binary log, and how long it keeps it by itself. It belongs to the volume,
    as the log does: a server over data whose log it needs must not begin without it.
    """
    return binlog(site).with_name("kept.cnf")


def kept(seconds: int) -> str:
    return f'[mariadbd]\nlog_bin = "../{BINLOG}"\nbinlog_expire_logs_seconds = {seconds}\n'


UNLOGGED = "[mariadbd]\nskip_log_bin\n"
"""With a log every commit is synced twice."""


TENANTS_BITS = sum(1 << bit for bit in (6, 8, 10, 14, 19, 20, 25))
"""What of MariaDB's global rights a tenant may have, as its grant tables count them: RELOAD, PROCESS, GRANT OPTION,
SHOW DATABASES, REPLICATION SLAVE, BINLOG MONITOR, CREATE USER."""


WRITES = ("Insert", "Update", "Delete", "Create", "Drop", "Grant", "Alter", "Create_view", "Create_routine", "Trigger")
"""rights that nobody has in the system's own databases"""


def init_sql(administrator: str, password_hash: str) -> str:
    """Run at every start before anybody is served, one statement a line: whatever a clone, a restore or the master
    did to the administrator, it has the password of this guest again, nobody of that name comes by the network, and
    nobody else has its rights or runs anything in its name.
    """
    account = f"`{administrator}`@localhost"
    return "".join(f"{statement};\n" for statement in (*_taken_back(administrator), *_given(account, password_hash)))


def _taken_back(administrator: str) -> Sequence[str]:
    """What nobody but the administrator may have. The narrower row in `mysql.db` wins over one for a pattern."""
    rights = "JSON_VALUE(Priv, '$.access')"
    taken = ", ".join(f"{right}_priv = 'N'" for right in WRITES)
    return (
        "SET sql_log_bin = 0, sql_log_off = 1",
        f"DELETE FROM mysql.global_priv WHERE User = '{administrator}'",  # noqa: S608 - our own constant
        (
            f"UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.access', {rights} & {TENANTS_BITS})"  # noqa: S608 - likewise
            f" WHERE {rights} & ~{TENANTS_BITS}"
        ),
        (
            "INSERT IGNORE INTO mysql.db (Host, Db, User, Select_priv)"
            " SELECT Host, 'mysql', User, 'Y' FROM mysql.db WHERE 'mysql' LIKE Db"
        ),
        f"UPDATE mysql.db SET {taken} WHERE Db IN ('mysql', 'sys')",  # noqa: S608 - likewise
        f"UPDATE mysql.proc SET definer = 'root@%' WHERE definer LIKE '{administrator}@%'",  # noqa: S608 - likewise
        f"DELETE FROM mysql.event WHERE definer LIKE '{administrator}@%'",  # noqa: S608 - likewise
    )


def _given(account: str, password_hash: str) -> Sequence[str]:
    return (
        "FLUSH PRIVILEGES",
        f"GRANT ALL ON *.* TO {account} IDENTIFIED VIA mysql_native_password USING '{password_hash}' WITH GRANT OPTION",
    )


def _place(site: Site, base: Path, share: Path) -> Settings:
    scratch = str(site.data / "tmp")
    return {
        "basedir": str(base),
        "lc_messages_dir": str(share),
        "character_sets_dir": str(share / "charsets"),
        "datadir": str(site.data / "db"),
        "tmpdir": scratch,
        "secure_file_priv": scratch,
        "socket": str(site.state / "mysql.sock"),
        "pid_file": str(site.state / "mysql.pid"),
        "bind_address": site.address,
        "port": str(site.port),
        "ssl": "ON" if speaks_tls(site) else "OFF",
    }


def _binlog(site: Site) -> Settings:
    """As it is where there is one. Small files, because only whole ones can be let go of."""
    return {
        "binlog_format": "ROW",
        "binlog_row_image": "FULL",
        "binlog_checksum": "CRC32",
        "binlog_annotate_row_events": "ON",
        "max_binlog_size": str(binlog_bytes(site)),
    }


def _memory(site: Site) -> Settings:
    share = shares(site.memory)
    return {
        "innodb_buffer_pool_size": str(share.buffer_pool),
        "innodb_log_buffer_size": str(2 * MIB),
        "max_connections": str(share.max_connections),
        "tmp_table_size": str(share.temporary_table),
        "max_heap_table_size": str(share.temporary_table),
        "table_open_cache": str(min(max(site.memory // MIB, 200), 2000)),
        "key_buffer_size": str(MIB),
        "aria_pagecache_buffer_size": str(4 * MIB),
        "aria_sort_buffer_size": str(4 * MIB),
        "innodb_read_io_threads": "1",
        "innodb_write_io_threads": "2",
        "innodb_purge_threads": "1",
        "performance_schema": "OFF",
    }


def _durability(site: Site) -> Settings:
    return {
        "innodb_flush_log_at_trx_commit": "1",
        "innodb_doublewrite": "ON",
        "sync_binlog": "1",
        "innodb_log_file_size": str(log_bytes(site)),
    }


def speaks_tls(site: Site) -> bool:
    """Not without a certificate: where TLS is enforced nobody but the agent comes in then."""
    return site.tls is not TlsMode.OFF and site.certificate.exists()


def _tls(site: Site) -> Settings:
    secure = {"require_secure_transport": "ON" if site.tls in {TlsMode.ENFORCED, TlsMode.MTLS} else "OFF"}
    if not speaks_tls(site):
        return secure
    return secure | {
        "ssl_cert": str(site.certificate),
        "ssl_key": str(site.private_key),
        "ssl_ca": str(site.authority),
        "tls_version": "TLSv1.2,TLSv1.3",
    }


def _behaviour() -> Settings:
    return {
        "character_set_server": "utf8mb4",
        "collation_server": "utf8mb4_general_ci",
        "skip_name_resolve": "ON",
        "local_infile": "OFF",
        "log_bin_trust_function_creators": "ON",
    }


def _logging(site: Site) -> Settings:
    return {
        "log_output": "FILE",
        "general_log_file": str(pipe(site, "general")),
        "general_log": "OFF",
        "slow_query_log_file": str(pipe(site, "slow_query")),
        "slow_query_log": "ON",
        "long_query_time": "1.000000",
    }


def pipe(site: Site, log: str) -> Path:
    """What the server writes this log to: a named pipe, so that nobody but its reader decides how much is kept."""
    return site.state / f"{log}.pipe"


def _checked(name: str) -> str:
    """In the spelling of SHOW VARIABLES. The server takes any unambiguous beginning of a name, so those count too."""
    plain = name.replace("-", "_")
    bare = re.sub(r"^(loose|skip|disable|enable|maximum)_", "", plain)
    ours = plain not in OFFERED and any(each.startswith((plain, bare)) for each in OURS)
    if ours or not re.fullmatch(r"[a-z][a-z0-9_]*", plain):
        raise errors.BadRequest(f"the setting {name!r} of MariaDB cannot be changed")
    return plain


def _text(value: object) -> str:
    """Sizes with a unit become numbers: the running server takes no units."""
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    size = re.fullmatch(r"(\d+)([KMG])", str(value).upper())
    return str(int(size[1]) << {"K": 10, "M": 20, "G": 30}[size[2]]) if size else str(value)


def _line(name: str, value: str) -> str:
    line = f"{name} = {_quoted(value)}\n"
    if len(line.encode()) > LONGEST_LINE:
        raise errors.BadRequest(f"the value of the setting {name!r} of MariaDB is too long")
    return line


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
