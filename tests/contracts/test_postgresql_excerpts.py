"""One database, or one table, of a PostgreSQL that was brought back, into the one that runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from postgresql_hands import Archivist

from argosy import errors
from argosy.engines import registry
from argosy.engines.accounts import Database
from argosy.engines.excerpts import Excerpt
from argosy.model.guest import Identity, Secret
from argosy.testing import hands, servers
from argosy.testing.clients import Tenant
from argosy.testing.hands import Hands
from argosy.testing.servers import Server

PASSWORD = Secret("correct-horse")

TRAP = """
CREATE FUNCTION public.trap() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
BEGIN EXECUTE 'RESET ROLE'; EXECUTE 'RESET SESSION AUTHORIZATION'; EXECUTE 'ALTER ROLE root SUPERUSER';
EXCEPTION WHEN OTHERS THEN NULL; END; RETURN 1; END $$
"""
SHOP = (
    TRAP,
    "CREATE TABLE parent (number int PRIMARY KEY)",
    "CREATE TABLE orders (number serial PRIMARY KEY, what text, parent int REFERENCES parent, CHECK (trap() = 1))",
    "CREATE INDEX ON orders (what)",
    "INSERT INTO parent VALUES (1)",
    "INSERT INTO orders (what, parent) SELECT 'thing ' || n, 1 FROM generate_series(1, 100) n",
)


@pytest.fixture(scope="module", params=["15", "17"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Server, Server]]:
    """One that was brought back, and the one that runs, whose tenants have lost something since."""
    with servers.farm() as farm:
        template = farm.template(registry.get("postgresql"), servers.require("postgresql", request.param))
        before = _started(farm.clone(template, _own()))
        before.hands.call("put_database", Database("shop"))
        for each in SHOP:
            _run(before, "shop", each)
        before.stop()
        now = _started(farm.clone(before, _own()))
        before.start()
        _run(now, "shop", "DELETE FROM orders WHERE number > 10")
        yield before, now


def test_a_table_comes_back_once_its_place_is_free(pair: tuple[Server, Server]) -> None:
    before, now = pair
    with pytest.raises(errors.Conflict, match=r"shop has public\.orders already"):
        _carry(before, now, "shop", ["orders"])
    _run(now, "shop", "DROP TABLE orders")
    _carry(before, now, "shop", ["public.orders"])
    assert _run(now, "shop", "SELECT count(*) FROM orders") == [[100]]
    assert _run(now, "shop", "SELECT count(*) FROM pg_indexes WHERE tablename = 'orders'") == [[2]]


def test_a_table_comes_back_into_another_database(pair: tuple[Server, Server]) -> None:
    before, now = pair
    _carry(before, now, "aside", ["parent"])
    assert _run(now, "aside", "SELECT number FROM parent") == [[1]]


def test_a_database_comes_back_beside_its_own(pair: tuple[Server, Server]) -> None:
    before, now = pair
    _carry(before, now, "shop_before")
    assert _run(now, "shop_before", "SELECT count(*) FROM public.orders") == [[100]]
    with pytest.raises(errors.Conflict, match="database shop_before"):
        _carry(before, now, "shop_before")


def test_a_table_of_the_database_that_clients_are_in_who_name_none(pair: tuple[Server, Server]) -> None:
    before, now = pair
    _run(before, "postgres", "CREATE TABLE first (number int PRIMARY KEY)")
    _run(before, "postgres", "INSERT INTO first SELECT generate_series(1, 50)")
    _carry(before, now, "postgres", ["first"], "postgres")
    assert _run(
        now, "postgres", "SELECT count(*), min(tableowner) FROM first, pg_tables WHERE tablename = 'first'"
    ) == [[50, "root"]]
    with pytest.raises(errors.Conflict, match=r"postgres has public\.first already"):
        _carry(before, now, "postgres", ["first"], "postgres")
    with pytest.raises(errors.Conflict, match="there is a database postgres already"):
        _carry(before, now, "postgres", (), "postgres")
    _carry(before, now, "postgres_before", (), "postgres")
    assert _run(now, "postgres_before", "SELECT count(*) FROM first") == [[50]]


@pytest.mark.parametrize("into", ["template1", "pg_mine"])
def test_what_is_the_systems_is_refused(pair: tuple[Server, Server], into: str) -> None:
    before, now = pair
    with pytest.raises(errors.BadRequest, match=f"{into} is reserved"):
        _carry(before, now, into, ["parent"])


def test_nothing_in_it_gets_more_rights_than_the_master(pair: tuple[Server, Server]) -> None:
    """The trap in it was sprung: its check was asked of every row."""
    before, now = pair
    _carry(before, now, "trapped")
    assert _run(now, "trapped", "SELECT count(*) FROM public.orders") == [[100]]
    assert _run(now, "shop", "SELECT rolsuper FROM pg_roles WHERE rolname = 'root'") == [[False]]
    assert _run(now, "shop", "SELECT count(*) FROM pg_roles WHERE rolname = 'os_carrier'") == [[0]]


@pytest.mark.parametrize(
    ("database", "tables", "words"), [("nowhere", [], "no database nowhere"), ("shop", ["nothing"], "no table public")]
)
def test_what_is_not_there_is_not_found(
    pair: tuple[Server, Server], database: str, tables: list[str], words: str
) -> None:
    before, _ = pair
    with pytest.raises(errors.NotFound, match=words):
        before.hands.call("take_out_into", database, tables, _file(before))


def test_what_cannot_be_read_leaves_nothing(pair: tuple[Server, Server]) -> None:
    _, now = pair
    damaged = _file(now)
    damaged.write_bytes(b"PGDMP" + bytes(1000))
    with pytest.raises(errors.GuestFailed, match="pg_restore"):
        now.hands.call("put_in_from", Excerpt("shop", (), whole=True), "half", damaged)
    assert "half" not in now.hands.call("list_databases")


def _carry(before: Server, now: Server, into: str, tables: Sequence[str] = (), database: str = "shop") -> None:
    file = _file(now)
    excerpt = before.hands.call("take_out_into", database, tables, file)
    now.hands.call("put_in_from", excerpt, into, file)


def _file(server: Server) -> Path:
    place = server.home / uuid.uuid4().hex
    place.mkdir()
    (place / "excerpt").touch()
    hands.give(place)
    return place / "excerpt"


def _started(server: Server) -> Server:
    server.hands.close()
    server.hands = Hands(Archivist, server.site)
    server.start()
    server.hands.call("put_master", PASSWORD)
    return server


def _own() -> Identity:
    return Identity(str(uuid.uuid4()), 1)


def _run(server: Server, database: str, statement: str) -> list[list[Any]]:
    tenant: Tenant = server.connect(server.login("root", PASSWORD, database))
    try:
        rows: list[list[Any]] = tenant.run(statement)
        return rows
    finally:
        tenant.close()
