"""The binary log on its way to where it is kept: whole, and no longer on the volume than it must be."""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from numbering import Numbers, numbers_in

from argosy.engines.archiving import Target
from argosy.testing.clients import Refused
from argosy.testing.mysql import Shelf, fresh, loaded, master, replayed
from argosy.testing.servers import Farm, Server
from argosy.testing.waiting import eventually


def test_a_reset_of_the_log_is_noticed(farm: Farm, template: Server, shelf: Shelf) -> None:
    server = fresh(farm, template)
    shelf.ship(server)
    tenant = master(server)
    tenant.write("one", "1")
    shelf.ship(server)
    tenant.run("RESET MASTER")
    for number in range(200):
        tenant.write(f"{number}", "x" * 500)
    shelf.ship(server)
    assert shelf.lost
    assert shelf.ship(server), "and goes on being noticed"
    assert server.hands.call("log_give_up", 0) == ()
    again = Shelf(shelf.path.with_name(f"{shelf.path.name}-again"))
    tenant.write("new", "history")
    again.ship(server)
    tenant.write("newer", "history")
    again.ship(server)
    assert not again.lost
    assert sum(again.shipped.values()) > 300
    tenant.close()
    server.stop()


def test_a_killed_server_loses_nothing_of_its_log(farm: Farm, template: Server, shelf: Shelf, tapes: Path) -> None:
    server = fresh(farm, template)
    shelf.ship(server)
    base = server.hands.call("record", "mariabackup", tapes / "base")
    numbers = Numbers(master(server))
    numbers.prepare()
    for _ in range(2):
        numbers.over.clear()
        with numbers.writing():
            seen = len(numbers.acknowledged)
            eventually(lambda seen=seen: len(numbers.acknowledged) > seen + 30)
            numbers.over.set()
        server.kill()
        server.revive()
        shelf.ship(server)
        numbers.tenant = master(server)
    numbers.tenant.close()
    server.stop()
    shelf.ship(server)
    assert not shelf.lost
    restored = loaded(farm, template, [base])
    replayed(restored, shelf.path, base.taken.position, Target())
    assert numbers_in(restored) == sorted(numbers.acknowledged)
    restored.stop()


def test_what_is_shipped_is_let_go_of(farm: Farm, template: Server, shelf: Shelf) -> None:
    server = fresh(farm, template)
    shelf.ship(server)
    tenant = master(server)
    for _ in range(4):
        tenant.write(f"{uuid.uuid4()}", "x" * 1000)
        tenant.run("FLUSH BINARY LOGS")
        shelf.ship(server)

    def few() -> bool:
        shelf.ship(server)
        tenant.run("FLUSH BINARY LOGS")
        return _few(server.site.data / "log")

    eventually(few, every=1.5)
    tenant.close()
    server.stop()


def _few(directory: Path) -> bool:
    return len(list(directory.glob("binlog.0*"))) <= 3


def test_what_is_not_shipped_is_kept_until_it_is_given_up(farm: Farm, template: Server, shelf: Shelf) -> None:
    server = fresh(farm, template)
    shelf.ship(server)
    tenant = master(server)
    for number in range(4):
        tenant.write(f"{number}", "x" * 50_000)
        tenant.run("FLUSH BINARY LOGS")
    before = server.hands.call("log_files")
    assert len(before) == 5
    server.stop()
    server.start()
    assert [each.name for each in server.hands.call("log_files")][:5] == [each.name for each in before]
    lost = server.hands.call("log_give_up", 120_000)
    assert before[1].name in lost
    left = server.hands.call("log_files")
    assert sum(each.size for each in left) <= 120_000
    assert not set(lost) & {each.name for each in left}
    with contextlib.suppress(Refused):
        tenant.close()
    server.stop()


def test_a_stopped_server_tells_what_it_has_closed(farm: Farm, template: Server, shelf: Shelf) -> None:
    server = fresh(farm, template)
    shelf.ship(server)
    tenant = master(server)
    tenant.write("last", "words")
    tenant.close()
    server.stop()
    found = shelf.ship(server)
    assert all(each.closed for each in found)
    assert b"last" in (shelf.path / found[-1].name).read_bytes()


def test_a_log_that_is_written_and_not_asked_for_takes_no_room(farm: Farm, template: Server) -> None:
    server = fresh(farm, template)
    tenant = master(server)
    tenant.write("0", "x" * 50_000)
    directory = server.site.data / "log"

    def few() -> bool:
        tenant.run("FLUSH BINARY LOGS")
        return _few(directory)

    for _ in range(8):
        tenant.run("FLUSH BINARY LOGS")
    eventually(few, every=1.5)
    tenant.close()
    server.stop()
