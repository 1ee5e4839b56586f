"""The division of a guest's memory, from the smallest flavor up."""

from __future__ import annotations

import pytest

from argosy.engines import registry
from argosy.engines.mysql import configuration as mysql
from argosy.engines.postgresql import configuration as postgresql
from argosy.engines.redis import configuration as redis

MIB = 1024 * 1024
SIZES = (96, 128, 192, 256, 384, 512, 1024, 2048, 4096, 16384, 65536, 262144)


@pytest.mark.parametrize("megabytes", SIZES)
def test_postgresql_fits_with_every_connection_busy(megabytes: int) -> None:
    share = postgresql.shares(megabytes * MIB)
    assert share.peak <= megabytes * MIB
    assert share.max_connections >= 16
    assert share.work_mem >= 64 * 1024


@pytest.mark.parametrize(
    ("megabytes", "shared", "connections"),
    [(96, 12, 16), (128, 16, 16), (256, 64, 32), (512, 128, 64), (1024, 256, 128), (65536, 16384, 1000)],
)
def test_postgresql_shares(megabytes: int, shared: int, connections: int) -> None:
    share = postgresql.shares(megabytes * MIB)
    assert (share.shared_buffers // MIB, share.max_connections) == (shared, connections)


@pytest.mark.parametrize("megabytes", [size for size in SIZES if size >= 128])
def test_mariadb_fits_with_every_connection_busy(megabytes: int) -> None:
    share = mysql.shares(megabytes * MIB)
    assert share.peak <= megabytes * MIB
    assert share.max_connections >= 16


@pytest.mark.parametrize(
    ("megabytes", "pool", "connections"), [(128, 32, 16), (256, 96, 32), (512, 224, 64), (4096, 2016, 512)]
)
def test_mariadb_shares(megabytes: int, pool: int, connections: int) -> None:
    share = mysql.shares(megabytes * MIB)
    assert (share.buffer_pool // MIB, share.max_connections) == (pool, connections)


@pytest.mark.parametrize(("megabytes", "usable"), [(48, 21), (64, 31), (512, 300), (1024, 607)])
def test_redis_leaves_room_for_a_rewrite(megabytes: int, usable: int) -> None:
    assert redis.usable_memory(megabytes * MIB) // MIB == usable


@pytest.mark.parametrize("engine", registry.engines().values(), ids=lambda engine: engine.name)
def test_the_smallest_flavor_leaves_something(engine: registry.Engine) -> None:
    smallest = engine.smallest_ram * MIB
    shares = {
        "postgresql": lambda: postgresql.shares(smallest).shared_buffers,
        "mysql": lambda: mysql.shares(smallest).buffer_pool,
        "redis": lambda: redis.usable_memory(smallest),
    }
    assert shares[engine.name]() >= 12 * MIB
