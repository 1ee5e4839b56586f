"""Databases and tables of the MySQL family that go into a running server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from stock import SEEN, sight

from argosy import errors
from argosy.testing.mysql import fresh, master
from argosy.testing.servers import Farm, Server


def test_one_database_goes_into_a_running_server(farm: Farm, template: Server, stocked: Server, tapes: Path) -> None:
    other = fresh(farm, template)
    tenant = master(other)
    tenant.run("CREATE DATABASE mine")
    odd = "o'dd ` näme"
    excerpts = {
        name: stocked.hands.call("cut", name, (), tapes / f"{number}") for number, name in enumerate(("shop", odd))
    }
    for number, excerpt in enumerate(excerpts.values()):
        other.hands.call("paste", excerpt, excerpt.database, tapes / f"{number}")
    expected = master(stocked)
    assert sight(tenant, SEEN[:-1]) == sight(expected, SEEN[:-1])
    with pytest.raises(errors.Conflict, match="there is a database mine already"):
        other.hands.call("paste", excerpts["shop"], "mine", tapes / "0")
    other.hands.call("paste", excerpts["shop"], "again", tapes / "0")
    assert tenant.run("SELECT a FROM again.seen") == tenant.run("SELECT a FROM shop.aria")
    for each in (tenant, expected):
        each.close()
    assert other.stop() == 0


def test_one_table_goes_into_a_running_server(farm: Farm, template: Server, stocked: Server, tapes: Path) -> None:
    other = fresh(farm, template)
    tenant = master(other)
    tenant.run("CREATE DATABASE shop")
    tenant.run("CREATE TABLE shop.mine (a INT)")
    excerpt = stocked.hands.call("cut", "shop", ("isam", "pages"), tapes / "tables")
    other.hands.call("paste", excerpt, "shop", tapes / "tables")
    assert {name for (name,) in tenant.run("SHOW TABLES FROM shop")} == {"mine", "isam", "pages"}
    assert tenant.run("SELECT COUNT(*) FROM shop.pages") == ((2000,),)
    assert [name for (name,) in tenant.run("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS")] == ["counted"]
    with pytest.raises(errors.Conflict, match="isam, pages"):
        other.hands.call("paste", excerpt, "shop", tapes / "tables")
    for missing in (("shop", ("no",)), ("no", ())):
        with pytest.raises(errors.NotFound):
            stocked.hands.call("cut", *missing, tapes / "missing")
    tenant.close()
    assert other.stop() == 0


@pytest.mark.parametrize(("tables", "into"), [((), "shop"), (("aria", "pages"), "mine")])
def test_what_goes_in_goes_in_whole(
    farm: Farm, template: Server, stocked: Server, tapes: Path, tables: Sequence[str], into: str
) -> None:
    other = fresh(farm, template)
    tenant = master(other)
    tenant.run("CREATE DATABASE mine")
    excerpt = stocked.hands.call("cut", "shop", tables, tapes / "whole")
    first, locked, rest = (tapes / "whole").read_bytes().partition(b"UNLOCK TABLES;")
    assert rest
    (tapes / "broken").write_bytes(first + locked + b"\nNONSENSE;\n" + rest)
    with pytest.raises(errors.GuestFailed, match="NONSENSE"):
        other.hands.call("paste", excerpt, into, tapes / "broken")
    assert {name for (name,) in tenant.run("SHOW DATABASES")} & {"shop", "mine"} == {"mine"}
    assert list(tenant.run("SHOW TABLES FROM mine")) == []
    tenant.close()
    assert other.stop() == 0
