"""PostgreSQL brought back to any moment: by its log, shipped while it was written."""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from postgresql_hands import Archivist, Kept

from argosy.engines import registry
from argosy.engines.archiving import Moment, Target
from argosy.model.guest import Identity, Secret
from argosy.testing import servers
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
        server = archivist(farm.clone(template, own()))
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

    def test_as_far_as_the_log_goes(self, farm: Farm, source: Server, story: Story) -> None:
        last = story.written[-1].number
        assert self._recovered(farm, source, story, Target()) == last
        assert self._recovered(farm, source, story, Target(time=story.latest)) == last

    def _recovered(self, farm: Farm, source: Server, story: Story, target: Target) -> int:
        """The number of rows, which are those from the first on."""
        server = loaded(farm, source, story)
        moment: Moment = server.hands.call("replay_from", story.logs, story.kept.taken.position, target)
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


def loaded(farm: Farm, source: Server, story: Story) -> Server:
    server = archivist(farm.bare(source.engine, source.found))
    server.hands.call("load_from", [story.kept])
    server.hands.call("adopt", own())
    return server


def start(server: Server) -> None:
    server.issue_certificate()
    server.hands.call("configure", {})
    server.start()


class TestRecoveryOfPostgresql15(RecoveryOfPostgresql):
    version = "15"


class TestRecoveryOfPostgresql17(RecoveryOfPostgresql):
    version = "17"
