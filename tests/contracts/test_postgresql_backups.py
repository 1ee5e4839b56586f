"""Backups of real servers of PostgreSQL, taken and brought back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from postgresql_hands import Archivist, Kept

from argosy import errors
from argosy.engines import registry
from argosy.model.guest import Identity, Secret
from argosy.testing import servers
from argosy.testing.clients import Login, Tenant
from argosy.testing.hands import Hands
from argosy.testing.servers import Farm, Server

PASSWORD = Secret("correct-horse")


def own() -> Identity:
    return Identity(str(uuid.uuid4()), 1)


def archivist(server: Server) -> Server:
    server.hands.close()
    server.hands = Hands(Archivist, server.site)
    return server


class BackupsOfPostgresql:
    version: ClassVar[str]

    @pytest.fixture(scope="class")
    @classmethod
    def farm(cls) -> Iterator[Farm]:
        with servers.farm() as farm:
            yield farm

    @pytest.fixture(scope="class")
    @classmethod
    def template(cls, farm: Farm) -> Server:
        return farm.template(registry.get("postgresql"), servers.require("postgresql", cls.version))

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, farm: Farm, template: Server) -> Server:
        server = archivist(farm.clone(template, own()))
        server.start()
        server.hands.call("put_master", PASSWORD)
        with_tenant(server, "CREATE TABLE orders (number int PRIMARY KEY, what text)")
        return server

    @pytest.fixture
    def store(self, source: Server) -> Path:
        """Where its user may write."""
        place = source.site.state / uuid.uuid4().hex
        source.hands.call("make_folder", place)
        return place

    def test_a_base_backup_comes_back(self, farm: Farm, source: Server, store: Path) -> None:
        put(source, 5000)
        kept: Kept = source.hands.call("dump_into", store / "full", "basebackup")
        put(source, 100)
        server = restored(farm, source, [kept])
        assert rows(server) == rows(source) - 100
        assert server.stop() == 0

    def test_what_is_restored_is_looked_through(self, farm: Farm, source: Server, store: Path) -> None:
        seen = source.hands.call("canaries")
        kept: Kept = source.hands.call("dump_into", store / "full", "basebackup")
        server = restored(farm, source, [kept])
        report = server.hands.call("examine_restored", seen)
        assert report["indexes"] > 100
        assert report["tables"] > 50
        assert report["unchecked"] == 0
        assert report["compared"] == 1
        with_tenant(server, "DELETE FROM orders WHERE number = 7")
        with pytest.raises(errors.GuestFailed, match=r"table public.orders of postgres had"):
            server.hands.call("examine_restored", seen)
        assert server.stop() == 0

    def test_a_snapshot_comes_back(self, farm: Farm, source: Server, store: Path) -> None:
        """Of a copy taken at once, which this one is because nobody writes."""
        put(source, 10)
        copy = source.hands.call("copy_quiesced", store / "volume")
        put(source, 10)
        offline = archivist(farm.bare(source.engine, source.found))
        kept: Kept = offline.hands.call("dump_copy", copy, offline.site.state / "kept")
        server = restored(farm, source, [kept])
        assert rows(server) == rows(source) - 10
        assert server.stop() == 0

    def test_quiescing_ends_by_itself(self, source: Server) -> None:
        with pytest.raises(errors.GuestFailed, match="throughout"):
            source.hands.call("quiesce_too_long")
        put(source, 1)


def put(server: Server, count: int) -> None:
    with_tenant(
        server,
        "INSERT INTO orders SELECT coalesce(max(number), 0) + n, repeat(md5(n::text), 5)"
        f" FROM orders RIGHT JOIN generate_series(1, {count}) n ON true GROUP BY n",
    )


def rows(server: Server) -> int:
    [[count]] = with_tenant(server, "SELECT count(*) FROM orders")
    return int(count)


def login(server: Server) -> Login:
    return server.login("root", PASSWORD)


def with_tenant(server: Server, statement: str) -> list[list[Any]]:
    tenant: Tenant = server.connect(login(server))
    try:
        return tenant.run(statement)
    finally:
        tenant.close()


def restored(farm: Farm, source: Server, chain: list[Kept]) -> Server:
    server = archivist(farm.bare(source.engine, source.found))
    server.hands.call("load_from", chain)
    server.hands.call("adopt", own())
    server.issue_certificate()
    server.hands.call("configure", {})
    server.start()
    return server


class TestBackupsOfPostgresql15(BackupsOfPostgresql):
    version = "15"


class TestBackupsOfPostgresql17(BackupsOfPostgresql):
    version = "17"
