"""A driver of PostgreSQL that dumps into files and loads from them, as the archiver does with descriptors."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from argosy import errors
from argosy.engines import programs
from argosy.engines.archiving import Logs, Moment, Target
from argosy.engines.backups import SNAPSHOT, Layer, Order, Taken
from argosy.engines.excerpts import Excerpt
from argosy.engines.postgresql import positions, slots, wire
from argosy.engines.postgresql.accounts import HOME, PATIENCE
from argosy.engines.postgresql.driver import PostgresqlDriver
from argosy.engines.postgresql.positions import Segment


@dataclass(frozen=True)
class Kept:
    """A backup in a file."""

    path: Path
    strategy: str
    taken: Taken

    @property
    def layer(self) -> Layer:
        return Layer(self.strategy, self.taken.position, self._open)

    @contextmanager
    def _open(self) -> Iterator[int]:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


class Coming:
    """Log that comes file by file, as a restore fetches it. After the first so many there is an error, or no end."""

    def __init__(self, source: Path, into: Path, most: int, error: str) -> None:
        self._paths, self._into = sorted(source.iterdir()), into
        self.sizes = {each.name: each.stat().st_size for each in self._paths}
        self._most, self._error = most, error
        self._first, self._failed, self._over = "", False, threading.Event()
        self._thread = threading.Thread(target=self._come)

    def begin(self, first: str) -> None:
        if self._thread.ident is None:
            self._first = first
            self._thread.start()

    def check(self) -> None:
        if self._failed:
            raise errors.GuestFailed(self._error)

    def wait(self) -> None:
        self._thread.join()
        self.check()

    def close(self) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _come(self) -> None:
        for path in self._paths[: self._most]:
            if path.name >= self._first and not self._over.wait(0.02):
                shutil.copyfile(path, self._into / f".{path.name}")
                (self._into / f".{path.name}").rename(self._into / path.name)
        self._failed = bool(self._error)
        if self._most < len(self._paths) and not self._error:
            self._over.wait()


class Archivist(PostgresqlDriver):
    sessions = 0
    """so many were begun"""

    @contextmanager
    def session(self, database: str = HOME, seconds: float = PATIENCE) -> Iterator[wire.Connection]:
        self.sessions += 1
        with super().session(database, seconds) as session:
            yield session

    def sessions_of_a_dump(self, path: Path, strategy: str, since: Mapping[str, Any] | None = None) -> int:
        before = self.sessions
        self.dump_into(path, strategy, since)
        return self.sessions - before

    def make_folder(self, path: Path) -> None:
        path.mkdir(mode=0o700)

    def dump_into(self, path: Path, strategy: str, since: Mapping[str, Any] | None = None) -> Kept:
        with TemporaryDirectory(dir=self.site.state) as scratch, path.open("wb") as file:
            taken = self.dump(strategy, Order(Path(scratch), since), file.fileno())
        return Kept(path, strategy, taken)

    def load_from(self, chain: Sequence[Kept]) -> None:
        with TemporaryDirectory(dir=self.site.state) as scratch:
            self.load([each.layer for each in chain], Path(scratch))

    def copy_quiesced(self, place: Path) -> Mapping[str, Any]:
        with self.quiesce(10) as position:
            shutil.copytree(self.site.data, place)
        return {"place": place, "position": position}

    def dump_copy(self, copy: Mapping[str, Any], path: Path) -> Kept:
        """As a helper guest does with a clone of the snapshot."""
        other = Archivist(replace(self.site, data=copy["place"]))
        kept = other.dump_into(path, SNAPSHOT)
        return replace(kept, taken=Taken(copy["position"]))

    def quiesce_too_long(self) -> None:
        with self.quiesce(0.2):
            time.sleep(0.5)

    def close_the_door(self) -> None:
        """As a release of ours left it that took no backups."""
        file = self.site.state / "pg_hba.conf"
        file.write_text(file.read_text().replace(",replication", ""))
        self.reload()

    def take_out_into(self, database: str, tables: Sequence[str], path: Path) -> Excerpt:
        with TemporaryDirectory(dir=self.site.state) as scratch, path.open("wb") as file:
            return self.take_out(database, tables, Path(scratch), file.fileno())

    def put_in_from(self, excerpt: Excerpt, into: str, path: Path) -> None:
        with TemporaryDirectory(dir=self.site.state) as scratch, path.open("rb") as file:
            self.put_in(excerpt, into, Path(scratch), file.fileno())

    def lose_log(self, position: Mapping[str, Any]) -> None:
        """As a server does that has given up on who wanted to read it."""
        stop = positions.parse(position["stop"])
        segment = Segment.holding(position["timeline"], stop, position["segment"])
        self.switch_log()
        (self.site.data / "db" / "pg_wal" / segment.name).unlink()

    def lose_notes(self) -> None:
        """As a server that was told not to take them."""
        with self.session() as session:
            session.query("ALTER SYSTEM SET summarize_wal = off")
            self.reload()
        for each in (self.site.data / "db" / "pg_wal" / "summaries").iterdir():
            each.unlink()

    def lose_slot(self, segment: str) -> None:
        """As a server does for which a slot held too much back."""
        with self.session() as session:
            slots.drop(session, slots.ARCHIVE)
        self.switch_log()
        (self.site.data / "db" / "pg_wal" / segment).unlink()

    def clear(self) -> None:
        with programs.alone(self.site.state / "replay.lock"):
            shutil.rmtree(self.site.data / "db")

    def switch_log(self) -> None:
        with self.session() as session:
            session.query("SELECT pg_switch_wal()")

    def ship_into(self, place: Path) -> Moment:
        """What is new of the log, as the shipper does it. Up to when everything is there."""
        place.mkdir(mode=0o700, exist_ok=True)
        moment = self.log_moment()
        for each in self.log_files():
            copy = place / each.name
            copy.touch()
            with each.path.open("rb") as source, copy.open("ab") as target:
                source.seek(target.tell())
                target.write(source.read(each.size - target.tell()))
            self.log_shipped(each.name, each.size)
        return moment

    def replay_from(
        self, place: Path, position: Mapping[str, Any], target: Target, most: int = 1 << 30, error: str = ""
    ) -> Moment:
        """By logs of its own, which come while they are replayed."""
        with (
            TemporaryDirectory(dir=self.site.state) as scratch,
            closing(Coming(place, Path(scratch), most, error)) as coming,
        ):
            return self.replay(Logs(Path(scratch), coming.sizes, coming), position, target)
