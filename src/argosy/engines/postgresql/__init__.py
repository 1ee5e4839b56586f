"""PostgreSQL."""

from __future__ import annotations

from argosy.engines.backups import SNAPSHOT, Strategy
from argosy.engines.base import Capability, Datastore, Engine, Names
from argosy.engines.logfiles import ERROR, Log, Switch

ENGINE = Engine(
    name="postgresql",
    title="PostgreSQL",
    datastores=(Datastore("postgresql", "6c0e7e2f-5d7c-4b0a-9a35-0d1b8f6f4a51", "PostgreSQL"),),
    port=5432,
    scheme="postgresql",
    capabilities=frozenset(
        {
            Capability.ACCOUNTS,
            Capability.DATABASES,
            Capability.TLS,
            Capability.UPGRADES,
            Capability.BACKUPS,
            Capability.POINT_IN_TIME,
            Capability.EXCERPTS,
        }
    ),
    smallest_ram=96,
    series=1,
    crosses_series=True,
    names=Names(
        database_length=63,
        user_length=63,
        reserved_databases=frozenset({"postgres", "template0", "template1"}),
        reserved_users=frozenset({"os_admin", "os_carrier", "root", "postgres", "public", "none"}),
        reserved_prefixes=("pg_",),
    ),
    driver="argosy.engines.postgresql.driver:PostgresqlDriver",
    own="argosy.engines.postgresql.configuration:own",
    finder="argosy.engines.postgresql.finder:find",
    logs=(
        Log("general", Switch("log_statement", on="all", off="none", shipped=False)),
        Log("slow_query", Switch("log_min_duration_statement", on="1s", off="-1", shipped=True)),
        ERROR,
    ),
    read_only={"default_transaction_read_only": "on"},
    strategies=(
        Strategy("basebackup", "base backup with its log"),
        Strategy(SNAPSHOT, "copy of a snapshot", offline=True),
        Strategy("incremental", "what changed since", parents=frozenset({"basebackup", SNAPSHOT, "incremental"})),
    ),
)
