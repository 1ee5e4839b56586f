"""The pool of a deployment at level root: one sparse image file with XFS inside, in which images share blocks."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.providers.local import loops, mounts, xfs
from argosy.providers.local.faults import translated
from argosy.providers.local.layout import Layout
from argosy.providers.local.locks import alone

GIB = 1 << 30
SMALLEST = GIB
RESERVE = GIB
"""Bytes kept free, in a small pool a twentieth of it: volumes promise more than there is, and a pool that is full to
the last byte makes every database in it fail at once.
"""


@dataclass(frozen=True)
class Pool:
    layout: Layout
    gigabytes: int = 0
    """0: four fifths of what is free when the pool is made."""

    def ensure(self) -> None:
        """Made, mounted (after a reboot too) and as large as the settings say; never smaller than it was."""
        if not mounts.mounted(self.layout.pool):
            with translated(f"the pool {self.layout.pool_image} cannot be mounted"), alone(self.layout.state):
                self._make()
                self._mount()
        for directory in (self.layout.images, self.layout.snapshots, self.layout.sealed):
            directory.mkdir(mode=0o700, exist_ok=True)

    def enlarge(self) -> None:
        """Follow the settings where they ask for more than there is."""
        if self.gigabytes * GIB > self.layout.pool_image.stat().st_size:
            with translated(f"the pool {self.layout.pool_image} cannot be enlarged"):
                os.truncate(self.layout.pool_image, self.gigabytes * GIB)
                self._fill()

    def teardown(self) -> None:
        """Unmounted and removed, with all that is in it."""
        for point in (*mounts.under(self.layout.pool), *mounts.under(self.layout.mounts)):
            mounts.unmount(point)
        loops.check_released(self.layout.pool_image)
        for file in (self.layout.pool_image, self._draft):
            file.unlink(missing_ok=True)
        for directory in (self.layout.pool, self.layout.mounts):
            shutil.rmtree(directory, ignore_errors=True)

    def check_room(self) -> None:
        """Raises CloudFailed, with the cure, when the pool or the disk below it is nearly full."""
        pool, disk = os.statvfs(self.layout.pool), os.statvfs(self.layout.state)
        self._check(self.layout.pool, pool, "delete instances or raise provider.pool_gigabytes")
        self._check(self.layout.state, disk, "free some space on the disk below it")

    def check_size(self, size: int) -> None:
        """Raises CloudFailed for what can never be kept."""
        whole = os.statvfs(self.layout.pool)
        if size > whole.f_blocks * whole.f_frsize:
            gibibytes = whole.f_blocks * whole.f_frsize / GIB
            raise errors.CloudFailed(
                f"a volume of {size // GIB} GiB does not fit into the pool of {gibibytes:.1f} GiB:"
                " ask for less or raise provider.pool_gigabytes"
            )

    @contextmanager
    def new_file(self, path: Path, mode: int = 0o600) -> Iterator[int]:
        """A file that appears under its name, whole, when the block ends well, and never otherwise."""
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        file = os.open(path.parent, os.O_TMPFILE | os.O_RDWR, mode)
        try:
            yield file
            # Only with a directory given does os.link follow the link to the nameless file (linkat(2)).
            os.link(f"/proc/self/fd/{file}", path.name, dst_dir_fd=directory, follow_symlinks=True)
        finally:
            os.close(file)
            os.close(directory)

    def _make(self) -> None:
        image = self.layout.pool_image
        if image.exists():
            _check_ours(image)
            return
        draft = self._draft
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.truncate(descriptor, self._size())
            xfs.make(descriptor)
        finally:
            os.close(descriptor)
        draft.rename(image)

    @property
    def _draft(self) -> Path:
        return self.layout.pool_image.with_suffix(".new")

    def _size(self) -> int:
        size = self.gigabytes * GIB or shutil.disk_usage(self.layout.state).free * 4 // 5
        if size < SMALLEST:
            raise errors.CloudFailed(
                f"the disk of {self.layout.state} has no room for a pool: free {SMALLEST * 2 // GIB} GiB or more"
            )
        return size

    def _mount(self) -> None:
        """The pool comes last: whoever finds it mounted finds everything else done."""
        if mounts.mounted(self.layout.pool):  # by somebody who was faster
            return
        for directory in (self.layout.mounts, self.layout.pool):
            directory.mkdir(mode=0o711, exist_ok=True)
            mounts.share(directory)
        with loops.attached(self.layout.pool_image) as device:
            mounts.mount(device, self.layout.pool, "xfs", mounts.GUEST)
        self._fill()

    def _fill(self) -> None:
        loops.refresh(loops.below(self.layout.pool))
        xfs.fill(self.layout.pool, self.layout.pool_image.stat().st_size)

    @staticmethod
    def _check(place: Path, room: os.statvfs_result, cure: str) -> None:
        free, whole = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
        if free < min(RESERVE, whole // 20):
            raise errors.CloudFailed(f"{place} is full: {free >> 20} MiB of {whole >> 20} MiB are free; {cure}")


def _check_ours(image: Path) -> None:
    """Raises CloudFailed for an image that somebody else put there: mounting it would trust its every byte."""
    status = image.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise errors.CloudFailed(f"{image} is not a file of this user's: remove it")
