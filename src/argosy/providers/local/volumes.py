"""Volumes of enforced size, level root: an XFS image per volume on the reflink pool, loop-mounted."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.providers.base import Source, State, Usage, Volume
from argosy.providers.local import loops, mounts, ownership, rcu, xfs
from argosy.providers.local.copies import ImageCopies
from argosy.providers.local.faults import translated
from argosy.providers.local.layout import Layout
from argosy.providers.local.locks import alone
from argosy.providers.local.pool import GIB, Pool
from argosy.providers.local.templates import ImageTemplates


@dataclass(frozen=True)
class ImageVolumes:
    layout: Layout
    pool: Pool
    sealed: ImageTemplates
    copies: ImageCopies

    def prepare(self) -> None:
        """The pool; and databases can write again where a process was killed in `snapshot`, without a hurry."""
        with self._working("volumes cannot be prepared"):
            self.pool.enlarge()
            rcu.restore()
            for mount in filter(mounts.mounted, self.layout.mounts.iterdir()):
                xfs.thaw(mount)

    def teardown(self) -> None:
        """Raises CloudBusy while something is in use."""
        with translated("the volumes cannot be taken away"):
            for name in self.layout.mounts.iterdir() if self.layout.mounts.exists() else ():
                self._detach(name.name)
            self.pool.teardown()

    def ensure(self, name: str, gigabytes: int, source: Source) -> Volume:
        with self._working(f"volume {name} cannot be made"):
            if not self.layout.image(name).exists():
                self._make(name, gigabytes * GIB, source)
            with self._image(name) as image:
                return self._mounted(name, image)

    def attach(self, name: str) -> Path:
        with self._working(f"volume {name} cannot be attached"), self._image(name) as image:
            self._mounted(name, image)
            return self.layout.mount(name)

    def own(self, name: str, uid: int, gid: int) -> None:
        mount = self.attach(name)
        with translated(f"volume {name} cannot change hands"):
            ownership.give(mount, uid, gid)

    def grow(self, name: str, gigabytes: int) -> Volume:
        with self._working(f"volume {name} cannot grow"), self._image(name) as image:
            if gigabytes * GIB > image.stat().st_size:
                self.pool.check_room()
                self.pool.check_size(gigabytes * GIB)
                os.truncate(image, gigabytes * GIB)
            return self._mounted(name, image)

    def gather(self, name: str) -> None:
        with self._working(f"volume {name} cannot be gathered"), self._image(name) as image:
            self.copies.gather(image)

    def begin_snapshot(self, name: str, snapshot: str) -> None:
        with self._working(f"volume {name} cannot be copied"), self._image(name) as image:
            self._mounted(name, image)
            self.copies.begin(image, self.layout.mount(name), snapshot)

    def snapshot(self, name: str, snapshot: str) -> None:
        with self._working(f"volume {name} cannot be copied"), self._image(name) as image:
            self._mounted(name, image)
            self.copies.take(image, self.layout.mount(name), snapshot)

    def revert(self, name: str, snapshot: str) -> Volume:
        return self.remake(name, Source(snapshot=snapshot), snapshot)

    def remake(self, name: str, source: Source, mark: str) -> Volume:
        with self._working(f"volume {name} cannot be made anew"), self._image(name) as image:
            if xfs.label(image) != mark:
                self._detach(name)
                self._replace(name, image, self._origin(source), mark)
            return Volume(name, State.ACTIVE, image.stat().st_size)

    def snapshots(self) -> Sequence[str]:
        with self._working("snapshots cannot be listed"):
            return self.copies.names()

    def delete_snapshot(self, snapshot: str) -> None:
        with self._working(f"snapshot {snapshot} cannot be deleted"):
            self.copies.delete(snapshot)

    def delete(self, name: str) -> None:
        with self._working(f"volume {name} cannot be deleted"):
            self._detach(name)
            for file in (self.layout.draft(name), self.layout.image(name)):
                file.unlink(missing_ok=True)

    def usage(self, name: str) -> Usage:
        with translated(f"the use of volume {name} cannot be read"):
            room = os.statvfs(self.attach(name))
            return Usage((room.f_blocks - room.f_bfree) * room.f_frsize, room.f_blocks * room.f_frsize)

    def owned(self) -> Sequence[str]:
        with self._working("volumes cannot be listed"):
            images = {path.stem for path in self.layout.images.iterdir()}
            return sorted(images | {path.name for path in self.layout.mounts.iterdir()})

    def templates(self) -> Sequence[str]:
        with self._working("templates cannot be listed"):
            return self.sealed.names()

    def make_template(self, name: str, volume: str) -> None:
        with self._working(f"template {name} cannot be made"), self._image(volume) as image:
            self._detach(volume)
            self.sealed.seal(name, image)

    def delete_template(self, name: str) -> None:
        with self._working(f"template {name} cannot be deleted"):
            self.sealed.delete(name)

    @contextmanager
    def _working(self, doing: str) -> Iterator[None]:
        self.pool.ensure()
        with translated(doing):
            yield

    @contextmanager
    def _image(self, name: str) -> Iterator[Path]:
        """The volume's image, for this caller alone. Raises CloudFailed if there is none."""
        image = self.layout.image(name)
        while True:
            try:
                with alone(image) as lock:
                    if os.path.samestat(os.fstat(lock), image.stat()):  # else it was replaced while we waited
                        yield image
                        return
            except FileNotFoundError as error:
                raise errors.CloudFailed(f"there is no volume {name}") from error

    def _make(self, name: str, size: int, source: Source) -> None:
        self.pool.check_room()
        self.pool.check_size(size)
        origin = self._origin(source)
        try:
            with self.pool.new_file(self.layout.image(name)) as file:
                _render(file, size, origin)
        except FileExistsError:
            return  # somebody else was faster to make the same

    def _origin(self, source: Source) -> Path | None:
        if source.snapshot:
            return self.layout.snapshot(source.snapshot)
        return self.sealed.get(source.template) if source.template else None

    def _mounted(self, name: str, image: Path) -> Volume:
        """Mounted, thawed and as large as its image, whatever was interrupted before."""
        mount = self.layout.mount(name)
        if not mounts.mounted(mount):
            mount.mkdir(mode=0o700, exist_ok=True)
            with loops.attached(image) as device:
                mounts.mount(device, mount, "xfs", mounts.GUEST, "nouuid")
        xfs.thaw(mount)
        loops.refresh(loops.below(mount))
        size = image.stat().st_size
        xfs.fill(mount, size)
        return Volume(name, State.ACTIVE, size)

    def _replace(self, name: str, image: Path, origin: Path | None, mark: str) -> None:
        """What was in the volume is there until the moment in which all that is to be there is."""
        draft = self.layout.draft(name)
        draft.unlink(missing_ok=True)
        with self.pool.new_file(draft) as file:
            _render(file, image.stat().st_size, origin)
            xfs.set_label(file, mark)
            os.fsync(file)
        draft.rename(image)
        _sync(image.parent)

    def _detach(self, name: str) -> None:
        mount, image = self.layout.mount(name), self.layout.image(name)
        if mounts.mounted(mount):
            xfs.thaw(mount)
            mounts.unmount(mount)
        loops.check_released(image)
        if mount.exists():
            mount.rmdir()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _render(file: int, size: int, origin: Path | None) -> None:
    """Fill a new image: from the origin if there is one, else with an empty file system."""
    if origin is None:
        os.truncate(file, size)
        xfs.make(file)
        return
    xfs.clone(origin, file)
    smallest = os.fstat(file).st_size
    if size < smallest:
        raise errors.BadRequest(f"the volume is too small for its source: ask for {smallest // GIB} GiB or more")
    os.truncate(file, size)
