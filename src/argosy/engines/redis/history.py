"""Redis's append-only files as a history that can be shipped and gone back in.

Redis removes them as soon as it has written the data set anew. Those that are not shipped yet stay under a second name
in a directory of ours, on the same volume. What it promises: the whole commands of a prefix of what was executed, and
the moment to a second, because that is how exactly Redis writes down when.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engines import files
from argosy.engines.archiving import LogFile, Logs, Moment, Target
from argosy.engines.redis import appendonly
from argosy.engines.redis.accounts import RedisAccounts
from argosy.engines.redis.appendonly import Part, Scan
from argosy.model.guest import Site


class RedisHistory(RedisAccounts):
    """The facet PointInTime."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._scans: dict[str, Scan] = {}
        """how far each incremental file was looked through, by its name in history"""

    def log_ready(self) -> bool:
        """Always: what it writes is its durability, too."""
        return True

    def log_want(self, wanted: bool) -> None:
        """It has no choice."""

    def log_files(self) -> Sequence[LogFile]:
        live = self._hold()
        names = sorted(each.name for each in self._held.glob("[0-9]*"))
        if not any(name.endswith(".rdb") for name in names):
            self._begin_whole()
        self._scans = {name: scan for name, scan in self._scans.items() if name in names}
        growing = max((part.name for part in live if not part.base), default="")
        return [self._told(name, closed=name != growing) for name in names]

    def log_moment(self) -> Moment:
        grown = [part for part in self._live() if not part.base]
        if not grown:
            return Moment({}, None)
        newest = self._files / grown[-1].file
        seen = newest.stat()
        return Moment({"file": grown[-1].name, "offset": seen.st_size}, seen.st_mtime if seen.st_size else None)

    def log_shipped(self, name: str, size: int) -> None:
        scan = self._scans.setdefault(name, Scan())
        scan.end = max(scan.end, size)
        live = {part.name for part in self._live()}
        with suppress(FileNotFoundError):
            if name not in live and size >= self._told(name, closed=True).size:
                (self._held / name).unlink()

    def log_give_up(self, most: int) -> Sequence[str]:
        if not most:
            shutil.rmtree(self._held, ignore_errors=True)
            return ()
        live = {part.name for part in self._live()}
        held = sorted(each for each in self._held.glob("[0-9]*") if each.name not in live)
        lost = []
        while held and sum(each.stat().st_size for each in held) > most:
            lost.append(held[0].name)
            held.pop(0).unlink()
        return lost

    def replay(self, logs: Logs, position: Mapping[str, Any], target: Target) -> Moment:  # noqa: ARG002 - a base file tells all
        """The data set that a base file is, and every command after it. The restored backup's own data give way."""
        chosen = _chosen(logs.all(), _wanted(target))
        draft = self._files.with_name(f"{appendonly.DIRECTORY}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        moment = _lay(chosen, draft)
        shutil.rmtree(self._files, ignore_errors=True)
        draft.rename(self._files)
        files.sync_directory(self._files.parent)
        return moment

    @property
    def _files(self) -> Path:
        return self.site.data / "db" / appendonly.DIRECTORY

    @property
    def _held(self) -> Path:
        return self.site.data / "history"

    def _hold(self) -> Sequence[Part]:
        """Give every file that counts, since this history began, a second name; those that count."""
        first = self._first()
        live = [part for part in self._live() if part.number >= first]
        for part in live:
            with suppress(FileExistsError, FileNotFoundError):  # it was just written anew
                os.link(self._files / part.file, self._held / part.name)
        return live

    def _first(self) -> int:
        """A history begins with a data set written anew, so that there is little to ship before it is whole."""
        kept = self._held / "first"
        if not kept.exists():
            numbers = [part.number for part in self._live() if not part.base]
            files.write(kept, str(max(numbers, default=0) + 1))
        return int(kept.read_text())

    def _begin_whole(self) -> None:
        """Unless it is being written anew, or just was: the manifest is looked at after the server was asked."""
        first = self._first()
        with self.session() as session:
            under_way = "aof_rewrite_in_progress:1" in str(session.command("INFO", "persistence"))
        if not under_way and not any(part.base and part.number >= first for part in self._live()):
            self._write_anew()

    def _write_anew(self) -> None:
        with suppress(errors.GuestFailed), self.session() as session:  # it does so already
            session.command("BGREWRITEAOF")

    def _live(self) -> Sequence[Part]:
        try:
            return appendonly.parts((self._files / appendonly.MANIFEST).read_text())
        except FileNotFoundError:
            return ()

    def _told(self, name: str, *, closed: bool) -> LogFile:
        path = self._held / name
        if name.endswith(".rdb"):
            return LogFile(name, path, path.stat().st_size, closed=True)
        scan = self._scans.setdefault(name, Scan())
        scan.run(path)
        return LogFile(name, path, scan.end, closed=closed, begins=False)


@dataclass(frozen=True)
class _Wanted:
    """Where to stop, as Redis can."""

    second: int | None = None
    file: str = ""
    offset: int | None = None


def _wanted(target: Target) -> _Wanted:
    """Raises Unprocessable for what Redis knows nothing of."""
    if target.transaction or target.before_statement:
        raise errors.Unprocessable("Redis does not name its transactions: give a time, or file:offset of its log")
    if not target.position:
        return _Wanted(None if target.time is None else int(target.time))
    file, _, offset = target.position.rpartition(":")
    if not file.endswith(".incr.aof") or not offset.isdigit():
        raise errors.Unprocessable(
            f"{target.position!r} is no position of Redis: give file:offset, as recovery tells it"
        )
    return _Wanted(None, file, int(offset))


@dataclass(frozen=True)
class _Chosen:
    base: Path
    whole: Sequence[Path]
    last: Path | None
    """the one that is cut"""
    wanted: _Wanted


def _chosen(logs: Path, wanted: _Wanted) -> _Chosen:
    """The newest data set before the target, and what was done since. Raises Unprocessable, GuestFailed."""
    bases = [base for base in sorted(logs.glob("*.base.rdb")) if _reaches(base, wanted)]
    if not bases:
        oldest = min(map(appendonly.begun, logs.glob("*.base.rdb")), default=0)
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(oldest))
        raise errors.Unprocessable(f"the history of this server does not reach back so far: it begins at {since}")
    first = _number(bases[-1])
    grown = [each for each in sorted(logs.glob("*.incr.aof")) if _number(each) >= first and _reaches(each, wanted)]
    _require_all(grown, first, wanted)
    return _Chosen(bases[-1], grown[:-1], grown[-1] if grown else None, wanted)


def _reaches(file: Path, wanted: _Wanted) -> bool:
    """Whether the file begins before the target."""
    if wanted.file:
        return _number(file) <= int(wanted.file.partition(".")[0])
    if wanted.second is None:
        return True
    return (appendonly.begun(file) if file.suffix == ".rdb" else appendonly.first_stamp(file)) <= wanted.second


def _require_all(grown: Sequence[Path], first: int, wanted: _Wanted) -> None:
    """Raises GuestFailed for a gap, Unprocessable where the log ends before the target."""
    for number, each in enumerate(grown, first):
        if _number(each) != number:
            raise errors.GuestFailed(f"{number:010d}.incr.aof is missing from the history of this server")
    if wanted.file and (not grown or grown[-1].name != wanted.file or grown[-1].stat().st_size < (wanted.offset or 0)):
        raise errors.Unprocessable(f"the history of this server ends before {wanted.file}:{wanted.offset}")


def _lay(chosen: _Chosen, into: Path) -> Moment:
    """What a server is to start from."""
    parts = [Part("appendonly.aof.1.base.rdb", _number(chosen.base), base=True)]
    _place(chosen.base, into / parts[0].file)
    for each in chosen.whole:
        parts.append(_grown(each))
        _place(each, into / parts[-1].file)
    moment = Moment({}, float(appendonly.begun(chosen.base)))
    if chosen.last:
        parts.append(_grown(chosen.last))
        moment = _cut(chosen.last, into / parts[-1].file, chosen.wanted)
    files.write(into / appendonly.MANIFEST, appendonly.manifest(parts))
    files.sync_tree(into)
    return moment


def _cut(source: Path, into: Path, wanted: _Wanted) -> Moment:
    scan = Scan()
    scan.run(source, until=wanted.second, most=wanted.offset)
    if wanted == _Wanted() and scan.end < source.stat().st_size:
        raise errors.GuestFailed(f"{source.name} is damaged at byte {scan.end}")
    shutil.copyfile(source, into)
    os.truncate(into, scan.end)
    return Moment({"file": source.name, "offset": scan.end}, float(scan.stamp) or None)


def _place(file: Path, into: Path) -> None:
    """Without copying it, where both are on one volume."""
    try:
        os.link(file, into)
    except OSError:
        shutil.copyfile(file, into)


def _grown(file: Path) -> Part:
    return Part(f"appendonly.aof.{_number(file)}.incr.aof", _number(file), base=False)


def _number(file: Path) -> int:
    return int(file.name.partition(".")[0])
