"""From an engine's tool to the store: counted, compressed, sealed, and put away in parts."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import zstandard

from argosy.agent import stages
from argosy.agent.stages import PIECE, Count, Stage, Tally
from argosy.stores.archive import PARTS, Put, Sealed, Sealer

COMPRESSION = zstandard.ZstdCompressionParameters.from_level(1, write_checksum=True)
"""That of `zstd -1`."""
GRACE = 1.0
"""seconds for this side to say what went wrong, once the tool could not go on"""


class Packing:
    """Within the block, `into` is a descriptor to write the native stream to. After it, everything is in the store;
    left by an exception, or when packing fails, there is no whole backup there.
    """

    def __init__(self, sealer: Sealer, tally: Tally, ahead: int = PIECE) -> None:
        """`ahead`: bytes of the stream that may be there before they are compressed."""
        self._sealer, self._ahead = sealer, ahead
        self.count = Count(tally)
        self._sealed: Sealed | None = None
        self._failed = False

    @property
    def sealed(self) -> Sealed:
        assert self._sealed is not None  # noqa: S101 - only after the block
        return self._sealed

    def __enter__(self) -> Self:
        raw, self.into = stages.pipe()
        self._packing = Stage(lambda: self._pack(raw))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What failed here is the cause: the tool only had nowhere to go."""
        self._failed = error is not None
        os.close(self.into)
        self._packing.check(GRACE if self._failed else None)

    def _pack(self, raw: int) -> None:
        compressing = zstandard.ZstdCompressor(compression_params=COMPRESSION).compressobj()
        with contextlib.closing(stages.read_ahead(raw, self._ahead)) as pieces:  # when this fails the tool ends, too
            for piece in pieces:
                self.count.add(len(piece))
                self._sealer.write(compressing.compress(piece))
        if not self._failed:
            self._sealer.write(compressing.flush())
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
