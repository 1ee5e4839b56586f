"""Redis, and Valkey, which has come of it."""

from __future__ import annotations

from argosy.engines.backups import SNAPSHOT, Strategy
from argosy.engines.base import TROVE_FORBIDS, Capability, Datastore, Engine, Names
from argosy.engines.logfiles import ERROR, Log, Switch

ENGINE = Engine(
    name="redis",
    title="Redis",
    datastores=(
        Datastore("redis", "e0c5a9d4-3b7f-4a2e-8d61-9f7b1c2d4e24", "Redis"),
        Datastore(
            "valkey",
            "5d0f7f0e-94b1-4c0a-a3d4-6c1be2a87f35",
            "Valkey",
            own=True,
            takes=frozenset({"7.0", "7.2"}),
        ),
    ),
    port=6379,
    scheme="rediss",
    plain_scheme="redis",
    plain_offset=1,
    capabilities=frozenset(
        {
            Capability.ACCOUNTS,
            Capability.TLS,
            Capability.UPGRADES,
            Capability.BACKUPS,
            Capability.POINT_IN_TIME,
        }
    ),
    smallest_ram=48,
    names=Names(
        user_length=64,
        reserved_users=frozenset({"os_admin", "root", "default"}),
        forbidden_in_users=f"{TROVE_FORBIDS} ",
    ),
    driver="argosy.engines.redis.driver:RedisDriver",
    own="argosy.engines.redis.configuration:own",
    finder="argosy.engines.redis.finder:find",
    logs=(Log("slow_query", Switch("slowlog-log-slower-than", on="10000", off="-1", shipped=True)), ERROR),
    read_only={"min-replicas-to-write": 1},  # there are no replicas
    strategies=(
        Strategy("rdb", "the data set, saved by the server while it runs"),
        Strategy(SNAPSHOT, "the server's files, read from an atomic copy of the volume", offline=True),
    ),
    serves_root=True,
)
