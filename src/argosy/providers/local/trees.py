"""Trees of files: made whole or not at all, copied, removed, told apart by what they hold."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy.providers.local.faults import run
from argosy.providers.local.locks import alone

DRAFT = ".new"
"""Suffix of what is being made: it gets its name when it is whole."""


@dataclass(frozen=True)
class Draft:
    tree: Path
    lock: int

    def copy(self, source: Path, inside: str = "") -> None:
        target = self.tree / inside
        run(["cp", "--archive", "--reflink=auto", "-T", str(source), str(target)], held=[self.lock])


@contextmanager
def draft(path: Path) -> Iterator[Draft]:
    """A tree that appears under its name when the block ends well. What a killed process left of one is removed."""
    room = path.with_name(path.name + DRAFT)
    room.mkdir(mode=0o700, exist_ok=True)
    with alone(room) as lock:
        _clear(room)
        unfinished = Draft(room / "tree", lock)
        yield unfinished
        unfinished.tree.rename(path)
        room.rmdir()


def remove(path: Path) -> None:
    room = path.with_name(path.name + DRAFT)
    if room.exists():
        with alone(room):
            _clear(room)
            room.rmdir()
    if path.exists():
        shutil.rmtree(path)


def _clear(room: Path) -> None:
    for unfinished in room.iterdir():
        shutil.rmtree(unfinished)


def walk(tree: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below, in the order of names; what goes away meanwhile is passed over."""
    for directory, directories, files in os.walk(tree):
        directories.sort()
        for name in sorted(files + directories):
            path = Path(directory, name)
            try:
                yield path.relative_to(tree), path.lstat()
            except FileNotFoundError:
                continue


def signature(tree: Path) -> str:
    """Changes when anything in the tree does; read without opening a file."""
    digest = hashlib.sha256()
    for path, status in walk(tree):
        digest.update(f"{path}:{status.st_ino}:{status.st_size}:{status.st_ctime_ns};".encode())
    return digest.hexdigest()


def checksum(tree: Path) -> str:
    digest = hashlib.sha256()
    for path, status in walk(tree):
        digest.update(f"{path}:{status.st_mode:o};".encode())
        if stat.S_ISREG(status.st_mode):
            with (tree / path).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
