"""Sealed images: a template carries its own checksum, so that a damaged one is noticed and made again."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from argosy import errors
from argosy.providers.local import xfs
from argosy.providers.local.layout import Layout
from argosy.providers.local.pool import Pool

SEAL = "user.argosy.sha256"
BLOCK = 1 << 18
ZEROS = bytes(BLOCK)


@dataclass(frozen=True)
class ImageTemplates:
    layout: Layout
    pool: Pool
    _verified: set[tuple[int, ...]] = field(default_factory=set)
    """Files that were read whole by this process and found good, as they were then."""

    def names(self) -> list[str]:
        """Complete and undamaged ones."""
        found = [path.stem for path in self.layout.sealed.glob("*.img")]
        return sorted(name for name in found if self.sound(name))

    def sound(self, name: str) -> bool:
        try:
            return self._sound(self.layout.template(name))
        except FileNotFoundError:
            return False

    def get(self, name: str) -> Path:
        """Raises CloudFailed for what is not there or damaged."""
        if not self.sound(name):
            raise errors.CloudFailed(f"there is no undamaged template {name}: build it again")
        return self.layout.template(name)

    def seal(self, name: str, image: Path) -> None:
        """Keep the image as a template, instead of what had the name before."""
        if self.sound(name):
            return
        self.delete(name)
        with self.pool.new_file(self.layout.template(name), 0o400) as file:
            xfs.clone(image, file)
            os.fsync(file)
            os.setxattr(file, SEAL, checksum(file).encode())

    def delete(self, name: str) -> None:
        self.layout.template(name).unlink(missing_ok=True)

    def _sound(self, path: Path) -> bool:
        file = os.open(path, os.O_RDONLY)
        try:
            seen = _signature(os.fstat(file))
            if seen not in self._verified and _sealed(file):
                self._verified.add(seen)
            return seen in self._verified
        finally:
            os.close(file)


def _signature(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _sealed(file: int) -> bool:
    try:
        return os.getxattr(file, SEAL).decode() == checksum(file)
    except OSError:  # no seal, or blocks that cannot be read: damaged either way
        return False


def checksum(file: int) -> str:
    """Of what the file holds and where; blocks of zeros and holes are the same, and cost nothing."""
    digest = hashlib.sha256()
    for at in _places(file):
        block = os.pread(file, BLOCK, at)
        if block != ZEROS[: len(block)]:
            digest.update(b"%d;" % at + block)
    return digest.hexdigest()


def _places(file: int) -> Iterator[int]:
    """Offsets of the blocks in which something may have been written."""
    at, size = 0, os.fstat(file).st_size
    while at < size:
        try:
            at = os.lseek(file, at, os.SEEK_DATA) // BLOCK * BLOCK
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return  # only a hole is left
        yield at
        at += BLOCK
