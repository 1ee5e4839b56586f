"""What is known of each guest, kept where the guest cannot reach it, and the guest's own directory.

A record is written before anything is made for its guest and removed after everything is gone, so that a process
killed in between leaves nothing that a sweep would not find.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from argosy.providers.base import ServerSpec
from argosy.providers.local.documents import our_directory, write
from argosy.providers.local.layout import Layout

TAIL_BYTES, LONGEST_WORDS = 8192, 500
"""of a guest's log, to find its last line; letters of it that are told"""


class Wanted(StrEnum):
    UP = "up"
    DOWN = "down"
    FENCED = "fenced"
    GONE = "gone"


@dataclass(frozen=True)
class Record:
    name: str
    generation: int
    engine: str
    version: str
    ram: int
    vcpus: float
    volume: str
    port: str
    tls: str
    before: str = ""
    wanted: Wanted = Wanted.UP
    fault: str = ""
    launched: float = 0.0
    """boot time of the last launch; 0: never, or ended by us since"""
    vain: int = 0
    """launches in a row of which no init came, the last one included until its init is up"""

    @classmethod
    def of(cls, spec: ServerSpec) -> Record:
        fields = {field.name for field in dataclasses.fields(spec)} - {"boot"}
        return cls(**{name: getattr(spec, name) for name in fields})


@dataclass(frozen=True)
class Guest:
    """Where one guest has what, as the host sees it."""

    name: str
    uid: int
    home: Path
    """ours: record, lock, what the sandbox shows as /etc"""
    state: Path
    data: Path
    root: Path
    """of its engine"""
    namespace: Path | None
    """network namespace; None: the host's"""
    before: Path | None = None
    """root of the engine that its data have been of"""


@dataclass(frozen=True)
class View:
    """Where the guest sees what it is told of."""

    root: Path
    data: Path
    state: Path
    before: Path | None = None


@dataclass(frozen=True)
class Records:
    layout: Layout

    def home(self, name: str) -> Path:
        return self.layout.servers / name

    def log(self, name: str) -> Path:
        """What init and agent say; in here, because root writes it and nobody may lead root elsewhere."""
        return self.home(name) / "guest.log"

    def state(self, record: Record) -> Path:
        return self.layout.guest(record.name, record.generation)

    def last_words(self, name: str) -> str:
        """The last line that init, the agent or the programs that start them said, without what only logs need."""
        try:
            with self.log(name).open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL_BYTES))
                lines = log.read().decode(errors="replace").strip().splitlines()
        except FileNotFoundError:
            return ""
        return _message(lines[-1]) if lines else ""

    @contextmanager
    def alone(self, name: str, *, make: bool = False) -> Iterator[bool]:
        """One at a time per guest, between threads and processes; False where there is nothing of such a guest."""
        while True:
            if make:
                (our_directory(self.layout.servers) / name).mkdir(mode=0o700, exist_ok=True)
            try:
                directory = os.open(self.home(name), os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                yield False
                return
            try:
                fcntl.flock(directory, fcntl.LOCK_EX)
                if _still_there(directory, self.home(name)):
                    yield True
                    return
            finally:
                os.close(directory)

    def names(self) -> Sequence[str]:
        return sorted(path.name for path in _listed(self.layout.servers))

    def load(self, name: str) -> Record | None:
        """None also for what a power cut left torn: the next `ensure` knows it all again."""
        try:
            told = json.loads((self.home(name) / "record.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return Record(**{**told, "wanted": Wanted(told["wanted"])})

    def save(self, record: Record) -> Record:
        write(self.home(record.name), "record.json", json.dumps(dataclasses.asdict(record)))
        return record

    def clear(self, name: str, but: int = 0) -> None:
        """Remove the guest's own directories, of every generation but the given one."""
        for directory in self.layout.guests.glob(f"{name}.*"):
            if directory != self.layout.guest(name, but):
                shutil.rmtree(directory)

    def forget(self, name: str) -> None:
        """What tells of it comes last."""
        self.clear(name)
        shutil.rmtree(self.home(name))


def _message(line: str) -> str:
    """Of a line of the agent's log; any other is told as it is. A guest may write there as it likes."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        told = line
    message = str(told.get("message", line) if isinstance(told, dict) else line)
    return "".join(each if each.isprintable() else " " for each in message[:LONGEST_WORDS])


def _still_there(directory: int, path: Path) -> bool:
    """Who waited for a lock may have got that of a directory that was removed meanwhile."""
    try:
        return os.path.samestat(os.fstat(directory), path.stat())
    except FileNotFoundError:
        return False


def _listed(directory: Path) -> Sequence[Path]:
    return list(directory.iterdir()) if directory.exists() else []
