"""What comes back with the binary log besides rows, and from where on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numbering import Numbers, numbers_in

from argosy.engines.archiving import Target
from argosy.model.guest import Secret
from argosy.testing import mysql
from argosy.testing.mysql import Shelf, fresh, loaded, master, replayed
from argosy.testing.servers import Farm, Server
from argosy.testing.waiting import eventually


def test_a_clock_that_a_client_makes_up_changes_nothing(
    farm: Farm, template: Server, shelf: Shelf, tapes: Path
) -> None:
    server = fresh(farm, template)
    shelf.ship(server)
    base = server.hands.call("record", "mariabackup", tapes / "base")
    numbers = Numbers(master(server))
    numbers.prepare()
    for number, lie in enumerate((0, time.time() + 1e7, 1e9, 0, time.time() + 2e7), 1):
        numbers.tenant.run(f"SET timestamp = {lie:.0f}" if lie else "SET timestamp = DEFAULT")
        numbers.write(number)
    numbers.tenant.run("SET timestamp = DEFAULT")
    moment = time.time() + 2
    eventually(lambda: time.time() > moment + 1)
    numbers.write(6)
    numbers.tenant.close()
    shelf.ship(server)
    server.stop()
    restored = loaded(farm, template, [base])
    replayed(restored, shelf.path, base.taken.position, Target(time=moment))
    assert numbers_in(restored) == [1, 2, 3, 4, 5]
    restored.stop()


def test_accounts_and_definitions_come_with_the_log(farm: Farm, template: Server, shelf: Shelf, tapes: Path) -> None:
    server = fresh(farm, template)
    shelf.ship(server)
    base = server.hands.call("record", "mariabackup", tapes / "base")
    tenant = master(server)
    for statement in (
        "CREATE DATABASE shop",
        "CREATE TABLE shop.`ödd #1` (a INT PRIMARY KEY AUTO_INCREMENT, b BLOB) ENGINE=Aria",
        "INSERT INTO shop.`ödd #1` (b) VALUES (X'00FF27'), (NULL)",
        "CREATE USER alice@'%' IDENTIFIED BY 'wonder'",
        "GRANT SELECT ON shop.* TO alice@'%'",
        "CREATE FUNCTION shop.twice(a INT) RETURNS INT RETURN a * 2",
        "CREATE TABLE shop.inno (b TEXT)",
        "CREATE TRIGGER shop.kept BEFORE INSERT ON shop.`ödd #1` FOR EACH ROW SET NEW.a = NEW.a",
        "XA START 'x'",
        "INSERT INTO shop.inno VALUES ('xa')",
        "XA END 'x'",
        "XA PREPARE 'x'",
        "XA COMMIT 'x'",
    ):
        tenant.run(statement)
    tenant.close()
    shelf.ship(server)
    server.stop()
    restored = loaded(farm, template, [base])
    moment = replayed(restored, shelf.path, base.taken.position, Target())
    assert isinstance(moment.position["offset"], int)
    tenant = master(restored)
    assert tenant.run("SELECT b FROM shop.`ödd #1` ORDER BY a") == ((b"\x00\xff'",), (None,))
    assert tenant.run("SELECT * FROM shop.inno") == (("xa",),)
    assert tenant.run("SELECT shop.twice(21)") == ((42,),)
    tenant.close()
    restored.connect(restored.login("alice", Secret("wonder"))).close()
    restored.hands.call("examine_restored", {})
    restored.stop()


def test_where_a_snapshot_stands_the_log_goes_on(farm: Farm, template: Server, shelf: Shelf, tapes: Path) -> None:
    server = fresh(farm, template)
    shelf.ship(server)
    numbers = Numbers(master(server))
    numbers.prepare()
    with numbers.writing():
        eventually(lambda: len(numbers.acknowledged) > 30)
        position: Mapping[str, Any] = server.hands.call("begin_hold", 20.0)
        helper = mysql.handy(farm.bare(server.engine, server.found, server.site.data))
        server.hands.call("end_hold")
        seen = len(numbers.acknowledged)
        eventually(lambda: len(numbers.acknowledged) > seen + 30)
    numbers.tenant.close()
    shelf.ship(server)
    server.stop()
    tape = helper.hands.call("record", "snapshot", tapes / "snapshot")
    restored = loaded(farm, template, [tape])
    replayed(restored, shelf.path, position, Target())
    assert numbers_in(restored) == sorted(numbers.acknowledged)
    restored.stop()
