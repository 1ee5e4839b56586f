"""The MySQL family: MariaDB, and MySQL where its server is found. One driver for both."""

from __future__ import annotations

from argosy.engines.backups import SNAPSHOT, Strategy
from argosy.engines.base import TROVE_FORBIDS, Capability, Datastore, Engine, Names
from argosy.engines.logfiles import ERROR, Log, Switch

_CHARACTER_SETS = (
    "armscii8 ascii big5 binary cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 cp932 dec8 eucjpms euckr gb2312 gbk"
    " geostd8 greek hebrew hp8 keybcs2 koi8r koi8u latin1 latin2 latin5 latin7 macce macroman sjis swe7 tis620 ucs2"
    " ujis utf16 utf16le utf32 utf8 utf8mb3 utf8mb4"
)

ENGINE = Engine(
    name="mysql",
    title="MySQL and MariaDB",
    datastores=(
        Datastore("mariadb", "b6a2e1f5-0f3c-4c6f-8f5e-3d1a5e1c7b02", "MariaDB"),
        Datastore("mysql", "a4f1d7c3-7a1b-4e0d-9c55-2b9e6f0d8c13", "MySQL"),
    ),
    port=3306,
    scheme="mysql",
    capabilities=frozenset(
        {
            Capability.ACCOUNTS,
            Capability.BACKUPS,
            Capability.DATABASES,
            Capability.POINT_IN_TIME,
            Capability.EXCERPTS,
            Capability.TLS,
            Capability.UPGRADES,
        }
    ),
    smallest_ram=128,
    names=Names(
        database_length=64,
        user_length=32,
        hosts=True,
        reserved_databases=frozenset({"mysql", "information_schema", "performance_schema", "sys", "lost+found"}),
        reserved_users=frozenset({"os_admin", "root", "mariadb.sys", "mysql.sys", "mysql.session", "PUBLIC"}),
        forbidden_in_passwords=TROVE_FORBIDS,
        character_sets=frozenset(_CHARACTER_SETS.split()),
    ),
    driver="argosy.engines.mysql.driver:MysqlDriver",
    own="argosy.engines.mysql.configuration:own",
    finder="argosy.engines.mysql.finder:find",
    logs=(
        Log("general", Switch("general_log", on="ON", off="OFF", shipped=False)),
        Log("slow_query", Switch("slow_query_log", on="ON", off="OFF", shipped=True)),
        ERROR,
    ),
    read_only={"read_only": "ON"},
    strategies=(
        Strategy(
            "mariabackup",
            "the server's files, read by mariadb-backup while it runs",
            suffix="mbstream",
            ahead=7 << 20,  # it reads and writes 10 MB by turns: 2 GB took 5.8 s when it had to wait, and 4.5 s so
        ),
        Strategy(
            "mariabackup-incremental",
            "pages changed since the parent, read by mariadb-backup",
            parents=frozenset({"mariabackup", "mariabackup-incremental"}),
            restored_with="mariabackup",
            suffix="mbstream",
        ),
        Strategy(SNAPSHOT, "the server's files, read from an atomic copy of the volume", offline=True),
        Strategy("mysqldump", "SQL statements, written by mariadb-dump", logical=True, suffix="sql"),
    ),
    # A start makes the temporary tablespace anew, 12 MiB, after recovery may have taken its place by enlarging tables.
    start_bytes=24 << 20,
)
