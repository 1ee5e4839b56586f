"""An object store in a directory: of this machine, or any mount that knows hard links, as NFS does."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from argosy import errors
from argosy.stores import disk
from argosy.stores.base import NoSuchObject, StoreUnreachable, checked, checked_prefix

UNFINISHED = ".unfinished"
"""Subdirectory of what is being written: on the same file system, and never a key."""
BUFFER = 1 << 20


class FilesystemStore:
    def __init__(self, root: Path, *, mounted: bool = False) -> None:
        """`mounted`: where the directory is missing so is the store, and nothing is written where a mount belongs."""
        self.root = root
        self._mounted = mounted

    @contextmanager
    def create(self, key: str) -> Iterator[BinaryIO]:
        target = self.root / checked(key)
        self._require()
        with disk.Target(self.root / UNFINISHED) as file:
            out = io.BufferedWriter(file)
            yield cast("BinaryIO", out)
            out.flush()
            file.publish(target)

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        path = self.root / checked(key)
        self._require()
        try:
            return cast("BinaryIO", io.BufferedReader(disk.Source(path, start, length), BUFFER))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NoSuchObject(f"{key} is not in the store") from error

    def stat(self, key: str) -> int:
        with self.open(key) as there:
            return os.fstat(there.fileno()).st_size

    def list(self, prefix: str) -> Iterator[str]:
        return (key for key, _ in self._walk(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        for key, entry in self._walk(prefix):
            with suppress(FileNotFoundError):  # deleted meanwhile
                yield key, entry.stat().st_size

    def delete(self, key: str) -> None:
        path = self.root / checked(key)
        self._require()
        with disk.translated(), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        for parent in path.relative_to(self.root).parents[:-1]:
            with suppress(OSError):  # not empty: other objects live there
                (self.root / parent).rmdir()

    def delete_prefix(self, prefix: str) -> None:
        if not prefix:
            raise errors.BadRequest("everything in the store is never deleted at once")
        for key in list(self.list(prefix)):
            self.delete(key)

    def room(self) -> tuple[int, int]:
        self._require()
        with disk.translated():
            told = os.statvfs(self.root)
        used = (told.f_blocks - told.f_bfree) * told.f_frsize
        return used, used + told.f_bavail * told.f_frsize

    def _walk(self, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        directory, slash, beginning = checked_prefix(prefix).rpartition("/")
        self._require()
        with disk.translated():
            yield from _below(self.root / directory, directory + slash, beginning)

    def _require(self) -> None:
        """Raises StoreUnreachable, StoreRefused."""
        with disk.translated():
            if self.root.is_dir():
                return
        if self._mounted:
            raise StoreUnreachable(f"the directory {self.root} is not there: is it mounted?")
        self.root.mkdir(parents=True, exist_ok=True)


def _below(directory: Path, prefix: str, beginning: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files in the order of their keys; directories that vanish meanwhile are empty."""
    for name, entry in sorted(_entries(directory, beginning)):
        if name.endswith("/"):
            yield from _below(Path(entry.path), prefix + name, "")
        else:
            yield prefix + name, entry


def _entries(directory: Path, beginning: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """With a slash after directories: that is how they compare within a key."""
    try:
        with os.scandir(directory) as found:
            for each in found:
                if each.name.startswith(beginning) and not each.name.startswith("."):
                    yield each.name + "/" * each.is_dir(), each
    except (FileNotFoundError, NotADirectoryError):
        return
