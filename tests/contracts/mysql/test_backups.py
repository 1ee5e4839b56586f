"""Backups of the MySQL family with the real server: each strategy taken, restored, and compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from stock import sight

from argosy import errors
from argosy.engines.mysql.canaries import digest
from argosy.model.guest import Secret
from argosy.testing.mysql import fresh, handy, master, restored
from argosy.testing.servers import Farm, Server
from argosy.testing.tapes import Tape
from argosy.testing.waiting import eventually


def snapshot(farm: Farm, server: Server, tape: Path) -> Tape:
    """Its volume is copied while it is held still, and read by a guest without a server."""
    server.hands.call("begin_hold", 20.0)
    helper = handy(farm.bare(server.engine, server.found, server.site.data))
    server.hands.call("end_hold")
    return helper.hands.call("record", "snapshot", tape)


@pytest.mark.parametrize("strategy", ["mariabackup", "mysqldump", "snapshot"])
def test_everything_comes_back(farm: Farm, template: Server, stocked: Server, tapes: Path, strategy: str) -> None:
    tenant = master(stocked)
    eventually(lambda: stocked.hands.call("canaries")["tables"].keys() >= {digest("`kept`.`kept`")})
    canaries = stocked.hands.call("canaries")
    if strategy == "snapshot":
        tape = snapshot(farm, stocked, tapes / strategy)
    else:
        tape = stocked.hands.call("record", strategy, tapes / strategy)
    after = sight(tenant)
    tenant.write(f"later-{strategy}", "no")
    tenant.close()
    copy = restored(farm, template, [tape])
    tenant = master(copy)
    assert sight(tenant) == after
    assert tenant.read(f"later-{strategy}") is None
    tenant.close()
    copy.connect(copy.login("alice", Secret("wonder"))).close()
    report = copy.hands.call("examine_restored", canaries)
    assert report["checked"] > 30
    assert report["compared"]["tables"] >= 9
    assert copy.stop() == 0


def test_a_chain_comes_back_link_by_link(farm: Farm, template: Server, tapes: Path) -> None:
    server = fresh(farm, template)
    tenant = master(server)
    chain: list[Tape] = []
    for number in range(4):
        tenant.write(f"{number}", "kept")
        tenant.run(f"CREATE TABLE kept.t{number} (a INT PRIMARY KEY) ENGINE={('InnoDB', 'Aria')[number % 2]}")
        tenant.run(f"INSERT INTO kept.t{number} VALUES ({number})")
        since = chain[-1].taken.position if chain else None
        strategy = "mariabackup-incremental" if chain else "mariabackup"
        chain.append(server.hands.call("record", strategy, tapes / f"{number}", since))
    tenant.run("DROP TABLE kept.t0")
    chain.append(server.hands.call("record", strategy, tapes / "last", chain[-1].taken.position))
    assert all(each.path.stat().st_size < chain[0].path.stat().st_size / 2 for each in chain[1:])
    tenant.close()
    for length in (1, 3, 4, 5):
        copy = restored(farm, template, chain[:length])
        tenant = master(copy)
        there = min(length, 4)
        assert [tenant.read(f"{number}") for number in range(there)] == ["kept"] * there
        assert tenant.read(f"{there}") is None
        tables = {name for (name,) in tenant.run("SHOW TABLES FROM kept")} - {"kept"}
        assert tables == {f"t{number}" for number in range(there)} - ({"t0"} if length == 5 else set())
        for name in tables:
            assert tenant.run(f"SELECT a FROM kept.{name}") == ((int(name[1:]),),)
        tenant.close()
        copy.hands.call("examine_restored", {})
        assert copy.stop() == 0
    server.stop()


def test_an_increment_of_data_that_were_brought_back_is_refused(
    farm: Farm, template: Server, primary: Server, tapes: Path
) -> None:
    """Numbers of the log would fit, and the backup be useless."""
    tape = primary.hands.call("record", "mariabackup", tapes / "full")
    copy = restored(farm, template, [tape])
    with pytest.raises(errors.Rejected, match="take a full backup"):
        copy.hands.call("record", "mariabackup-incremental", tapes / "increment", tape.taken.position)
    beyond = {**tape.taken.position, "lsn": "999999999999"}
    with pytest.raises(errors.Rejected, match="take a full backup"):
        primary.hands.call("record", "mariabackup-incremental", tapes / "increment", beyond)
    assert copy.stop() == 0


def test_links_in_the_wrong_order_are_refused(farm: Farm, template: Server, tapes: Path) -> None:
    server = fresh(farm, template)
    tenant = master(server)
    full = server.hands.call("record", "mariabackup", tapes / "full")
    chain = [full]
    for number in range(2):
        tenant.write(f"{number}", "kept")
        tenant.close()
        server.stop()  # a checkpoint: without one the later increment has all that the earlier one has
        server.start()
        tenant = master(server)
        since = chain[-1].taken.position
        chain.append(server.hands.call("record", "mariabackup-incremental", tapes / f"{number}", since))
    tenant.close()
    for wrong in ([chain[0], chain[2]], [chain[0], chain[2], chain[1]], [chain[1], chain[2]]):
        with pytest.raises(errors.GuestFailed):
            restored(farm, template, wrong)
    server.stop()


def test_a_large_open_transaction_is_not_in_a_backup(
    farm: Farm, template: Server, stocked: Server, tapes: Path
) -> None:
    tenant = master(stocked)
    tenant.run("USE shop")
    tenant.run("CREATE TABLE shop.large (a INT PRIMARY KEY, b TEXT)")
    tenant.run("BEGIN")
    tenant.run("INSERT INTO shop.large SELECT seq, REPEAT('z', 2000) FROM seq_1_to_10000")
    made = [
        stocked.hands.call("record", "mariabackup", tapes / "physical"),
        stocked.hands.call("record", "mysqldump", tapes / "logical"),
        snapshot(farm, stocked, tapes / "snapshot"),
    ]
    tenant.run("COMMIT")
    assert tenant.run("SELECT COUNT(*) FROM shop.large") == ((10000,),)
    tenant.run("DROP TABLE shop.large")
    tenant.close()
    for tape in made:
        copy = restored(farm, template, [tape])
        tenant = master(copy)
        assert tenant.run("SELECT COUNT(*) FROM shop.large") == ((0,),)
        tenant.close()
        assert copy.stop() == 0


@pytest.mark.parametrize("strategy", ["mariabackup", "mysqldump"])
def test_an_empty_server_comes_back(farm: Farm, template: Server, tapes: Path, strategy: str) -> None:
    server = fresh(farm, template)
    canaries = server.hands.call("canaries")
    copy = restored(farm, template, [server.hands.call("record", strategy, tapes / "empty")])
    assert copy.hands.call("list_databases") == []
    copy.hands.call("examine_restored", canaries)
    assert server.stop() == copy.stop() == 0


def test_what_changed_and_what_is_gone_is_named(farm: Farm, template: Server) -> None:
    server = fresh(farm, template)
    tenant = master(server)
    tenant.write("one", "1")
    for name in ("left", "gone"):
        tenant.run(f"CREATE TABLE kept.`{name}` (a INT PRIMARY KEY)")
    eventually(lambda: len(server.hands.call("canaries")["tables"]) == 3)
    canaries = server.hands.call("canaries")
    server.hands.call("examine_restored", canaries)
    tenant.write("two", "2")
    with pytest.raises(errors.GuestFailed, match=r"`kept`\.`kept`"):
        server.hands.call("examine_restored", canaries)
    tenant.run("DROP TABLE kept.gone")
    with pytest.raises(errors.GuestFailed, match="the tables of kept"):
        server.hands.call("examine_restored", canaries)
    tenant.close()
    assert server.stop() == 0


def test_a_damaged_table_is_named(farm: Farm, template: Server) -> None:
    server = fresh(farm, template)
    tenant = master(server)
    tenant.run("CREATE DATABASE shop")
    tenant.run("CREATE TABLE shop.t (a INT PRIMARY KEY, b CHAR(200), KEY (b)) ENGINE=Aria")
    tenant.run("USE shop")
    tenant.run("INSERT INTO shop.t SELECT seq, seq FROM seq_1_to_1000")
    tenant.close()
    server.stop()
    file = server.site.data / "db" / "shop" / "t.MAD"
    damaged = bytearray(file.read_bytes())
    damaged[20000:20100] = b"\xff" * 100
    file.write_bytes(damaged)
    server.start()
    with pytest.raises(errors.GuestFailed, match=r"CHECK TABLE: shop\.t"):
        server.hands.call("examine_restored", {})
    server.stop()
