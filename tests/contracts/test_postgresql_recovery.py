"""PostgreSQL brought back to any moment: by its log, shipped while it was written."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from postgresql_hands import Archivist, Kept

from argosy import errors
from argosy.engines import registry
from argosy.engines.archiving import Moment, Target
from argosy.engines.postgresql import positions
from argosy.engines.postgresql.positions import Segment
from argosy.model.guest import Identity, Secret
from argosy.testing import hands, servers
from argosy.testing.clients import Tenant
from argosy.testing.hands import Hands
from argosy.testing.servers import Farm, Server
from argosy.testing.waiting import eventually

PASSWORD = Secret("correct-horse")
MOMENTS = 100 if os.environ.get("ARGOSY_SOAK") else 6


@dataclass(frozen=True)
class Written:
    """One row, by what its writer knows."""

    number: int
    transaction: str
    before: float
    after: float
    place: str


@dataclass
class Writer:
    """Writes numbered rows until it is stopped."""

    tenant: Tenant
    written: list[Written] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._write)
        self.thread.start()

    def _write(self) -> None:
        while not self.over.wait(0.001):
            number, before = len(self.written) + 1, time.time()
            [[transaction]] = self.tenant.run(
                f"INSERT INTO numbered VALUES ({number}, repeat('x', {number % 2000})) RETURNING pg_current_xact_id()"
            )
            after = time.time()
            [[place]] = self.tenant.run("SELECT pg_current_wal_insert_lsn()")
            self.written.append(Written(number, str(transaction), before, after, str(place)))

    def stop(self) -> None:
        self.over.set()
        self.thread.join()
        self.tenant.close()


@dataclass(frozen=True)
class Story:
    """A backup, and what was written after it."""

    kept: Kept
    logs: Path
    written: list[Written]
    latest: float

    @property
    def position(self) -> Mapping[str, Any]:
        return self.kept.taken.position


def _overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


DAMAGES: Mapping[str, Callable[[Path, int], None]] = {
    "missing": lambda path, _at: path.unlink(),
    "cut short": os.truncate,
    "another's beginning": lambda path, _at: _overwrite(path, 8, b"\1" * 8),
    "a record": lambda path, at: _overwrite(path, at - 12, b"argosy"),
    "the head of a page": lambda path, at: _overwrite(path, at // 8192 * 8192 + 8, b"argosy"),
    "zeros": lambda path, at: _overwrite(path, at // 8192 * 8192, bytes(8192)),
}
"""What becomes of a segment, and of the place in it where a commit ends."""


class RecoveryOfPostgresql:
    version: ClassVar[str]

    @pytest.fixture(scope="class")
    @classmethod
    def farm(cls) -> Iterator[Farm]:
        with servers.farm() as farm:
            yield farm

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, farm: Farm) -> Server:
        template = farm.template(registry.get("postgresql"), servers.require("postgresql", cls.version))
        server = archivist(farm.clone(template, own(), volume=4 << 30))
        server.start()
        server.hands.call("put_master", PASSWORD)
        run(server, "CREATE TABLE numbered (number int PRIMARY KEY, what text)")
        return server

    @pytest.fixture(scope="class")
    @classmethod
    def story(cls, source: Server) -> Story:
        """Several segments long."""
        place = source.site.state / uuid.uuid4().hex
        source.hands.call("make_folder", place)
        source.hands.call("ship_into", place / "logs")
        writer = Writer(source.connect(source.login("root", PASSWORD)))
        try:
            eventually(lambda: len(writer.written) > 50 or None)
            kept: Kept = source.hands.call("dump_into", place / "full", "basebackup")
            taken = len(writer.written)
            for number in range(1, 9):
                source.hands.call("ship_into", place / "logs")
                source.hands.call("switch_log")
                eventually(lambda wanted=taken + 100 * number: len(writer.written) > wanted or None)
        finally:
            writer.stop()
        latest = time.time()
        source.hands.call("ship_into", place / "logs")
        return Story(kept, place / "logs", writer.written[taken + 1 :], latest)

    def test_random_moments(self, farm: Farm, source: Server, story: Story) -> None:
        """By position and by transaction exactly that prefix; by time no row that began later, and every row that was
        acknowledged by then.
        """
        chance = random.Random(7)
        for number in range(MOMENTS):
            one = chance.choice(story.written)
            if number % 3 == 0:
                found = self._recovered(farm, source, story, Target(position=one.place))
                assert found == one.number
            elif number % 3 == 1:
                found = self._recovered(farm, source, story, Target(transaction=one.transaction))
                assert found == one.number
            else:
                moment = chance.uniform(one.before, one.after)
                found = self._recovered(farm, source, story, Target(time=moment))
                assert max(each.number for each in story.written if each.after <= moment) <= found
                assert found <= max(each.number for each in story.written if each.before <= moment)

    def test_whoever_is_killed_meanwhile_it_is_done_again(self, farm: Farm, source: Server, story: Story) -> None:
        """And the server that he has left running is ended."""
        server = loaded(farm, source, [story.kept])
        other = Hands(Archivist, server.site)
        with ThreadPoolExecutor() as pool:
            replaying = pool.submit(other.call, "replay_from", story.logs, story.position, Target())
            eventually((server.site.state / "replay" / "asked").exists, every=0.001)
            other.kill()
            with pytest.raises(EOFError):
                replaying.result()
        server.hands.call("clear")
        server.hands.call("load_from", [story.kept])
        server.hands.call("replay_from", story.logs, story.position, Target())
        start(server)
        assert run(server, "SELECT max(number) FROM numbered") == [[story.written[-1].number]]
        assert server.stop() == 0

    def test_as_far_as_the_log_goes(self, farm: Farm, source: Server, story: Story) -> None:
        last = story.written[-1].number
        assert self._recovered(farm, source, story, Target()) == last
        assert self._recovered(farm, source, story, Target(time=story.latest)) == last

    def test_a_moment_does_not_wait_for_the_log_behind_it(self, farm: Farm, source: Server, story: Story) -> None:
        """But for what the server reads ahead."""
        one = story.written[9]
        last = Segment.holding(1, positions.parse(one.place), story.position["segment"]).name
        most = 2 + sorted(each.name for each in story.logs.iterdir()).index(last)
        server = loaded(farm, source, [story.kept])
        server.hands.call("replay_from", story.logs, story.position, Target(position=one.place), most)
        start(server)
        assert run(server, "SELECT max(number) FROM numbered") == [[one.number]]
        assert server.stop() == 0

    def test_what_keeps_log_from_coming_ends_the_replay(self, farm: Farm, source: Server, story: Story) -> None:
        """And the server that waited for it."""
        server = loaded(farm, source, [story.kept])
        with pytest.raises(errors.GuestFailed, match="no store"):
            server.hands.call("replay_from", story.logs, story.position, Target(), 3, "there is no store")
        assert not (server.site.data / "db" / "postmaster.pid").exists()

    def test_a_log_goes_on_from_every_kind_of_backup(self, farm: Farm, source: Server, story: Story) -> None:
        put(source, 1)
        chain = [
            story.kept,
            source.hands.call("dump_into", story.logs.with_name("more"), "incremental", story.position),
        ]
        before = time.time()
        put(source, 1)
        copy = source.hands.call("copy_quiesced", story.logs.with_name("volume"))
        put(source, 1)
        source.hands.call("ship_into", story.logs)
        offline = archivist(farm.bare(source.engine, source.found))
        for each in (chain, [offline.hands.call("dump_copy", copy, offline.site.state / "kept")]):
            server = loaded(farm, source, each)
            if each is not chain:
                with pytest.raises(errors.Rejected, match="older backup"):
                    server.hands.call("replay_from", story.logs, each[-1].taken.position, Target(time=before))
            server.hands.call("replay_from", story.logs, each[-1].taken.position, Target())
            start(server)
            assert run(server, "SELECT max(number) FROM numbered") == run(source, "SELECT max(number) FROM numbered")
            assert server.stop() == 0

    def test_what_was_restored_is_archived_and_restored_again(self, farm: Farm, source: Server, story: Story) -> None:
        server = loaded(farm, source, [story.kept])
        server.hands.call("replay_from", story.logs, story.position, Target(position=story.written[9].place))
        start(server)
        logs = server.site.state / "shipped"
        server.hands.call("ship_into", logs)
        kept = server.hands.call("dump_into", server.site.state / "kept", "basebackup")
        put(server, 5)
        server.hands.call("ship_into", logs)
        again = loaded(farm, source, [kept])
        moment = again.hands.call("replay_from", logs, kept.taken.position, Target())
        assert moment.position["timeline"] == 3
        start(again)
        assert run(again, "SELECT count(*) FROM numbered") == [[story.written[9].number + 5]]
        for each in (server, again):
            assert each.stop() == 0

    def test_the_log_is_kept_until_it_is_shipped(self, source: Server) -> None:
        first = source.hands.call("log_files")[0]
        for _ in range(3):
            put(source, 1)
            source.hands.call("switch_log")
        run(source, "CHECKPOINT")
        kept = source.hands.call("log_files")
        assert kept[0].name == first.name
        assert [each.closed for each in kept] == [True] * (len(kept) - 1) + [False]
        for each in kept[:2]:
            source.hands.call("log_shipped", each.name, each.size)
        assert [each.name for each in source.hands.call("log_files")] == [each.name for each in kept[2:]]

    def test_what_the_server_has_given_up_is_told_as_lost(self, source: Server) -> None:
        """As a file of no bytes: fewer than were shipped of it."""
        half = source.hands.call("log_files")[-1]
        source.hands.call("log_shipped", half.name, half.size)
        source.hands.call("lose_slot", half.name)
        lost = source.hands.call("log_files")[0]
        assert (lost.name, lost.size) == (half.name, 0)
        source.hands.call("log_give_up", 0)

    def test_history_gives_way_to_the_server(self, source: Server) -> None:
        source.hands.call("log_files")
        for _ in range(3):
            put(source, 1)
            source.hands.call("switch_log")
        put(source, 1)
        kept = [each.name for each in source.hands.call("log_files")]
        assert source.hands.call("log_give_up", 1 << 40) == []
        assert source.hands.call("log_give_up", 16 << 20) == kept[:-1]
        assert [each.name for each in source.hands.call("log_files")] == kept[-1:]
        assert source.hands.call("log_give_up", 0) == kept[-1:]
        assert run(source, "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'argosy_archive'") == [[0]]

    def _recovered(self, farm: Farm, source: Server, story: Story, target: Target) -> int:
        """The number of rows, which are those from the first on."""
        server = loaded(farm, source, [story.kept])
        moment: Moment = server.hands.call("replay_from", story.logs, story.position, target)
        assert moment.position["timeline"] == 2
        start(server)
        [[count, highest]] = run(server, "SELECT count(*), max(number) FROM numbered")
        assert count == highest
        run(server, "INSERT INTO numbered VALUES (-1)")
        assert server.stop() == 0
        return int(count)


def own() -> Identity:
    return Identity(str(uuid.uuid4()), 1)


def archivist(server: Server) -> Server:
    server.hands.close()
    server.hands = Hands(Archivist, server.site)
    return server


def run(server: Server, statement: str) -> list[list[Any]]:
    tenant: Tenant = server.connect(server.login("root", PASSWORD))
    try:
        rows: list[list[Any]] = tenant.run(statement)
        return rows
    finally:
        tenant.close()


def put(server: Server, count: int) -> None:
    run(
        server, f"INSERT INTO numbered SELECT n + (SELECT max(number) FROM numbered) FROM generate_series(1, {count}) n"
    )


def loaded(farm: Farm, source: Server, chain: Sequence[Kept]) -> Server:
    server = archivist(farm.bare(source.engine, source.found))
    server.hands.call("load_from", chain)
    server.hands.call("adopt", own())
    return server


def start(server: Server) -> None:
    server.issue_certificate()
    server.hands.call("configure", {})
    server.start()


class TestRecoveryOfPostgresql15(RecoveryOfPostgresql):
    version = "15"

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_gaps_and_damage_are_named(self, farm: Farm, source: Server, story: Story, damage: str) -> None:
        logs = source.site.state / uuid.uuid4().hex
        shutil.copytree(story.logs, logs)
        one = story.written[len(story.written) // 2]
        segment = Segment.holding(1, positions.parse(one.place), story.position["segment"])
        DAMAGES[damage](logs / segment.name, positions.parse(one.place) - segment.begin)
        hands.give(logs)
        server = loaded(farm, source, [story.kept])
        with pytest.raises(errors.GuestFailed, match=segment.name):
            server.hands.call("replay_from", logs, story.position, Target())

    @pytest.mark.parametrize(
        ("target", "words"),
        [
            (Target(time=time.time() - 86400), "older backup"),
            (Target(position="0/1000000"), "older backup"),
            (Target(position="7/0"), "the log ends at"),
            (Target(position="yesterday"), "not a position"),
            (Target(transaction="4000000"), "did not end"),
            (Target(transaction="yesterday"), "not a transaction"),
            (Target(before_statement="DROP TABLE"), "no statements"),
        ],
    )
    def test_what_cannot_be_had_is_refused(
        self, farm: Farm, source: Server, story: Story, target: Target, words: str
    ) -> None:
        server = loaded(farm, source, [story.kept])
        with pytest.raises(errors.Rejected, match=words):
            server.hands.call("replay_from", story.logs, story.position, target)


class TestRecoveryOfPostgresql17(RecoveryOfPostgresql):
    version = "17"
