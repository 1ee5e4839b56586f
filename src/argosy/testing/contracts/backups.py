"""What an engine promises of its backups: each strategy that it declares is taken from a real server and restored."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from argosy import errors
from argosy.engines import registry
from argosy.engines.backups import Backups, Position, Strategy, unchanged
from argosy.engines.base import Capability
from argosy.model.guest import Identity, Secret
from argosy.testing import hands
from argosy.testing.clients import Tenant
from argosy.testing.hands import Hands
from argosy.testing.servers import Farm, Server
from argosy.testing.tapes import Recorder, Tape
from argosy.testing.waiting import eventually

LARGEST_CANARIES = 64 << 10
PAUSE = 0.004
"""seconds between two writes: enough of them, and little to restore"""


class Archivist(Recorder):
    """A recorder whose holds begin and end by calls: to be mixed into a driver."""

    def hold(self, seconds: float) -> Position:
        assert isinstance(self, Backups)
        self._hold = self.quiesce(seconds)
        return dict(self._hold.__enter__())

    def let_go(self) -> None:
        self._hold.__exit__(None, None, None)


@dataclass
class Writer:
    """A tenant who writes numbers, one after the other, for as long as the block lasts."""

    tenant: Tenant
    written: int = 0
    """so many were acknowledged"""
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._write)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._over.wait(PAUSE):
            self.tenant.write(name(self.written), "x" * 100)
            self.written += 1


@dataclass(frozen=True)
class Taken:
    tapes: Sequence[Tape]
    least: int
    """so many numbers were acknowledged before the last of them was begun"""
    canaries: Mapping[str, Any]


@dataclass
class Vault:
    """A server, and the backups that were taken of it."""

    farm: Farm
    template: Server
    server: Server
    writer: Writer
    taken: dict[str, Taken] = field(default_factory=dict)

    def of(self, strategy: Strategy) -> Taken:
        if strategy.name not in self.taken:
            with self.writing():
                self.taken[strategy.name] = self._take(strategy)
        return self.taken[strategy.name]

    @contextmanager
    def writing(self) -> Iterator[None]:
        self.writer = Writer(self.writer.tenant, self.writer.written)
        with self.writer as writer:
            begun = writer.written
            eventually(lambda: writer.written > begun + 5)
            yield

    def restore(self, tapes: Sequence[Tape]) -> Server:
        server = self.guest()
        server.hands.call("play", list(tapes))
        server.hands.call("adopt", identity())
        server.issue_certificate()
        server.hands.call("configure", {})
        server.start()
        return server

    def guest(self, data: Path | None = None) -> Server:
        return archivist(self.farm.bare(self.template.engine, self.template.found, data))

    def file(self) -> Path:
        place = self.farm.home / f"tapes-{uuid.uuid4().hex[:8]}"
        place.mkdir()
        hands.give(place)
        return place / "tape"

    def _take(self, strategy: Strategy) -> Taken:
        """With two that build on it where that can be."""
        declared = {each.name: each for each in self.template.engine.strategies}
        first = next(
            (each for each in declared.values() if not each.parents and each.name in strategy.parents), strategy
        )
        links = [first, strategy, strategy] if first is not strategy else [strategy]
        tapes: list[Tape] = []
        for each in links:
            seen, least = self.server.hands.call("canaries"), self.writer.written
            tapes.append(self._record(each, tapes))
        return Taken(tapes, least, unchanged(seen, self.server.hands.call("canaries")))

    def _record(self, strategy: Strategy, before: Sequence[Tape]) -> Tape:
        since = before[-1].taken.position if before else None
        tape: Tape = self._reader(strategy).hands.call("record", strategy.name, self.file(), since)
        if strategy.offline:
            tape = replace(tape, taken=replace(tape.taken, position=self.position))
        return tape

    def _reader(self, strategy: Strategy) -> Server:
        """Who reads the data: the server itself, or somebody with a copy of its volume."""
        if not strategy.offline:
            return self.server
        self.position = self.server.hands.call("hold", 20.0)
        with _frozen(self.server):  # makes the copy of many files an atomic one
            copy = self.guest(self.server.site.data)
        self.server.hands.call("let_go")
        return copy


class BackupsContract:
    engine: ClassVar[str]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        declared = registry.get(self.engine).strategies
        for parameter, chosen in {
            "strategy": declared,
            "increment": [each for each in declared if each.parents],
        }.items():
            if parameter in metafunc.fixturenames:
                metafunc.parametrize(parameter, chosen, ids=[each.name for each in chosen])

    @pytest.fixture(scope="class")
    @classmethod
    def vault(cls, farm: Farm, template: Server) -> Iterator[Vault]:
        if Capability.BACKUPS not in template.found.capabilities:
            pytest.skip(f"this build of {template.engine.title} has no backups")
        server = archivist(farm.clone(template, identity()))
        server.start()
        vault = Vault(farm, template, server, Writer(master(server)))
        yield vault
        vault.writer.tenant.close()

    def test_what_is_backed_up_under_a_writer_comes_back(self, vault: Vault, strategy: Strategy) -> None:
        """All that was acknowledged before, and of what was written meanwhile the first of it, without a gap."""
        taken = vault.of(strategy)
        copy = vault.restore(taken.tapes)
        tenant = master(copy)
        have = next(number for number in range(vault.writer.written + 1) if tenant.read(name(number)) is None)
        assert have >= taken.least
        assert not [number for number in range(have, vault.writer.written) if tenant.read(name(number)) is not None]
        copy.hands.call("examine_restored", taken.canaries)
        tenant.write("later", "too")
        tenant.close()
        assert copy.stop() == 0

    def test_what_was_cut_short_is_refused(self, vault: Vault, strategy: Strategy) -> None:
        *before, last = vault.of(strategy).tapes
        cut = replace(last, path=vault.file())
        cut.path.write_bytes(last.path.read_bytes()[: last.size * 2 // 3])
        hands.give(cut.path.parent)
        guest = vault.guest()
        with pytest.raises(errors.ArgosyError):
            guest.hands.call("play", [*before, cut])
        assert not (guest.site.data / "db").exists()

    def test_an_increment_is_refused_for_data_of_another_history(self, vault: Vault, increment: Strategy) -> None:
        first = vault.of(increment).tapes[0]
        copy = vault.restore([first])
        with pytest.raises(errors.Rejected):
            copy.hands.call("record", increment.name, vault.file(), first.taken.position)
        copy.stop()

    def test_what_differs_from_the_canaries_is_told(self, vault: Vault) -> None:
        with vault.writing():
            pass
        canaries = eventually(lambda: _of_rows(vault.server.hands.call("canaries")))
        assert len(json.dumps(canaries)) < LARGEST_CANARIES
        vault.server.hands.call("examine_restored", canaries)
        vault.server.hands.call("examine_restored", {})
        with vault.writing():
            pass
        with pytest.raises(errors.GuestFailed):
            eventually(lambda: not vault.server.hands.call("examine_restored", canaries))

    def test_a_hold_that_is_late_ends_by_itself_and_says_so(self, vault: Vault) -> None:
        vault.server.hands.call("hold", 0.3)
        begun = time.monotonic()
        with vault.writing():
            eventually(lambda: time.monotonic() > begun + 1)
        with pytest.raises(errors.GuestFailed):
            vault.server.hands.call("let_go")

    def test_who_is_killed_holds_nobody(self, vault: Vault) -> None:
        holder = Hands(vault.server.hands.driver, vault.server.site)
        holder.call("hold", 60.0)
        holder.kill()
        with vault.writing():
            pass


def _of_rows(canaries: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Those that tell of contents, not only of names: what was written just now is not looked at yet."""
    databases = canaries.get("databases", {}).values()
    tables = [canaries.get("tables"), *(each.get("tables") for each in databases if isinstance(each, Mapping))]
    return canaries if canaries.get("data") or any(tables) else None


def identity() -> Identity:
    return Identity(str(uuid.uuid4()), 1)


def name(number: int) -> str:
    return f"n{number:06}"


def archivist(server: Server) -> Server:
    server.hands.close()
    driver = type("Archiving", (Archivist, server.engine.load_driver()), {})
    server.hands = Hands(driver, server.site)
    return server


def master(server: Server) -> Tenant:
    password = Secret.generate()
    server.hands.call("put_master", password)
    return server.connect(server.login(server.engine.master, password))


@contextmanager
def _frozen(server: Server) -> Iterator[None]:
    family = hands.family(server.running.pid)
    _signal(family, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(family, signal.SIGCONT)


def _signal(processes: Sequence[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):  # a session that has just ended
            os.kill(process, number)
