"""Files of the store in a directory: written unseen, published whole, read from the middle; their errors as ours."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from argosy import clock, errors
from argosy.stores.base import StoreFull, StoreRefused, StoreUnreachable

ABANDONED_SECONDS = 86_400.0
"""Nobody writes one object for so long: what is older was left by somebody who was killed."""
NAMELESS = os.O_TMPFILE | os.O_RDWR
"""A file that has no name until it is given one. NFS, for one, does not know such."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
AWAY = frozenset({errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENXIO, errno.ENODEV})
REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def translated() -> Iterator[None]:
    """What the file system says, as who must act. That something is not there, or is, passes as it is."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StoreFull(f"the object store is full: make room ({error})") from error
        if error.errno in AWAY:
            raise StoreUnreachable(f"the object store does not answer: {error}") from error
        if error.errno in REFUSED:
            raise StoreRefused(f"the object store cannot be used: {error}") from error
        raise


class Target(io.FileIO):
    """A new file in a directory that nobody looks into. Where the file system can, it has no name at all, and is gone
    with whoever dies writing it.
    """

    def __init__(self, directory: Path) -> None:
        with translated():
            descriptor, self.unfinished = _unseen(directory)
        super().__init__(descriptor, "wb")

    def write(self, data: Any) -> int:
        with translated():
            return super().write(data)

    def publish(self, path: Path) -> None:
        """Durable, then visible, whole. Raises Conflict when something has that name."""
        with translated():
            os.fsync(self.fileno())
            _link(self.unfinished or f"/proc/self/fd/{self.fileno()}", path)
            _sync(path.parent)

    def close(self) -> None:
        super().close()
        if self.unfinished:
            Path(self.unfinished).unlink(missing_ok=True)


class Source(io.FileIO):
    """A file from an offset on, at most so many bytes."""

    def __init__(self, path: Path, start: int, length: int | None) -> None:
        with translated():
            super().__init__(path, "rb")
        self.seek(start)
        self._left = length

    def readinto(self, buffer: Any) -> int:
        room = memoryview(buffer)
        with translated():
            count = super().readinto(room if self._left is None else room[: self._left])
        if self._left is not None:
            self._left -= count
        return count

    def readall(self) -> bytes:
        with translated():
            return super().readall() if self._left is None else super().read(self._left)


def _unseen(directory: Path) -> tuple[int, str]:
    """A descriptor to write to; a name only where the file system (NFS) knows no files without one."""
    directory.mkdir(exist_ok=True)
    try:
        return os.open(directory, NAMELESS, 0o600), ""
    except OSError as error:
        if error.errno not in {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}:
            raise
    _sweep(directory)
    return tempfile.mkstemp(dir=directory)


def _sweep(directory: Path) -> None:
    for each in directory.iterdir():
        with suppress(FileNotFoundError):  # published meanwhile
            if each.stat().st_mtime < clock.now() - ABANDONED_SECONDS:
                each.unlink()


def _link(written: str, target: Path) -> None:
    """A hard link appears at once and refuses to replace."""
    while True:
        _make(target.parent)
        try:
            # With a directory named, Python asks for linkat(2), which follows the link that /proc shows.
            os.link(written, target, src_dir_fd=0)
        except FileExistsError as error:
            raise errors.Conflict(f"{target.name} is in the store already: objects are written once") from error
        except FileNotFoundError:
            continue  # a delete in the same directory took it away between the two calls
        return


def _make(directory: Path) -> None:
    """With its parents, each of them durable."""
    if directory.is_dir():
        return
    _make(directory.parent)
    directory.mkdir(exist_ok=True)
    _sync(directory.parent)


def _sync(directory: Path) -> None:
    """Keeps the names in it after a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
