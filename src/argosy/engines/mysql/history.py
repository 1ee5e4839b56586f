"""The MySQL family's binary log as a history that can be shipped and gone back in: the facet PointInTime.

A server writes none until somebody wants it, because it costs a second sync with every commit; it begins to with a
start only. Then it drops files as soon as they are full until somebody asks for them. What was asked for is remembered
file by file, because a tenant may reset the log, and it would begin at the first name anew.

While it is written, commits may be found in it alone after a crash. So it is left off again between a clean end of the
server and its next start, and never else.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines import files, programs
from argosy.engines.archiving import LogFile, Moment, Target
from argosy.engines.mysql import binlog, configuration, replaying, wire
from argosy.engines.mysql.accounts import MysqlAccounts
from argosy.engines.mysql.backups import NOW, position
from argosy.model.guest import Site

LAST = "~"
"""name after which none comes"""
LOST = -1
"""size of a file that is gone, or in whose place stands another"""
SLACK = 1 << 20
KEPT_SECONDS, DROPPED_SECONDS = 86_400, 1
"""after which the server itself lets go of a file: an agent may be away for so long"""


class MysqlHistory(MysqlAccounts):
    """The facet PointInTime."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._shipped: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        """of files whose server was killed: looked for once"""

    def log_ready(self) -> bool:
        with self.session() as session:
            return session.query("SELECT @@log_bin") == [("1",)]

    def log_want(self, wanted: bool) -> None:
        if wanted and not self._written:
            self._keep(DROPPED_SECONDS)
        elif not wanted and self._written:
            self._remember({})
            self._leave_off() if self._ended_cleanly() else self._keep(DROPPED_SECONDS)

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

    def replay(self, logs: Path, position: Mapping[str, Any], target: Target) -> Moment:
        return replaying.replay(self.site, logs, position, target)

    def prepare_log(self, owner: str = "") -> None:
        """Before the server starts. A copy of somebody else's volume has a log that nobody has asked for, and is whole
        without it (mysql/holding.py).
        """
        kept = configuration.kept_cnf(self.site)
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        file = kept.with_name("owner")
        if owner and (not file.exists() or file.read_text(encoding="ascii") != owner):
            self._remember({})
            self._leave_off()
            files.write(file, owner)
        if not kept.exists():
            self._leave_off()
        elif "log_bin" not in kept.read_text(encoding="ascii"):  # of a release that said elsewhere that there is one
            self._keep(KEPT_SECONDS if self._marks() else DROPPED_SECONDS)

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

    # --- whether there is one ---

    @property
    def _written(self) -> bool:
        """From the next start on."""
        kept = configuration.kept_cnf(self.site)
        return kept.exists() and kept.read_text(encoding="ascii") != configuration.UNLOGGED

    def _ended_cleanly(self) -> bool:
        """Whether the tables have all that the log has: asked of a server that was stopped."""
        last = [self._path(name) for name in self._index()[-1:]]
        return not any(path.exists() and binlog.in_use(path) for path in last)

    def _leave_off(self) -> None:
        """What was written goes, the index first. The numbers of transactions stay: a later log goes on with them."""
        log = configuration.binlog(self.site)
        log.with_suffix(".index").unlink(missing_ok=True)
        for path in log.parent.glob(f"{log.name}.[0-9]*"):
            path.unlink()
        files.write(configuration.kept_cnf(self.site), configuration.UNLOGGED)

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

    def _index(self) -> list[str]:
        try:
            lines = configuration.binlog(self.site).with_suffix(".index").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return sorted(Path(line).name for line in lines)

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

    def _path(self, name: str) -> Path:
        return configuration.binlog(self.site).with_name(name)

    # --- what was asked for ---

    def _marks(self) -> dict[str, int]:
        """Of each file that is kept for somebody; none: nobody has asked."""
        try:
            marks: dict[str, int] = json.loads(self._memory.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return {}
        return marks

    def _remember(self, marks: Mapping[str, int]) -> None:
        if marks != self._marks():
            files.write(self._memory, json.dumps(marks))

    @property
    def _memory(self) -> Path:
        return configuration.kept_cnf(self.site).with_name("kept.json")

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

    def _keep(self, seconds: int, session: wire.Connection | None = None) -> None:
        """From now on, and after a restart."""
        files.write(configuration.kept_cnf(self.site), configuration.kept(seconds))
        if session:
            session.query(f"SET GLOBAL binlog_expire_logs_seconds = {seconds}")
            session.query("FLUSH BINARY LOGS")

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
