"""PostgreSQL."""

from __future__ import annotations

from argosy.engines.base import Capability, Datastore, Engine, Names
from argosy.engines.logfiles import ERROR, Log, Switch

ENGINE = Engine(
    name="postgresql",
    title="PostgreSQL",
    datastores=(Datastore("postgresql", "6c0e7e2f-5d7c-4b0a-9a35-0d1b8f6f4a51", "PostgreSQL"),),
    port=5432,
    scheme="postgresql",
    capabilities=frozenset({Capability.ACCOUNTS, Capability.DATABASES, Capability.TLS, Capability.UPGRADES}),
    smallest_ram=96,
    series=1,
    crosses_series=True,
    names=Names(
        database_length=63,
        user_length=63,
        reserved_databases=frozenset({"postgres", "template0", "template1"}),
        reserved_users=frozenset({"os_admin", "root", "postgres", "public", "none"}),
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
)
