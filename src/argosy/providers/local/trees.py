"""Trees of files: made whole or not at all, copied, removed, told apart by what they hold."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argosy.providers.local.faults import run

DRAFT = ".new"
"""Suffix of what is being made: it gets its name when it is whole."""


@contextmanager
def draft(path: Path) -> Iterator[Path]:
    """A place to make something that appears under its name when it is whole. What a killed process left is removed."""
    unfinished = path.with_name(path.name + DRAFT)
    shutil.rmtree(unfinished, ignore_errors=True)
    yield unfinished
    unfinished.rename(path)


def copy(source: Path, target: Path) -> None:
    run(["cp", "--archive", "--reflink=auto", "--no-target-directory", str(source), str(target)])


def remove(path: Path) -> None:
    for each in (path, path.with_name(path.name + DRAFT)):
        if each.exists():
            shutil.rmtree(each)


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
