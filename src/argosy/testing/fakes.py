"""A provider and guests without machines: what workflows are crashed against, thousands of times.

The fake provider passes the provider contract's promises that need no real volume; its world outlives a crash, as a
cloud does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from argosy import errors
from argosy.db.session import Database
from argosy.db.tables import Command
from argosy.engines.base import Capability, Found
from argosy.guest import mailbox
from argosy.model import wire
from argosy.model.backups import begun
from argosy.providers.base import (
    Feature,
    Fence,
    Outside,
    Port,
    PortSpec,
    Server,
    ServerSpec,
    Source,
    State,
    Usage,
    Volume,
)
from argosy.stores.archive import PARTS, Opener, Sealer, read_parts
from argosy.stores.base import Store

OUTSIDE = "192.0.2.10"
"""Where public ports are reached."""


@dataclass
class Cloud:
    """What exists, whoever asks. `calls` counts every call from outside, `on_call` may crash or fail it."""

    versions: tuple[str, ...] = ("15.18",)
    """of PostgreSQL, that servers can be made of"""
    servers: dict[str, ServerSpec] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    volumes: dict[str, int] = field(default_factory=dict)
    ports: dict[str, str] = field(default_factory=dict)
    public: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """port that is to be public -> networks that may come"""
    shut: set[str] = field(default_factory=set)
    """public ports that nobody gets through at the moment"""
    sealed: set[str] = field(default_factory=set)
    snapshots: dict[str, str] = field(default_factory=dict)
    """what each holds"""
    contents: dict[str, str] = field(default_factory=dict)
    """what somebody wrote into a volume"""
    remade: dict[str, str] = field(default_factory=dict)
    """volume -> the mark under which it was last made anew"""
    room: int = 1000
    """GiB that a volume may grow to"""
    pool: Usage = field(default_factory=lambda: Usage(10, 100))
    renewed: list[str] = field(default_factory=list)
    """servers whose agents were replaced"""
    limits: dict[str, int] = field(default_factory=dict)
    """MiB that each server may use"""
    announced: dict[str, int] = field(default_factory=dict)
    """MiB that each guest was told"""
    on_call: Callable[[str, bool], None] = lambda _verb, _after: None
    """called with the verb before (False) and after (True) it took effect"""

    def limit(self, name: str, ram: int) -> None:
        self.limits[name] = self.announced[name] = ram

    def names(self) -> set[str]:
        """Everything that exists under an instance's name."""
        return {*self.servers, *self.volumes, *self.ports}


class _Part:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def _do(self, verb: str, effect: Callable[[], Any]) -> Any:
        self.cloud.on_call(verb, False)
        result = effect()
        self.cloud.on_call(verb, True)
        return result


class FakeCompute(_Part):
    def ensure(self, spec: ServerSpec) -> Server:
        if spec.volume not in self.cloud.volumes or spec.port not in self.cloud.ports:
            raise errors.CloudFailed(f"server {spec.name} has no volume or no port")
        self._do("compute.ensure", lambda: self._put(spec))
        self.cloud.stopped.discard(spec.name)
        return self.look(spec.name)

    def _put(self, spec: ServerSpec) -> None:
        self.cloud.servers[spec.name] = spec
        self.cloud.limit(spec.name, spec.ram)

    def look(self, name: str) -> Server:
        if name not in self.cloud.servers:
            return Server(name, State.ABSENT)
        return Server(name, State.STOPPED if name in self.cloud.stopped else State.ACTIVE)

    def stop(self, name: str) -> Server:
        if name in self.cloud.servers:
            self._do("compute.stop", lambda: self.cloud.stopped.add(name))
        return self.look(name)

    def announce(self, name: str, ram: int, vcpus: float) -> None:  # noqa: ARG002 - processors are not looked at
        self._do("compute.announce", lambda: self.cloud.announced.update({name: ram}))

    def resize(self, name: str, ram: int, vcpus: float) -> Server:  # noqa: ARG002 - processors are not looked at
        self._do("compute.resize", lambda: self.cloud.limit(name, ram))
        return self.look(name)

    def renew_agent(self, name: str) -> None:
        self._do("compute.renew_agent", lambda: self.cloud.renewed.append(name))

    def delete(self, name: str) -> None:
        self._do("compute.delete", lambda: self.cloud.servers.pop(name, None))

    def fence(self, name: str) -> Fence:
        self.stop(name)
        return Fence.FENCED

    def owned(self) -> Sequence[str]:
        return sorted(self.cloud.servers)


class FakeVolumes(_Part):
    def ensure(self, name: str, gigabytes: int, source: Source) -> Volume:
        if source.template and source.template not in self.cloud.sealed:
            raise errors.CloudFailed(f"template {source.template} is not there")
        if source.snapshot and source.snapshot not in self.cloud.snapshots:
            raise errors.CloudFailed(f"snapshot {source.snapshot} is not there")
        if name not in self.cloud.volumes and gigabytes > self.cloud.room:
            raise errors.CloudFailed(f"there is no room for {gigabytes} GiB")
        self._do("volumes.ensure", lambda: self._put(name, gigabytes, source))
        return Volume(name, State.ACTIVE, self.cloud.volumes[name] << 30)

    def _put(self, name: str, gigabytes: int, source: Source) -> None:
        if name not in self.cloud.volumes:
            self.cloud.volumes[name] = gigabytes
            self.cloud.contents[name] = self.cloud.snapshots.get(source.snapshot, "")

    def grow(self, name: str, gigabytes: int) -> Volume:
        larger = max(gigabytes, self.cloud.volumes[name])
        if larger > self.cloud.room:
            raise errors.CloudFailed(f"there is no room for {larger} GiB")
        self._do("volumes.grow", lambda: self.cloud.volumes.update({name: larger}))
        return Volume(name, State.ACTIVE, larger << 30)

    def gather(self, name: str) -> None:
        self._do("volumes.gather", lambda: name)

    def begin_snapshot(self, name: str, snapshot: str) -> None:
        self._do("volumes.begin_snapshot", lambda: (name, snapshot))

    def snapshot(self, name: str, snapshot: str) -> None:
        if name not in self.cloud.volumes:
            raise errors.CloudFailed(f"volume {name} is not there")
        held = self.cloud.contents.get(name, "")
        self._do("volumes.snapshot", lambda: self.cloud.snapshots.setdefault(snapshot, held))

    def revert(self, name: str, snapshot: str) -> Volume:
        return self.remake(name, Source(snapshot=snapshot), snapshot)

    def remake(self, name: str, source: Source, mark: str) -> Volume:
        if self.cloud.remade.get(name) != mark:
            if source.snapshot and source.snapshot not in self.cloud.snapshots:
                raise errors.CloudFailed(f"snapshot {source.snapshot} is not there")
            if name in self.cloud.servers and name not in self.cloud.stopped:
                raise errors.CloudBusy(f"volume {name} is in use by its server")
            self._do("volumes.remake", lambda: self._put_back(name, source.snapshot, mark))
        return Volume(name, State.ACTIVE, self.cloud.volumes[name] << 30)

    def _put_back(self, name: str, snapshot: str, mark: str) -> None:
        self.cloud.contents[name], self.cloud.remade[name] = self.cloud.snapshots.get(snapshot, ""), mark

    def snapshots(self) -> Sequence[str]:
        return sorted(self.cloud.snapshots)

    def delete_snapshot(self, snapshot: str) -> None:
        self._do("volumes.delete_snapshot", lambda: self.cloud.snapshots.pop(snapshot, None))

    def delete(self, name: str) -> None:
        if name in self.cloud.servers:
            raise errors.CloudFailed(f"volume {name} is in use by its server")
        self._do("volumes.delete", lambda: self.cloud.volumes.pop(name, None))

    def usage(self, name: str) -> Usage:
        return Usage(0, self.cloud.volumes[name] << 30)

    def owned(self) -> Sequence[str]:
        return sorted(self.cloud.volumes)

    def templates(self) -> Sequence[str]:
        return sorted(self.cloud.sealed)

    def make_template(self, name: str, volume: str) -> None:
        if name in self.cloud.sealed:
            return
        if volume in self.cloud.servers or volume not in self.cloud.volumes:
            raise errors.CloudFailed(f"volume {volume} cannot be sealed: it is in use or not there")
        self._do("volumes.make_template", lambda: self._seal(name, volume))

    def _seal(self, name: str, volume: str) -> None:
        self.cloud.sealed.add(name)
        del self.cloud.volumes[volume]

    def delete_template(self, name: str) -> None:
        self._do("volumes.delete_template", lambda: self.cloud.sealed.discard(name))


class FakeNetworks(_Part):
    def ensure(self, spec: PortSpec) -> Port:
        address = f"127.9.0.{len(self.cloud.ports) + 1}"
        self._do("networks.ensure", lambda: self._put(spec, address))
        return self.look(spec.name)

    def _put(self, spec: PortSpec, address: str) -> None:
        self.cloud.ports.setdefault(spec.name, address)
        self.cloud.public.pop(spec.name, None)
        self.cloud.shut.discard(spec.name)
        if spec.public:
            self.cloud.public[spec.name] = spec.allowed

    def look(self, name: str) -> Port:
        if name not in self.cloud.ports:
            return Port(name, State.ABSENT)
        state = State.STOPPED if name in self.cloud.shut else State.ACTIVE
        outside = Outside((OUTSIDE,), 20_000) if name in self.cloud.public else None
        return Port(name, state, self.cloud.ports[name], outside=outside)

    def delete(self, name: str) -> None:
        self._do("networks.delete", lambda: self._drop(name))

    def _drop(self, name: str) -> None:
        self.cloud.ports.pop(name, None)
        self.cloud.public.pop(name, None)

    def owned(self) -> Sequence[str]:
        return sorted(self.cloud.ports)


class FakeProvider:
    name = "fake"
    features = frozenset({Feature.TEMPLATE, Feature.SNAPSHOT, Feature.GROW_ONLINE})

    doorstep = "127.0.0.1"
    network = ""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.compute = FakeCompute(cloud)
        self.volumes = FakeVolumes(cloud)
        self.networks = FakeNetworks(cloud)

    def rooms(self) -> Mapping[str, Usage]:
        return {"pool": self._cloud.pool}

    def catalog(self) -> Mapping[str, Sequence[Found]]:
        found = [Found(version, Path("/nowhere"), frozenset(Capability)) for version in self._cloud.versions]
        return {"postgresql": found}


@dataclass
class FakeGuests:
    """Every guest at once: does what it is asked, once per command, and remembers how often."""

    database: Database
    done: dict[str, int] = field(default_factory=dict)
    """command id -> how often it took effect"""
    refuse: Mapping[str, str] = field(default_factory=dict)
    """verb -> the error it is answered with"""
    store: Store | None = None
    """where backups are written to and read from; None: nowhere"""
    data: dict[str, bytes] = field(default_factory=dict)
    """guest -> what it holds: what is backed up, or has been restored"""
    rejects: frozenset[str] = frozenset()
    """of the verbs that it refuses: those that it could do, and will not"""

    def answer_all(self) -> int:
        """Answer what is pending; the number of answers."""
        with self.database.read() as session:
            waiting = session.scalars(select(Command).where(Command.answered.is_(False))).all()
        for command in waiting:
            self.done[command.id] = self.done.get(command.id, 0) + 1
            reply = self._answer(command)
            with self.database.write() as session:
                mailbox.answer(session, command.guest_id, reply)
        return len(waiting)

    def _answer(self, command: Command) -> wire.Answer:
        error = self.refuse.get(command.verb, "cancelled" if command.cancelled else "")
        work = {"backup": self._back_up, "restore": self._restore, "take_out": self._take_out}.get(command.verb)
        if error or work is None or self.store is None:
            kind = "rejected" if command.verb in self.rejects else ""
            return wire.Answer(command.id, {"version": "15.18"}, error, kind)
        return wire.Answer(command.id, work(self.store, command.guest_id, command.arguments or {}))

    def _back_up(self, store: Store, guest: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        attempt = begun(asked["attempt"])
        data, where = self.data.get(guest, b""), f"{asked['place']}{attempt}/"
        sealer = Sealer(
            bytes.fromhex(asked["key"]),
            lambda name, part: _put(store, where + name, part),
            backup=asked["backup"],
            attempt=attempt,
        )
        sealer.write(data)
        sealed = sealer.close()
        position = {"at": len(data), "since": (asked["since"] or {}).get("at")}
        told = {
            "attempt": attempt,
            "raw_bytes": len(data),
            "position": position,
        }
        return {**told, "parts_sha256": sealed.parts_sha256, "stored_bytes": sealed.stored_bytes, "moment": 1.0}

    def _take_out(self, store: Store, guest: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._back_up(store, guest, {**asked, "since": None}), "excerpt": {"database": asked["database"]}}

    def _restore(self, store: Store, guest: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        if not asked["chain"]:
            return {"version": "15.18"}
        self.data[guest] = b"".join(_open(store, layer) for layer in asked["chain"])
        return {"version": "15.18"}


def _put(store: Store, key: str, data: bytes | bytearray) -> None:
    with suppress(errors.Conflict), store.create(key) as out:
        out.write(data)


def _open(store: Store, layer: Mapping[str, Any]) -> bytes:
    where = f"{layer['place']}{layer['attempt']}/"
    with store.open(where + PARTS) as source:
        parts = read_parts(source.read(), layer["parts_sha256"])
    key = bytes.fromhex(layer["key"])
    return Opener(key, layer["backup"], layer["attempt"], parts, lambda name: store.open(where + name)).read()
