"""Snapshots of images: whole files that share their blocks with the image.

Sharing takes the longer the more scattered an image is, and nothing is written to the volume meanwhile. So most of it
can be done ahead, while it is written to; what is left for the moment of the snapshot is what was written since.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy.providers.local import extents, gathering, loops, xfs
from argosy.providers.local.layout import Layout
from argosy.providers.local.pool import Pool

FOLLOWED = "user.argosy.followed"
"""Name of the attribute of an image that tells which snapshot all of its blocks were shared for last: what was made
ahead for any other is worth nothing any more, because what was written since cannot be told by its blocks.
"""
NOBODY = "nobody"
CAUGHT_UP = "user.argosy.written"
"""Name of the attribute of what was made ahead that tells how often its volume had been written to before."""
PASSES, FEW = 5, 512
"""How often what was written is followed ahead, and how many writes are few enough. Each is a piece at most: sharing so
many takes less time than finding them.
"""


@dataclass(frozen=True)
class ImageCopies:
    layout: Layout
    pool: Pool

    def names(self) -> Sequence[str]:
        return sorted(path.stem for path in self.layout.snapshots.glob("*.img"))

    def gather(self, image: Path) -> None:
        self.pool.check_room()
        with _opened(image) as file:
            gathering.gather(file, self.layout.pool)

    def begin(self, image: Path, mount: Path, snapshot: str) -> None:
        """Ahead of `take`, which it makes quicker. May be repeated, and left out."""
        if self.layout.snapshot(snapshot).exists():
            return
        self.pool.check_room()
        whole = self._begun(image, snapshot)
        with _opened(image) as source, _opened(self._draft(snapshot), create=True) as draft:
            if not whole:
                _claim(source, NOBODY)
                extents.share(source, draft)
                _claim(source, snapshot)
            _catch_up(source, draft, mount)

    def take(self, image: Path, mount: Path, snapshot: str) -> None:
        if self.layout.snapshot(snapshot).exists():
            return
        self.pool.check_room()
        if self._begun(image, snapshot):
            self._complete(image, mount, snapshot)
        else:
            self._whole(image, mount, snapshot)
        self._draft(snapshot).unlink(missing_ok=True)

    def delete(self, snapshot: str) -> None:
        for file in (self._draft(snapshot), self.layout.snapshot(snapshot)):
            file.unlink(missing_ok=True)

    def _begun(self, image: Path, snapshot: str) -> bool:
        with _opened(image) as source:
            return self._draft(snapshot).exists() and _claimed(source) == snapshot

    def _complete(self, image: Path, mount: Path, snapshot: str) -> None:
        """Its name is the last thing that it gets. The pool's journal keeps the order: what is there is whole."""
        draft = self._draft(snapshot)
        with _opened(image) as source, _opened(draft) as file:
            _catch_up(source, file, mount)
            with xfs.frozen(mount):
                extents.follow(source, file)
            os.fchmod(file, 0o400)
        draft.rename(self.layout.snapshot(snapshot))

    def _whole(self, image: Path, mount: Path, snapshot: str) -> None:
        with _opened(image) as source:
            _claim(source, NOBODY)
        xfs.flush(mount)
        with self.pool.new_file(self.layout.snapshot(snapshot), 0o400) as file:
            with xfs.frozen(mount):
                xfs.clone(image, file)
            os.fsync(file)

    def _draft(self, snapshot: str) -> Path:
        return self.layout.snapshots / f"{snapshot}.begun"


def _catch_up(source: int, draft: int, mount: Path) -> None:
    """So that little is left for the moment of the snapshot: a server may have written a lot to prepare for it. One
    that has written next to nothing may be held still already: it does not wait until all of its image is looked
    through.
    """
    for _ in range(PASSES):
        xfs.flush(mount)
        written = loops.written(loops.below(mount))
        if 0 <= written - _caught_up(draft) < FEW:
            return
        extents.follow(source, draft)
        os.setxattr(draft, CAUGHT_UP, str(written).encode())


def _caught_up(draft: int) -> int:
    return int(_attribute(draft, CAUGHT_UP) or -FEW)


def _claim(image: int, snapshot: str) -> None:
    os.setxattr(image, FOLLOWED, snapshot.encode())


def _claimed(image: int) -> str:
    return _attribute(image, FOLLOWED) or NOBODY


def _attribute(file: int, name: str) -> str:
    try:
        return os.getxattr(file, name).decode()
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        return ""


@contextmanager
def _opened(path: Path, *, create: bool = False) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    try:
        yield file
    finally:
        os.close(file)
