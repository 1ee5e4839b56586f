"""From an engine's tool to the store: counted, compressed by a program of its own, sealed, and put away in parts."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from argosy.agent import stages
from argosy.agent.stages import Count, Filter, Stage, Tally
from argosy.stores.archive import PARTS, Put, Sealed, Sealer

COMPRESS = ("zstd", "-1", "--no-progress", "--quiet", "--stdout")
GRACE = 1.0
"""seconds for another stage to say what went wrong, once the tool could not go on"""


class Packing:
    """Within the block, `into` is a descriptor to write the native stream to. After it, everything is in the store;
    left by an exception, or when a stage fails, there is no whole backup there.
    """

    def __init__(self, sealer: Sealer, tally: Tally) -> None:
        self._sealer = sealer
        self.count = Count(tally)
        self._sealed: Sealed | None = None
        self._failed = False

    @property
    def sealed(self) -> Sealed:
        assert self._sealed is not None  # noqa: S101 - only after the block
        return self._sealed

    def __enter__(self) -> Self:
        raw, self.into = stages.pipe()
        self._zstd = Filter(*COMPRESS)
        self._counting = Stage(lambda: self.count.move(raw, self._zstd.into))
        self._sealing = Stage(self._seal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The last stage that failed is the cause: those before it only had nowhere to go."""
        self._failed = error is not None
        os.close(self.into)
        try:
            self._sealing.check(GRACE if self._failed else None)
            if not self._failed:
                self._counting.check()
        finally:
            self._zstd.end()

    def _seal(self) -> None:
        with stages.closing(self._zstd.out):  # also when this fails: what comes before ends then, too
            for piece in stages.read(self._zstd.out):
                self._sealer.write(piece)
        self._zstd.check()
        self._counting.join()
        if not self._failed and self._counting.error is None:
            self._sealed = self._sealer.close()


class Behind:
    """Puts parts into the store while the next one is made: by each way to it one at a time, and their list last."""

    def __init__(self, ways: Sequence[Put]) -> None:
        self._under_way = deque((way, Stage(lambda: None)) for way in ways)

    def __call__(self, name: str, data: bytes | bytearray) -> None:
        if name == PARTS:
            for _, each in self._under_way:
                each.check()
        way, earlier = self._under_way.popleft()
        earlier.check()
        stage = Stage(lambda: way(name, data))
        self._under_way.append((way, stage))
        if name == PARTS:
            stage.check()
