"""Servers of this machine: a guest is one init with an agent and an engine, inside an enclosure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from argosy import clock, errors
from argosy.model.guest import Secret
from argosy.providers.base import Fence, Server, ServerSpec, State
from argosy.providers.local.enclosures import Enclosure
from argosy.providers.local.faults import translated
from argosy.providers.local.guests import Record, Records, Wanted
from argosy.providers.local.lives import Life, Lock
from argosy.providers.local.places import Places

TRIES = 3
"""Launches without an init before that is called a fault: one may have been killed while it was starting."""
TOLD_SECONDS = 5.0
"""A fault of that kind is told, and nothing launched, for so long: who asks again and again sees it."""


@dataclass(frozen=True)
class LocalCompute:
    records: Records
    places: Places
    enclosure: Enclosure

    def ensure(self, spec: ServerSpec) -> Server:
        with self._working(spec.name, make=True):
            if self._stopping(spec):
                return Server(spec.name, State.BUILDING)
            record = self.records.save(self._renewed(spec))
            try:
                with translated(f"server {spec.name} cannot be started"):
                    return self._raised(record, spec.boot)
            except errors.CloudFailed as error:
                return _seen(self.records.save(dataclasses.replace(record, fault=error.message)), Life.NONE)

    def look(self, name: str) -> Server:
        with self._working(name):
            return self._look(name)

    def stop(self, name: str) -> Server:
        with self._working(name) as there:
            if there:
                self._mark(name, Wanted.DOWN)
                if self._lock(name).life() is Life.RISING:
                    self._end(name)
                self.enclosure.ask_to_stop(name)
            return self._look(name)

    def announce(self, name: str, ram: int, vcpus: float) -> None:
        with self._working(name):
            self.places.tell_size(dataclasses.replace(self._known(name), ram=ram, vcpus=vcpus))

    def resize(self, name: str, ram: int, vcpus: float) -> Server:
        with self._working(name):
            record = dataclasses.replace(self._known(name), ram=ram, vcpus=vcpus)
            self.enclosure.limit(name, ram, vcpus)
            self.places.tell_size(record)
            self.records.save(record)
            return self._look(name)

    def renew_agent(self, name: str) -> None:
        with self._working(name):
            if self._lock(name).life() is Life.UP:
                self.enclosure.renew_agent(name)

    def delete(self, name: str) -> None:
        with self._working(name) as there:
            if there:
                self._mark(name, Wanted.GONE)
                self._end(name)
                self.enclosure.remove(name)
                self.records.forget(name)

    def fence(self, name: str) -> Fence:
        with self._working(name):
            self._mark(name, Wanted.FENCED)
            return Fence.FENCED if self.enclosure.end(name) else Fence.UNPROVEN

    def owned(self) -> Sequence[str]:
        with translated("servers cannot be listed"):
            return self.records.names()

    def _known(self, name: str) -> Record:
        record = self.records.load(name)
        if record is None:
            raise errors.CloudFailed(f"there is no server {name}")
        return record

    def _stopping(self, spec: ServerSpec) -> bool:
        """It has to be down before it can be started again."""
        known = self.records.load(spec.name)
        asked = known is not None and (known.wanted, known.generation) == (Wanted.DOWN, spec.generation)
        return asked and self._lock(spec.name).life() is Life.UP

    def _renewed(self, spec: ServerSpec) -> Record:
        """What is to be, with what is known of this generation. Nothing is left of an older one."""
        known = self.records.load(spec.name)
        if known is not None and known.generation > spec.generation:
            raise errors.CloudFailed(f"server {spec.name} is of generation {known.generation} by now")
        if known is not None and known.generation == spec.generation:
            return dataclasses.replace(Record.of(spec), launched=known.launched, vain=known.vain)
        self._end(spec.name)
        self.records.clear(spec.name, but=spec.generation)
        return Record.of(spec)

    def _raised(self, record: Record, boot: Secret) -> Server:
        life = self._lock(record.name).life()
        if life in {Life.UP, Life.RISING}:
            self.enclosure.limit(record.name, record.ram, record.vcpus)
            self.places.tell_limits(record)
            return _seen(record, life)
        if life is not Life.NONE:
            record = dataclasses.replace(record, vain=0)
        elif record.vain >= TRIES and 0 <= clock.boot() - record.launched < TOLD_SECONDS:
            raise self._stillborn(record.name)
        return self._launched(record, boot)

    def _launched(self, record: Record, boot: Secret) -> Server:
        self.enclosure.check()
        guest = self.places.furnish(record, boot, self.enclosure)
        self.enclosure.limit(record.name, record.ram, record.vcpus)
        argv, environment = self.enclosure.command(guest), self.enclosure.environment(guest)
        self._lock(record.name).launch(argv, environment, self.records.log(record.name))
        # Only now: a launch that we were killed before is none that failed.
        launched = dataclasses.replace(record, launched=clock.boot(), vain=record.vain + 1)
        return _seen(self.records.save(launched), Life.RISING)

    def _look(self, name: str) -> Server:
        record = self.records.load(name)
        if record is None:
            return Server(name, State.ABSENT)
        life = self._lock(name).life()
        if life is Life.NONE and record.wanted is Wanted.UP and record.vain >= TRIES:
            record = dataclasses.replace(record, fault=self._stillborn(name).message)
        return dataclasses.replace(_seen(record, life), words=self.records.last_words(name))

    def _mark(self, name: str, wanted: Wanted) -> None:
        record = self.records.load(name)
        if record is not None:
            self.records.save(dataclasses.replace(record, wanted=wanted, launched=0.0, vain=0, fault=""))

    def _end(self, name: str) -> None:
        if not self.enclosure.end(name):
            raise errors.CloudBusy(f"processes of server {name} do not go away: see whether its disk still answers")

    def _lock(self, name: str) -> Lock:
        return Lock(self.records.home(name) / "lock")

    def _stillborn(self, name: str) -> errors.CloudFailed:
        words = self.records.last_words(name) or "it said nothing"
        return errors.CloudFailed(f"the guest's init did not start: {words} - see {self.records.log(name)}")

    @contextmanager
    def _working(self, name: str, *, make: bool = False) -> Iterator[bool]:
        with translated(f"server {name}"), self.records.alone(name, make=make) as there:
            yield there


def _seen(record: Record, life: Life) -> Server:
    if life is Life.UP:
        return Server(record.name, State.ACTIVE)
    if life is Life.RISING:
        return Server(record.name, State.BUILDING)
    if record.fault:
        return Server(record.name, State.FAILED, record.fault)
    return Server(record.name, State.STOPPED)
