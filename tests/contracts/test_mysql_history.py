"""Going back in the MySQL family's binary log, with the real server."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.engines.archiving import Target
from argosy.engines.mysql.binlog import Log
from argosy.model.guest import Secret
from argosy.testing import hands, mysql, servers
from argosy.testing.clients import Refused, Tenant
from argosy.testing.mysql import Shelf, fresh, loaded, master, replayed
from argosy.testing.servers import Farm, Server
from argosy.testing.tapes import Tape
from argosy.testing.waiting import eventually

MOMENTS = 100 if os.environ.get("ARGOSY_SOAK") else 4


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with servers.farm() as farm:
        yield farm


@pytest.fixture(scope="module")
def template(farm: Farm) -> Server:
    return mysql.template(farm)


@pytest.fixture
def tapes(farm: Farm) -> Path:
    directory = farm.home / f"tapes-{uuid.uuid4().hex[:6]}"
    directory.mkdir()
    hands.give(directory)
    return directory


@pytest.fixture
def shelf(farm: Farm) -> Shelf:
    return Shelf(farm.home / f"shelf-{uuid.uuid4().hex[:6]}")


@dataclass
class Numbers:
    """A writer of numbered rows, one transaction each, that notes what it was told of them."""

    tenant: Tenant
    acknowledged: dict[int, float] = field(default_factory=dict)
    """number -> by our clock, which is the server's"""
    gtids: dict[int, str] = field(default_factory=dict)
    places: dict[int, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def prepare(self) -> None:
        self.tenant.run("CREATE DATABASE IF NOT EXISTS numbers")
        self.tenant.run("CREATE TABLE IF NOT EXISTS numbers.n (n INT PRIMARY KEY, t DATETIME(6), f TEXT)")

    def write(self, number: int) -> None:
        self.tenant.run(f"INSERT INTO numbers.n VALUES ({number}, NOW(6), REPEAT('x', {number % 300}))")
        self.acknowledged[number] = time.time()
        [(self.gtids[number],)] = self.tenant.run("SELECT @@last_gtid")
        [(file, offset, *_)] = self.tenant.run("SHOW MASTER STATUS")
        self.places[number] = f"{file}:{offset}"

    def write_on(self) -> None:
        number = max(self.acknowledged, default=0)
        while not self.over.is_set():
            number += 1
            self.write(number)
            if number % 50 == 0:
                self.tenant.run("FLUSH BINARY LOGS")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        writer = threading.Thread(target=self.write_on)
        writer.start()
        try:
            yield
        finally:
            self.over.set()
            writer.join()


@dataclass
class Story:
    """A base backup in the middle of what was written, and all of the log."""

    server: Server
    base: Tape
    shelf: Shelf
    numbers: Numbers
    within: int
    """the last number that the base has"""


@pytest.fixture(scope="module")
def story(farm: Farm, template: Server) -> Story:
    server = fresh(farm, template)
    shelf = Shelf(farm.home / "shelf")
    shelf.ship(server)
    numbers = Numbers(master(server))
    numbers.prepare()
    with numbers.writing():
        eventually(lambda: len(numbers.acknowledged) > 20)
        shelf.ship(server)
        tapes = farm.home / "tapes"
        tapes.mkdir()
        hands.give(tapes)
        base = server.hands.call("record", "mariabackup", tapes / "base")
        enough = time.time() + 3.5
        eventually(lambda: shelf.ship(server) and time.time() > enough, every=0.2)
    numbers.tenant.run("DELETE FROM numbers.n WHERE n = 1 /* the mistake */")
    numbers.tenant.run("INSERT INTO numbers.n VALUES (1000000, NOW(6), 'after the mistake')")
    numbers.tenant.close()
    shelf.ship(server)
    restored = loaded(farm, template, [base])
    restored.start()
    within = _numbers(restored)[-1]
    restored.stop()
    server.stop()
    return Story(server, base, shelf, numbers, within)


def _numbers(server: Server) -> list[int]:
    tenant = master(server)
    rows = tenant.run("SELECT n FROM numbers.n ORDER BY n")
    tenant.close()
    return [number for (number,) in rows]


def _back(farm: Farm, template: Server, story: Story, target: Target, logs: Path | None = None) -> list[int]:
    server = loaded(farm, template, [story.base])
    replayed(server, logs or story.shelf.path, story.base.taken.position, target)
    found = _numbers(server)
    server.stop()
    return found


@pytest.mark.timeout(300 + 30 * MOMENTS)
def test_random_moments_are_exactly_that_prefix(farm: Farm, template: Server, story: Story) -> None:
    """By GTID and by place exactly, by time without a gap and not later, but for the clock's step."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    sample = random.Random(seed)
    later = [number for number in story.numbers.acknowledged if number > story.within]
    for turn in range(MOMENTS):
        number = sample.choice(later)
        match turn % 3:
            case 0:
                found = _back(farm, template, story, Target(transaction=story.numbers.gtids[number]))
                assert found == list(range(1, number + 1))
            case 1:
                found = _back(farm, template, story, Target(position=story.numbers.places[number]))
                assert found == list(range(1, number + 1))
            case _:
                moment = sample.uniform(story.base.taken.moment or 0, max(story.numbers.acknowledged.values()))
                found = _back(farm, template, story, Target(time=moment))
                _assert_prefix_of_the_time(story, found, moment)


def _assert_prefix_of_the_time(story: Story, found: list[int], moment: float) -> None:
    """What was acknowledged a step of the clock before is there, what was begun later is not."""
    acknowledged = story.numbers.acknowledged
    assert found == list(range(1, len(found) + 1))
    due = [number for number, at in acknowledged.items() if at < moment - 2]
    assert len(found) >= max(due, default=0)
    following = acknowledged.get(len(found))
    assert len(found) <= story.within or (following is not None and following < moment + 1)


def test_without_a_target_everything_comes(farm: Farm, template: Server, story: Story) -> None:
    last = max(story.numbers.acknowledged)
    assert _back(farm, template, story, Target()) == [*range(2, last + 1), 1000000]


def test_just_before_a_statement(farm: Farm, template: Server, story: Story) -> None:
    last = max(story.numbers.acknowledged)
    assert _back(farm, template, story, Target(before_statement="the MISTAKE")) == list(range(1, last + 1))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target(time=1000.0), "choose an earlier one"),
        (Target(transaction="1-1-99999999"), "which ends with"),
        (Target(before_statement="never said"), "is not in the binary log"),
        (Target(position="binlog.999999:4"), "is not in the binary log"),
        (Target(position="binlog.000001:4"), "before the end of the backup"),
    ],
)
def test_what_cannot_be_had_is_refused(farm: Farm, template: Server, story: Story, target: Target, words: str) -> None:
    with pytest.raises(errors.Rejected, match=words):
        _back(farm, template, story, target)


def test_a_transaction_within_the_backup_is_refused(farm: Farm, template: Server, story: Story) -> None:
    with pytest.raises(errors.Rejected, match="before the end of the backup"):
        _back(farm, template, story, Target(transaction=story.numbers.gtids[1]))


def test_the_backups_own_end_is_a_moment_too(farm: Farm, template: Server, story: Story) -> None:
    gtid = str(story.base.taken.position["gtid"])
    assert _back(farm, template, story, Target(transaction=gtid)) == list(range(1, story.within + 1))


def _middle(logs: Path, story: Story) -> Path:
    """A file behind the base and before the end."""
    names = sorted(each for each in logs.iterdir() if each.name > str(story.base.taken.position["file"]))
    return names[len(names) // 2]


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def _truncate(path: Path) -> None:
    """Between two transactions, so that nothing but the next file says so."""
    groups = list(Log(path).groups())
    os.truncate(path, groups[len(groups) // 2].end)


DAMAGE = {
    "deleted": lambda path: path.unlink(),
    "flipped": lambda path: _flip(path, path.stat().st_size // 2),
    "truncated": _truncate,
    "cut within": lambda path: os.truncate(path, path.stat().st_size // 2 + 3),
    "another's": lambda path: path.write_bytes(min(path.parent.iterdir()).read_bytes()),
    "emptied": lambda path: os.truncate(path, 0),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named_and_nothing_is_run(farm: Farm, template: Server, story: Story, kind: str) -> None:
    logs = story.shelf.copy(farm.home / f"damaged-{uuid.uuid4().hex[:6]}")
    victim = _middle(logs, story)
    DAMAGE[kind](victim)
    with pytest.raises(errors.GuestFailed, match=rf"{victim.name}|gap|damaged") as caught:
        _back(farm, template, story, Target(), logs)
    assert "binlog.0" in caught.value.message


def test_a_flipped_bit_anywhere_is_seen(story: Story) -> None:
    """In the file of the base, every event is under a checksum; the one bit that is not is the mark of its use."""
    path = (
        story.shelf.copy(story.shelf.path.with_name(f"flips-{uuid.uuid4().hex[:6]}"))
        / _middle(story.shelf.path, story).name
    )
    whole = path.read_bytes()
    clean = list(Log(path).groups())
    for at in random.Random(7).sample(range(len(whole)), 60):
        _flip(path, at)
        with contextlib.suppress(errors.GuestFailed):
            found = list(Log(path).groups())
            assert at == 21 or found != clean, f"byte {at}"
        path.write_bytes(whole)


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
    assert _numbers(restored) == sorted(numbers.acknowledged)
    restored.stop()


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
    assert _numbers(restored) == [1, 2, 3, 4, 5]
    restored.stop()


def test_what_a_killed_server_had_half_written_is_left_out(story: Story, tmp_path: Path) -> None:
    path = _middle(story.shelf.path, story)
    groups = list(Log(path).groups())
    copy = tmp_path / path.name
    for cut in range(groups[3].start, groups[3].end, 7):
        copy.write_bytes(path.read_bytes()[:cut])
        log = Log(copy)
        assert list(log.groups()) == groups[:3]
        assert log.end == groups[2].end


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
    assert _numbers(restored) == sorted(numbers.acknowledged)
    restored.stop()


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
    assert _numbers(restored) == [1, 2, 3]
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
    assert _numbers(server) == list(numbers.acknowledged)
    server.stop()
    server.hands.call("log_want", False)
    server.start()
    assert not server.hands.call("log_ready")
    assert _numbers(server) == list(numbers.acknowledged)
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
    assert _numbers(copy) == [1]
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
