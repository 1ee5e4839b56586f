"""Native streams of backups as plain files, for tests of strategies without the archive around them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from argosy import errors
from argosy.engines.backups import Backups, Layer, Order, Position, Taken
from argosy.model.guest import Site


@dataclass(frozen=True)
class Tape:
    """One backup."""

    strategy: str
    path: Path
    taken: Taken
    size: int = -1
    """bytes that it has, and a damaged one had"""


class Recorder:
    """What a guest's hands do with tapes: to be mixed into a driver."""

    site: Site

    def record(self, strategy: str, path: Path, since: Position | None = None) -> Tape:
        assert isinstance(self, Backups)
        with _scratch(self.site) as scratch, path.open("wb") as tape:
            taken = self.dump(strategy, Order(scratch, since), tape.fileno())
        return Tape(strategy, path, taken, path.stat().st_size)

    def play(self, tapes: Sequence[Tape]) -> None:
        """Into a draft on the volume, moved to its place when it is whole."""
        site = self.site
        draft = site.data / "draft"
        draft.mkdir(mode=0o700)
        layers = [Layer(each.strategy, each.taken.position, partial(_opened, each)) for each in tapes]
        with _scratch(site) as scratch:
            there = type(self)(replace(site, data=draft))  # type: ignore[call-arg]
            assert isinstance(there, Backups)
            there.load(layers, scratch)
        (draft / "db").rename(site.data / "db")
        shutil.rmtree(draft)


@contextmanager
def _scratch(site: Site) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=site.state) as directory:
        yield Path(directory)


@contextmanager
def _opened(tape: Tape) -> Iterator[int]:
    """As the archive gives it: who reads a damaged one hears of it at the end."""
    descriptor = os.open(tape.path, os.O_RDONLY)
    try:
        yield descriptor
        if os.fstat(descriptor).st_size != tape.size:
            raise errors.Broken(f"{tape.path.name} is damaged")
    finally:
        os.close(descriptor)
