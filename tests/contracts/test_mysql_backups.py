"""Backups of the MySQL family with the real server: each strategy taken, restored, and compared."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from argosy import errors
from argosy.engines.mysql import holding
from argosy.engines.mysql.canaries import digest
from argosy.model.guest import Secret
from argosy.testing import hands, mysql, servers
from argosy.testing.clients import Tenant
from argosy.testing.hands import Hands
from argosy.testing.mysql import Handy, fresh, handy, master, restored
from argosy.testing.servers import Farm, Server
from argosy.testing.tapes import Tape
from argosy.testing.waiting import eventually


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with servers.farm() as farm:
        yield farm


@pytest.fixture(scope="module")
def template(farm: Farm) -> Server:
    return mysql.template(farm)


@pytest.fixture(scope="module")
def primary(farm: Farm, template: Server) -> Server:
    return fresh(farm, template)


@pytest.fixture
def tapes(farm: Farm) -> Path:
    directory = farm.home / f"tapes-{uuid.uuid4().hex[:6]}"
    directory.mkdir()
    hands.give(directory)
    return directory


@pytest.fixture(scope="module")
def stocked(primary: Server) -> Server:
    """With something of everything that a backup may forget."""
    tenant = master(primary)
    for statement in STOCK:
        tenant.run(statement)
    tenant.write("first", "yes")
    tenant.close()
    return primary


STOCK = (
    "CREATE DATABASE `o'dd `` näme`",
    "CREATE TABLE `o'dd `` näme`.`tä/ble #1` (a INT PRIMARY KEY, b BLOB)",
    "INSERT INTO `o'dd `` näme`.`tä/ble #1` VALUES (1, X'00FF27'), (2, NULL)",
    "CREATE DATABASE shop",
    "USE shop",
    "CREATE TABLE shop.aria (a INT PRIMARY KEY) ENGINE=Aria",
    "INSERT INTO shop.aria VALUES (1), (2), (3)",
    "CREATE TABLE shop.isam (a INT PRIMARY KEY) ENGINE=MyISAM",
    "INSERT INTO shop.isam VALUES (1), (2)",
    "CREATE TABLE shop.compressed (a INT PRIMARY KEY, b TEXT) ROW_FORMAT=COMPRESSED",
    "INSERT INTO shop.compressed SELECT seq, REPEAT('x', 5000) FROM seq_1_to_200",
    "CREATE TABLE shop.pages (a INT PRIMARY KEY, b TEXT) PAGE_COMPRESSED=1",
    "INSERT INTO shop.pages SELECT seq, REPEAT('y', 500) FROM seq_1_to_2000",
    "CREATE TABLE shop.parts (a INT PRIMARY KEY) PARTITION BY HASH (a) PARTITIONS 3",
    "INSERT INTO shop.parts SELECT seq FROM seq_1_to_50",
    "CREATE TABLE shop.versions (a INT) WITH SYSTEM VERSIONING",
    "INSERT INTO shop.versions VALUES (1)",
    "UPDATE shop.versions SET a = 2",
    "CREATE TABLE shop.parent (a INT PRIMARY KEY)",
    "INSERT INTO shop.parent VALUES (1)",
    "CREATE TABLE shop.child (a INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES shop.parent (a))",
    "INSERT INTO shop.child VALUES (1, 1)",
    "CREATE TABLE shop.measured (a INT PRIMARY KEY, f FLOAT, g DOUBLE)",
    "INSERT INTO shop.measured VALUES (1, 8388608.5, 0.1), (2, 1e30, 1/3)",
    "CREATE SEQUENCE shop.numbers START WITH 7",
    "CREATE VIEW shop.seen AS SELECT a FROM shop.aria",
    "CREATE TRIGGER counted BEFORE INSERT ON isam FOR EACH ROW SET NEW.a = NEW.a + 0",
    "CREATE PROCEDURE shop.work() SELECT 'done'",
    "CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "CREATE USER alice@'%' IDENTIFIED BY 'wonder'",
    "GRANT SELECT ON shop.* TO alice@'%'",
)
SEEN = (
    "SELECT * FROM `o'dd `` näme`.`tä/ble #1` ORDER BY 1",
    "SELECT * FROM shop.aria ORDER BY 1",
    "SELECT * FROM shop.isam ORDER BY 1",
    "SELECT a, SHA1(b) FROM shop.compressed ORDER BY 1",
    "SELECT a, SHA1(b) FROM shop.pages ORDER BY 1",
    "SELECT * FROM shop.parts ORDER BY 1",
    "SELECT a FROM shop.versions FOR SYSTEM_TIME ALL ORDER BY 1",
    "SELECT start_value, increment FROM shop.numbers",
    "SELECT * FROM shop.seen ORDER BY 1",
    "CALL shop.work()",
    "SELECT TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS ORDER BY 1",
    "SELECT EVENT_NAME, EVENT_DEFINITION FROM information_schema.EVENTS ORDER BY 1",
    "SHOW GRANTS FOR alice@'%'",
)


def sight(tenant: Tenant, seen: Sequence[str] = SEEN) -> list[object]:
    return [tenant.run(statement) for statement in seen]


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


def test_nobody_commits_while_it_is_held_and_everybody_afterwards(primary: Server) -> None:
    tenant = master(primary)
    tenant.write(f"{uuid.uuid4()}", "before")
    position = primary.hands.call("begin_hold", 20.0)
    assert position["at"] <= time.time()
    done = threading.Event()
    writer = threading.Thread(target=lambda: (tenant.write(f"{uuid.uuid4()}", "during"), done.set()))
    writer.start()
    assert not done.wait(0.5)
    primary.hands.call("end_hold")
    assert done.wait(10)
    writer.join()
    tenant.close()


def test_a_holder_that_is_late_or_dead_holds_nobody(primary: Server) -> None:
    """The server ends what the agent cannot end any more."""
    tenant = master(primary)
    primary.hands.call("begin_hold", 1.0)
    tenant.write(f"{uuid.uuid4()}", "after the server had enough")
    with pytest.raises(errors.GuestFailed, match="not held still to the end"):
        primary.hands.call("end_hold")
    other = Hands(Handy, primary.site)
    other.call("begin_hold", 60.0)
    other._process.kill()
    other._process.join()
    tenant.write(f"{uuid.uuid4()}", "after the holder was killed")
    tenant.close()


def test_a_hold_that_cannot_be_had_gives_up(primary: Server) -> None:
    """Somebody holds a table by LOCK TABLES."""
    tenant = master(primary)
    tenant.write(f"{uuid.uuid4()}", "")
    tenant.run("LOCK TABLES kept.kept WRITE")
    started = time.monotonic()
    with pytest.raises(errors.GuestFailed):
        primary.hands.call("begin_hold", 1.0)
    assert time.monotonic() - started < 10
    tenant.run("UNLOCK TABLES")
    tenant.write(f"{uuid.uuid4()}", "nobody is in the way")
    tenant.close()


class Locking(Handy):
    """Where there are no stages."""

    def lock_tables(self) -> str:
        self._session = self.connect(20)
        return holding.lock(self._session)

    def unlock_tables(self, release: str) -> None:
        self._session.query(release)
        self._session.close()


def test_a_server_without_stages_is_held_by_its_read_lock(primary: Server) -> None:
    other = Hands(Locking, primary.site)
    tenant = master(primary)
    tenant.write(f"{uuid.uuid4()}", "")
    release = other.call("lock_tables")
    done = threading.Event()
    writer = threading.Thread(target=lambda: (tenant.write(f"{uuid.uuid4()}", "during"), done.set()))
    writer.start()
    assert not done.wait(0.5)
    assert release == "UNLOCK TABLES"
    other.call("unlock_tables", release)
    assert done.wait(10)
    other.close()
    writer.join()
    tenant.close()
