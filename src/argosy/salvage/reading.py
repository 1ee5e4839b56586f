"""The native stream of a backup, opened, unpacked and proven on its way."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from argosy.agent import stages
from argosy.agent.stages import Tally
from argosy.agent.throttle import Throttle
from argosy.agent.unpacking import Unpacking, naming
from argosy.engines.backups import Layer
from argosy.stores.archive import Opener
from argosy.stores.base import Store
from argosy.stores.chains import Link


class Reader:
    """Counts what it reads, of all backups together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.tally = Tally(Throttle(0))

    @property
    def bytes(self) -> int:
        return self.tally.bytes

    def layers(self, links: Sequence[Link]) -> list[Layer]:
        return [Layer(each.manifest.strategy, each.manifest.position, partial(self.stream, each)) for each in links]

    @contextmanager
    def stream(self, link: Link) -> Iterator[int]:
        """A descriptor. Leaving the block raises Damaged if it was not all of it, or not as it was taken."""
        told = link.manifest
        opener = Opener(link.key, told.backup, told.attempt, told.parts, lambda name: self._part(link, name))
        with naming(told.backup), Unpacking(opener, told.raw_bytes, self.tally) as source:
            yield source

    def read_through(self, link: Link) -> None:
        """Raises Damaged."""
        with self.stream(link) as source:
            while os.read(source, stages.PIECE):
                pass

    def copy(self, link: Link, into: Path) -> str:
        """Its SHA-256. Durably; there is no such file unless all of it is good."""
        draft, digest = into.with_name(f".{into.name}.new"), hashlib.sha256()
        with draft.open("wb") as out:
            with self.stream(link) as source:
                while piece := os.read(source, stages.PIECE):
                    out.write(piece)
                    digest.update(piece)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(into)
        return digest.hexdigest()

    def _part(self, link: Link, name: str) -> BinaryIO:
        return self._store.open(f"{link.place}{link.manifest.attempt}/{name}")
