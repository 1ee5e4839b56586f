"""The MySQL family's binary log as a history that can be shipped and gone back in: the facet PointInTime.

A server that writes it drops files as soon as they are full until somebody asks for them. What was asked for is
remembered file by file, because a tenant may reset the log, and it would begin at the first name anew.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines import programs
from argosy.engines.archiving import LogFile, Logs, Moment, Target
from argosy.engines.mysql import binlog, configuration, replaying, wire
from argosy.engines.mysql.backups import NOW, position
from argosy.engines.mysql.switch import DROPPED_SECONDS, KEPT_SECONDS, MysqlLogSwitch
from argosy.model.guest import Site

LAST = "~"
"""name after which none comes"""
LOST = -1
"""size of a file that is gone, or in whose place stands another"""
SLACK = 1 << 20


class MysqlHistory(MysqlLogSwitch):
    """The facet PointInTime."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._shipped: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        """of files whose server was killed: looked for once"""

    def log_files(self) -> Sequence[LogFile]:
        """Sizes end with a whole group, and are synced: `sync_binlog` is not a tenant's to change."""
        marks = self._marks()
        names, growing, end = self._listed(keep=not marks)
        found = [name for name in names if name >= min(marks, default=growing or LAST)]
        told = [LogFile(name, self._path(name), LOST, closed=True) for name in marks if self._lost(name, marks, found)]
        if told:
            return told
        told = [self._file(name, growing, end) for name in found]
        self._remember({each.name: self._mark(each.path) for each in told})
        return told

    def log_moment(self) -> Moment:
        with self.session() as session:
            [(now,)] = session.query(NOW)
            return Moment(position(session), float(now or 0))

    def log_shipped(self, name: str, size: int) -> None:
        self._shipped[name] = size
        later = [each for each in self._marks() if each > name]
        if later and size >= self._file(name, "", 0).size:
            self._purge(later[0])

    def log_give_up(self, most: int) -> Sequence[str]:
        if not most:
            self._remember({})
            self._drop()
            return ()
        held = [each for each in self.log_files() if each.size != LOST]
        if held and sum(each.size for each in held) > most and held[-1].size > most:
            with self.session() as session:
                session.query("FLUSH BINARY LOGS")
            held = list(self.log_files())
        lost = []
        while len(held) > 1 and sum(each.size for each in held) > most:
            lost.append(held.pop(0))
        if lost:
            self._purge(held[0].name)
        return [each.name for each in lost if self._shipped.get(each.name, 0) < each.size]

    def replay(self, logs: Logs, position: Mapping[str, Any], target: Target) -> Moment:
        return replaying.replay(self.site, logs, position, target)

    def reserve_log(self) -> None:
        """Have room for the log before the tables have taken it. Of tables that find none the tenant is told, and can
        drop some; while the log finds none the server waits for somebody to make room, and nobody can drop anything.
        """
        names = self._index()
        room = os.statvfs(self.site.data)
        if not names or room.f_blocks * room.f_frsize > self.site.volume:
            return
        for name in names[:-1]:
            with suppress(OSError):
                _give_back(self._path(name))
        size = configuration.binlog_bytes(self.site)
        with suppress(OSError, errors.GuestFailed):
            if _taken(self._path(names[-1])) < size < room.f_bavail * room.f_frsize:
                programs.run("fallocate", "--keep-size", f"--length={size}", self._path(names[-1]))

    # --- what the server has ---

    def _listed(self, *, keep: bool) -> tuple[list[str], str, int]:
        """Every file, which of them grows, and to where it is durable. Of a server that does not answer only what is
        on the volume is known.
        """
        with suppress(errors.Unavailable), self.session() as session:
            told = position(session)
            if not told:
                raise errors.GuestFailed("MariaDB writes no binary log yet: restart it once")
            if keep:
                self._keep(KEPT_SECONDS, session)
                told = position(session)
            names = [each for each in self._index() if each <= told["file"]]
            return names, told["file"], told["offset"]
        return self._index(), "", 0

    def _file(self, name: str, growing: str, end: int) -> LogFile:
        path = self._path(name)
        if name == growing:
            return LogFile(name, path, end, closed=False)
        return LogFile(name, path, self._closed_at(path), closed=True)

    def _closed_at(self, path: Path) -> int:
        """All of it, or up to the last whole group where the server was killed."""
        if not binlog.in_use(path):
            return path.stat().st_size
        if path.name not in self._ends:
            log = binlog.Log(path)
            for _ in log.groups():
                pass
            self._ends[path.name] = log.end
        return self._ends[path.name]

    # --- what was asked for ---

    def _mark(self, path: Path) -> int:
        """Tells the file from any other of its name."""
        head = binlog.head(path)
        return zlib.crc32(head + path.stat().st_ino.to_bytes(8, "little"))

    def _lost(self, name: str, marks: Mapping[str, int], found: Sequence[str]) -> bool:
        return name not in found or self._mark(self._path(name)) != marks[name]

    # --- letting go ---

    def _purge(self, name: str) -> None:
        """Everything before this file."""
        self._remember({each: mark for each, mark in self._marks().items() if each >= name})
        with self.session() as session:
            session.query(f"PURGE BINARY LOGS TO {wire.literal(name)}")

    def _drop(self) -> None:
        """Now, and from now on."""
        if not self._written:
            return
        self._keep(DROPPED_SECONDS)
        with suppress(errors.Unavailable), self.session() as session:
            self._keep(DROPPED_SECONDS, session)
            if told := position(session):
                session.query(f"PURGE BINARY LOGS TO {wire.literal(told['file'])}")


def _taken(path: Path) -> int:
    """Bytes of the volume, which may be more than the file has."""
    return path.stat().st_blocks * 512


def _give_back(path: Path) -> None:
    """What was reserved for a file that is not written to any more."""
    size = path.stat().st_size
    if _taken(path) > size + SLACK:
        os.truncate(path, size)
