"""The binary log of a server of the MySQL family, which is written while somebody wants it."""

from __future__ import annotations

from pathlib import Path

import pytest
from numbering import Numbers, numbers_in

from argosy import errors
from argosy.engines.archiving import Target
from argosy.testing import mysql
from argosy.testing.mysql import Shelf, fresh, loaded, master, replayed
from argosy.testing.servers import Farm, Server


def test_a_log_is_written_once_it_is_wanted(farm: Farm, template: Server, shelf: Shelf, tapes: Path) -> None:
    server = fresh(farm, template, logged=False)
    numbers = Numbers(master(server))
    numbers.prepare()
    numbers.tenant.run("INSERT INTO numbers.n VALUES (1, NOW(6), 'before')")
    assert not server.hands.call("log_ready")
    assert server.hands.call("probe").metrics["log_written"] == 0
    assert _logs(server) == []
    with pytest.raises(errors.GuestFailed, match="writes no binary log"):
        server.hands.call("log_files")
    server.hands.call("log_want", True)
    server.stop()
    server.start()
    assert server.hands.call("log_ready")
    shelf.ship(server)
    base = server.hands.call("record", "mariabackup", tapes / "base")
    numbers.tenant = master(server)
    for number in (2, 3):
        numbers.write(number)
    numbers.tenant.close()
    shelf.ship(server)
    server.stop()
    restored = loaded(farm, template, [base])
    replayed(restored, shelf.path, base.taken.position, Target())
    assert numbers_in(restored) == [1, 2, 3]
    assert not restored.hands.call("log_ready"), "whoever restores says what it wants"
    restored.stop()


def _logs(server: Server) -> list[str]:
    return sorted(each.name for each in (server.site.data / "log").glob("binlog.[0-9]*"))


def test_a_log_that_nobody_wants_is_left_off_after_a_clean_end(farm: Farm, template: Server) -> None:
    server = fresh(farm, template)
    tenant = master(server)
    tenant.write("one", "1")
    [(before,)] = tenant.run("SELECT @@gtid_binlog_pos")
    tenant.close()
    server.stop()
    server.hands.call("log_want", False)
    assert _logs(server) == []
    server.start()
    assert not server.hands.call("log_ready")
    server.hands.call("log_give_up", 0)
    server.stop()
    server.hands.call("log_want", True)
    server.start()
    tenant = master(server)
    tenant.write("two", "2")
    [(after,)] = tenant.run("SELECT @@gtid_binlog_pos")
    assert int(after.rpartition("-")[2]) > int(before.rpartition("-")[2]), "numbers of transactions go on"
    assert tenant.read("one") == "1"
    tenant.close()
    server.stop()


def test_a_killed_server_finds_in_its_log_what_it_told(farm: Farm, template: Server) -> None:
    """Commits are in the log before they are in the tables: that nobody wants it costs none of them."""
    server = fresh(farm, template)
    numbers = Numbers(master(server))
    numbers.prepare()
    for number in range(1, 31):
        numbers.write(number)
    server.kill()
    server.hands.call("log_want", False)
    server.start()
    assert server.hands.call("log_ready"), "it is needed once more"
    assert numbers_in(server) == list(numbers.acknowledged)
    server.stop()
    server.hands.call("log_want", False)
    server.start()
    assert not server.hands.call("log_ready")
    assert numbers_in(server) == list(numbers.acknowledged)
    server.stop()


@pytest.mark.parametrize("wanted", [True, False])
def test_a_copy_of_a_volume_has_the_log_that_its_owner_wants(farm: Farm, template: Server, wanted: bool) -> None:
    origin = fresh(farm, template, logged=not wanted)
    numbers = Numbers(master(origin))
    numbers.prepare()
    numbers.tenant.run("INSERT INTO numbers.n VALUES (1, NOW(6), 'x')")
    origin.hands.call("begin_hold", 20.0)
    copy = mysql.handy(farm.clone(origin, mysql.identity()))
    origin.hands.call("end_hold")
    copy.hands.call("log_want", wanted)
    copy.start()
    assert copy.hands.call("log_ready") is wanted
    assert bool(_logs(copy)) is wanted
    assert numbers_in(copy) == [1]
    numbers.tenant.close()
    copy.stop()
    origin.stop()


def test_a_volume_of_an_earlier_release_keeps_its_log(farm: Farm, template: Server) -> None:
    """Its files told of the log elsewhere: a server that was killed must not begin without it."""
    server = fresh(farm, template)
    server.kill()
    kept = server.site.data / "log" / "kept.cnf"
    kept.write_text("[mariadbd]\nbinlog_expire_logs_seconds = 1\n")
    server.hands.call("configure", {})
    server.start()
    assert server.hands.call("log_ready")
    server.stop()
