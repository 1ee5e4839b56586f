"""Volumes without root: plain directories. Their size is not enforced, and there are no snapshots."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from argosy import errors
from argosy.providers.base import Source, State, Usage, Volume
from argosy.providers.local import trees
from argosy.providers.local.faults import translated
from argosy.providers.local.layout import Layout

GIB = 1 << 30


@dataclass(frozen=True)
class DirectoryVolumes:
    layout: Layout
    _verified: set[tuple[str, str]] = field(default_factory=set)
    """Templates that were read whole by this process, with the state in which they were found good."""

    def prepare(self) -> None:
        """Nothing is shared."""

    def teardown(self) -> None:
        with translated("the volumes cannot be taken away"):
            for directory in (self.layout.volumes, self.layout.templates):
                trees.remove(directory)

    def ensure(self, name: str, gigabytes: int, source: Source) -> Volume:
        with self._working(f"volume {name} cannot be made"):
            path = self.layout.volumes / name
            if not path.exists():
                self._make(path, source)
            return Volume(name, State.ACTIVE, gigabytes * GIB)

    def attach(self, name: str) -> Path:
        path = self.layout.volumes / name
        if not path.exists():
            raise errors.CloudFailed(f"there is no volume {name}")
        return path

    def own(self, name: str, uid: int, gid: int) -> None:
        """Nothing to do: without root there is only one user."""

    def grow(self, name: str, gigabytes: int) -> Volume:
        self.attach(name)
        return Volume(name, State.ACTIVE, gigabytes * GIB)

    def gather(self, name: str) -> None:
        """Nothing to do: there are no snapshots."""

    def begin_snapshot(self, name: str, snapshot: str) -> None:
        self.snapshot(name, snapshot)

    def snapshot(self, name: str, snapshot: str) -> None:
        raise errors.NotSupported(f"volume {name} cannot be copied as {snapshot}: that needs root")

    def revert(self, name: str, snapshot: str) -> Volume:
        raise errors.NotSupported(f"volume {name} cannot become {snapshot} again: there are no snapshots without root")

    def remake(self, name: str, source: Source, mark: str) -> Volume:
        raise errors.NotSupported(f"volume {name} cannot be made anew from {source} ({mark}): that needs root")

    def snapshots(self) -> Sequence[str]:
        return ()

    def delete_snapshot(self, snapshot: str) -> None:
        """There are none."""

    def delete(self, name: str) -> None:
        with self._working(f"volume {name} cannot be deleted"):
            trees.remove(self.layout.volumes / name)

    def usage(self, name: str) -> Usage:
        """What its files occupy; and that with all that is free around it, because nothing bounds it."""
        with self._working(f"the use of volume {name} cannot be read"):
            used = sum(status.st_blocks * 512 for _, status in trees.walk(self.attach(name)))
            return Usage(used, used + shutil.disk_usage(self.layout.volumes).free)

    def owned(self) -> Sequence[str]:
        with self._working("volumes cannot be listed"):
            return sorted({path.name.removesuffix(trees.DRAFT) for path in self.layout.volumes.iterdir()})

    def templates(self) -> Sequence[str]:
        with self._working("templates cannot be listed"):
            found = [path.name for path in self.layout.templates.iterdir() if not path.name.endswith(trees.DRAFT)]
            return sorted(name for name in found if self._sound(name))

    def make_template(self, name: str, volume: str) -> None:
        with self._working(f"template {name} cannot be made"):
            if not self._sound(name):
                self.delete_template(name)
                self._seal(self.layout.templates / name, self.attach(volume))

    def delete_template(self, name: str) -> None:
        with self._working(f"template {name} cannot be deleted"):
            trees.remove(self.layout.templates / name)

    @contextmanager
    def _working(self, doing: str) -> Iterator[None]:
        with translated(doing):
            for directory in (self.layout.volumes, self.layout.templates):
                directory.mkdir(mode=0o700, exist_ok=True)
            yield

    def _make(self, path: Path, source: Source) -> None:
        if source.snapshot:
            raise errors.NotSupported("there are no snapshots without root")
        if source.template and not self._sound(source.template):
            raise errors.CloudFailed(f"there is no undamaged template {source.template}: build it again")
        with trees.draft(path) as draft:
            if source.template:
                draft.copy(self.layout.templates / source.template / "data")
            else:
                draft.tree.mkdir(mode=0o700)

    def _seal(self, path: Path, volume: Path) -> None:
        with trees.draft(path) as draft:
            draft.tree.mkdir(mode=0o700)
            draft.copy(volume, "data")
            (draft.tree / "seal").write_text(trees.checksum(draft.tree / "data"))

    def _sound(self, name: str) -> bool:
        path = self.layout.templates / name
        if not (path / "seal").exists():
            return False
        seen = (name, trees.signature(path))
        if seen not in self._verified and trees.checksum(path / "data") == (path / "seal").read_text():
            self._verified.add(seen)
        return seen in self._verified
