"""Redis's backups: the data set as the server itself saves it, read while it is being saved, and its users.

The native stream is a tar archive: `users.acl`, then the RDB file in pieces `dump.rdb.000000`, … which follow each
other. Stock tools put it together: `tar -xf … && cat dump.rdb.* > dump.rdb`. A server that appends to a log ignores
such a file, so what is restored is the log's base.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from argosy import errors
from argosy.engines import copies, files
from argosy.engines.backups import SNAPSHOT, Layer, Order, Position, Taken
from argosy.engines.redis import appendonly
from argosy.engines.redis.accounts import RedisAccounts
from argosy.engines.redis.appendonly import Part

RDB = "rdb"
USERS, SAVED = "users.acl", "dump.rdb"
PIECE = 1 << 20
LOOK_SECONDS = 0.02
BASE = Part("appendonly.aof.1.base.rdb", 1, base=True)


class RedisBackups(RedisAccounts):
    """The facet Backups."""

    def dump(self, strategy: str, order: Order, out: int) -> Taken:  # noqa: ARG002 - nothing builds on anything
        if strategy == SNAPSHOT:
            copies.dump(self.site.data, out)
            return Taken()
        known = set(self._data.glob("temp-*.rdb"))
        users = (self._data / USERS).read_bytes()
        moment = self._begin()
        with open(out, "wb", closefd=False) as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
            _add(tar, USERS, users)
            for number, piece in enumerate(_pieces(self._saved(known))):
                _add(tar, f"{SAVED}.{number:06}", piece)
        return Taken({"moment": moment}, moment)

    def load(self, layers: Sequence[Layer], scratch: Path) -> None:  # noqa: ARG002 - nothing is kept beside
        with layers[0].open() as source:
            if layers[0].strategy == SNAPSHOT:
                copies.load(self.site.data, source)
            else:
                _unpack(source, self._data)

    @contextmanager
    def quiesce(self, seconds: float) -> Iterator[Position]:
        """Nobody has to wait: an atomic copy of the log has all that was acknowledged."""
        begun = time.monotonic()
        yield {}
        if time.monotonic() - begun > seconds:
            raise errors.GuestFailed(f"the time to copy the volume was over after {seconds:g} s")

    def canaries(self) -> Mapping[str, Any]:
        """Keys by database, with how far the log had come: what is the same twice nobody has written to meanwhile."""
        facts = self._facts()
        log = [facts.get("run_id"), facts.get("aof_current_size"), facts.get("aof_base_size")]
        return {"data": [*log, self._keys(facts)], "users": self._names()}

    def examine_restored(self, canaries: Mapping[str, Any]) -> Mapping[str, Any]:
        """A server that answers has loaded every key, by its own checksum: it does not start with less."""
        facts = self._facts()
        keys, names = self._keys(facts), self._names()
        wrong = [f"the user {name} is missing" for name in canaries.get("users", ()) if name not in names]
        if data := canaries.get("data"):
            wrong += _differences(data[-1], keys)
        if wrong:
            raise errors.GuestFailed(f"the restored data are not what they were: {'; '.join(wrong[:5])}")
        return {"databases": len(keys), "keys": sum(each[0] for each in keys.values()), "compared": sorted(canaries)}

    def tidy(self) -> None:
        """End a saving that is under way, and remove what one has left: the log has all of it."""
        facts = self._facts()
        if facts["rdb_bgsave_in_progress"] != "0":
            for each in self._data.glob("temp-*.rdb"):
                _give_up(int(each.stem.removeprefix("temp-")), server=int(facts["process_id"]))
        (self._data / SAVED).unlink(missing_ok=True)

    @property
    def _data(self) -> Path:
        return self.site.data / "db"

    def _begin(self) -> float:
        """Have the server save its data; the server's time once it has begun, after which nothing gets in."""
        before = int(self._idle()["rdb_saves"])
        with self.session() as session:
            session.command("BGSAVE", "SCHEDULE")
        while int(self._facts()["rdb_saves"]) == before:  # it may be writing its log anew just now
            time.sleep(LOOK_SECONDS)
        with self.session() as session:
            told = session.command("TIME")
        assert isinstance(told, list)  # noqa: S101 - what the protocol promises
        return int(str(told[0])) + int(str(told[1])) / 1e6

    def _idle(self) -> Mapping[str, str]:
        """Once nobody else's saving is under way."""
        while (facts := self._facts())["rdb_bgsave_in_progress"] != "0":
            time.sleep(LOOK_SECONDS)
        return facts

    def _saved(self, known: set[Path]) -> Iterator[bytes]:
        """What is being saved, while it is; the file is gone afterwards. Raises GuestFailed."""
        saved = self._data / SAVED
        with self._following(known) as file:
            over = False
            while not over:
                over = self._facts()["rdb_bgsave_in_progress"] == "0"  # asked first: what is read then is all
                yield from iter(lambda: file.read(PIECE), b"")
                time.sleep(0 if over else LOOK_SECONDS)
            if self._facts()["rdb_last_bgsave_status"] != "ok" or not _is(file, saved):
                raise errors.GuestFailed("Redis could not save its data: its log says why, the volume may be full")
            saved.unlink()

    @contextmanager
    def _following(self, known: set[Path]) -> Iterator[IO[bytes]]:
        """The file that the server has begun, under whichever of its names it is found."""
        while True:
            over = self._facts()["rdb_bgsave_in_progress"] == "0"
            found = [*(set(self._data.glob("temp-*.rdb")) - known), *([self._data / SAVED] if over else [])]
            for each in found:
                try:
                    opened = each.open("rb")
                except FileNotFoundError:
                    continue  # it has just got its last name
                with opened:
                    yield opened
                return
            if over:
                raise errors.GuestFailed("Redis could not save its data: its log says why, the volume may be full")

    def _facts(self) -> Mapping[str, str]:
        with self.session() as session:
            text = str(session.command("INFO", "everything"))
        lines = (line.partition(":") for line in text.splitlines())
        return {name: value for name, colon, value in lines if colon}

    def _keys(self, facts: Mapping[str, str]) -> dict[str, list[int]]:
        """Of each database: all, and those that will go by themselves."""
        told = {name: value for name, value in facts.items() if name[:2] == "db" and name[2:].isdigit()}
        pairs = {name: dict(each.split("=", 1) for each in value.split(",")) for name, value in told.items()}
        return {name: [int(pair["keys"]), int(pair["expires"])] for name, pair in pairs.items()}

    def _names(self) -> list[str]:
        return sorted(each.name for each in self.list_users())


def _differences(before: Mapping[str, Sequence[int]], now: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """Keys with a term may have gone since, all others must be there."""
    for name in sorted({*before, *now}):
        (had, term), (have, _) = before.get(name, (0, 0)), now.get(name, (0, 0))
        if not had - term <= have <= had:
            yield f"{name} has {have} keys and had {had}"


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = len(data), int(time.time()), 0o600
    tar.addfile(member, io.BytesIO(data))


def _pieces(data: Iterator[bytes]) -> Iterator[bytes]:
    """The same in larger ones."""
    held = bytearray()
    for each in data:
        held += each
        if len(held) >= PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _unpack(source: int, into: Path) -> None:
    """As a data directory whose log begins with what was saved."""
    (into / appendonly.DIRECTORY).mkdir(mode=0o700, parents=True)
    base = into / appendonly.DIRECTORY / BASE.file
    with (
        open(source, "rb", closefd=False) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
        base.open("wb") as out,
    ):
        for member in tar:
            piece = tar.extractfile(member)
            assert piece is not None  # noqa: S101 - there are only files
            if member.name == USERS:
                files.write(into / USERS, piece.read().decode())
            else:
                shutil.copyfileobj(piece, out, PIECE)
    files.write(into / appendonly.DIRECTORY / appendonly.MANIFEST, appendonly.manifest([BASE]))
    files.sync_tree(into)


def _give_up(process: int, server: int) -> None:
    """By the signal by which the server itself ends it: then it does not count as a failure."""
    with suppress(OSError, StopIteration):  # it has just ended
        told = Path(f"/proc/{process}/status").read_text().splitlines()
        if int(next(line for line in told if line.startswith("PPid:")).split()[1]) == server:
            os.kill(process, signal.SIGUSR1)


def _is(file: IO[bytes], path: Path) -> bool:
    """Whether that is its name by now."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
