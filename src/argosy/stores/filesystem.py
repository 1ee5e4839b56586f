"""An object store in a directory: of this machine, or any mount."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from argosy import errors
from argosy.stores.base import NoSuchObject, checked

UNFINISHED = ".unfinished"
"""Subdirectory of what is being written: on the same file system, and never a key."""


class FilesystemStore:
    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def create(self, key: str) -> Iterator[BinaryIO]:
        target = self.root / checked(key)
        waiting = self.root / UNFINISHED
        waiting.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=waiting)
        try:
            with os.fdopen(descriptor, "wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            _publish(Path(name), target)
        finally:
            Path(name).unlink(missing_ok=True)

    def open(self, key: str) -> BinaryIO:
        try:
            return (self.root / checked(key)).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NoSuchObject(f"{key} is not in the store") from error

    def list(self, prefix: str) -> Iterator[str]:
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        yield from sorted(str(path) for path in found if path.parts[0] != UNFINISHED and str(path).startswith(prefix))

    def delete(self, key: str) -> None:
        path = self.root / checked(key)
        path.unlink(missing_ok=True)
        for parent in path.relative_to(self.root).parents[:-1]:
            with suppress(OSError):  # not empty: other objects live there
                (self.root / parent).rmdir()


def _publish(written: Path, target: Path) -> None:
    """A hard link appears at once and refuses to replace; the synced directory keeps it after a power cut."""
    while True:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(written, target)
        except FileExistsError as error:
            raise errors.Conflict(f"{target.name} is in the store already: objects are written once") from error
        except FileNotFoundError:
            continue  # a delete in the same directory took it away between the two calls
        break
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
