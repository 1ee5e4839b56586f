"""Servers of the MySQL family that tests back up, restore and go back in."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from argosy.engines import registry
from argosy.engines.archiving import LogFile, Logs, Moment, Target
from argosy.engines.backups import Position
from argosy.engines.excerpts import Excerpt
from argosy.model.guest import Identity, Secret
from argosy.testing import hands, servers
from argosy.testing.clients import Tenant
from argosy.testing.hands import Hands
from argosy.testing.servers import Farm, Server
from argosy.testing.tapes import Recorder, Tape

DRIVER: Any = registry.get("mysql").load_driver()


class Handy(Recorder, DRIVER):  # type: ignore[misc]
    """A driver with tapes, whose holds begin and end by calls."""

    def cut(self, database: str, tables: Sequence[str], path: Path) -> Excerpt:
        with tempfile.TemporaryDirectory(dir=self.site.state) as scratch, path.open("wb") as out:
            excerpt: Excerpt = self.take_out(database, tables, Path(scratch), out.fileno())
            return excerpt

    def paste(self, excerpt: Excerpt, into: str, path: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self.site.state) as scratch, path.open("rb") as source:
            self.put_in(excerpt, into, Path(scratch), source.fileno())

    def begin_hold(self, seconds: float) -> Position:
        self._holding = self.quiesce(seconds)
        position: Position = self._holding.__enter__()
        return position

    def end_hold(self) -> None:
        self._holding.__exit__(None, None, None)


def handy(server: Server) -> Server:
    server.hands.close()
    server.hands = Hands(Handy, server.site)
    return server


def template(farm: Farm) -> Server:
    return farm.template(registry.get("mysql"), servers.require("mysql"))


def identity() -> Identity:
    return Identity(str(uuid.uuid4()), 1)


def fresh(farm: Farm, template: Server, *, logged: bool = True) -> Server:
    """A running server of its own, that writes a log."""
    server = handy(farm.clone(template, identity()))
    server.hands.call("log_want", logged)
    server.start()
    return server


def master(server: Server) -> Tenant:
    password = Secret.generate()
    server.hands.call("put_master", password)
    return server.connect(server.login("root", password))


def loaded(farm: Farm, template: Server, tapes: Sequence[Tape]) -> Server:
    """Restored, adopted, configured, and not started."""
    server = handy(farm.bare(template.engine, template.found))
    server.hands.call("play", tapes)
    server.hands.call("adopt", identity())
    server.issue_certificate()
    server.hands.call("configure", {})
    return server


def restored(farm: Farm, template: Server, tapes: Sequence[Tape]) -> Server:
    server = loaded(farm, template, tapes)
    server.start()
    return server


class Shelf:
    """Where a shipper would bring a log: byte for byte what the driver says can be trusted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        hands.give(path)
        self.shipped: dict[str, int] = {}
        self.lost: list[str] = []

    def ship(self, server: Server, *, forget: bool = True) -> Sequence[LogFile]:
        """What is new since the last time."""
        found: Sequence[LogFile] = server.hands.call("log_files")
        for each in found:
            have = self.shipped.get(each.name, 0)
            if each.size < have:
                self.lost.append(each.name)
                continue
            with each.path.open("rb") as source, (self.path / each.name).open("ab") as copy:
                source.seek(have)
                copy.write(source.read(each.size - have))
            self.shipped[each.name] = each.size
            if forget:
                server.hands.call("log_shipped", each.name, each.size)
        hands.give(self.path)
        return found

    def copy(self, path: Path) -> Path:
        """To be damaged."""
        shutil.copytree(self.path, path)
        hands.give(path)
        return path


def replayed(server: Server, logs: Path, position: Mapping[str, Any], target: Target) -> Moment:
    """On a server that does not run, which does afterwards."""
    moment: Moment = server.hands.call("replay", Logs.there(logs), position, target)
    server.start()
    return moment
