"""From the store to an engine's tool: opened, decompressed, counted, and proven at the end."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import IO, BinaryIO, cast

import zstandard

from argosy import errors
from argosy.agent import stages
from argosy.agent.packing import GRACE
from argosy.agent.stages import Count, Stage, Tally
from argosy.model.backups import Part
from argosy.stores.archive import Get, Opener
from argosy.stores.frames import Damaged, WrongKey

NOTHING = zstandard.ZstdCompressor().compress(b"")
"""What may follow a stream that has ended. One that has not takes it for its own end, and does not match it."""

WRITTEN = 128 << 10
"""bytes written at once: from twice as many on each piece is memory of its own to the C library (moving.ENVIRONMENT),
which costs more than expanding it
"""


class NotAsTaken(errors.Broken):
    """what came out of the store is not what was taken"""


@contextmanager
def naming(backup: str) -> Iterator[None]:
    """Whatever is wrong with a stream is raised as Damaged, with the backup that it is of: one of several, maybe."""
    try:
        yield
    except (Damaged, WrongKey, NotAsTaken) as error:
        raise Damaged(f"backup {backup}: {error.message}") from error


class Ahead:
    """Fetches the next part while one is read: there are never more than these two."""

    def __init__(self, get: Get, parts: Sequence[Part]) -> None:
        self._get = get
        self._after = dict(itertools.pairwise(parts))
        self._coming = self._begin(parts[0]) if parts else None

    def __call__(self, name: str) -> BinaryIO:
        coming = self._coming
        if coming is None or coming.part.name != name:
            raise errors.NotFound(f"{name} is none of the parts")
        whole = coming.await_whole()
        following = self._after.get(coming.part)
        self._coming = self._begin(following) if following else None
        return whole

    def _begin(self, part: Part) -> _Coming:
        return _Coming(self._get, part)


class _Coming:
    def __init__(self, get: Get, part: Part) -> None:
        self.part = part
        self._get = get
        self._data = io.BytesIO()
        self._fetching = Stage(self._fetch)

    def await_whole(self) -> BinaryIO:
        """Raises what kept it from coming."""
        self._fetching.check()
        self._data.seek(0)
        return self._data

    def _fetch(self) -> None:
        left = self.part.bytes + 1  # one more tells that it is longer
        with self._get(self.part.name) as source:
            while left and (piece := source.read(left)):
                left -= self._data.write(piece)


class Unpacking:
    """Within the block, a descriptor that gives the native stream. Leaving it raises Broken when that was not all of
    it, or not as it was taken; whoever stops reading early has the rest read all the same.

    `expected`: bytes that it had when it was taken.
    """

    def __init__(self, opener: Opener, expected: int, tally: Tally) -> None:
        self._opener = opener
        self._expected = expected
        self._count = Count(tally)

    def __enter__(self) -> int:
        self._source, into = stages.pipe()
        compressed, opened = stages.pipe()
        self._opening = Stage(lambda: self._open(opened))
        self._expanding = Stage(lambda: _expand(compressed, _Counted(into, self._count)))
        return self._source

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The first stage that failed is the cause: those after it only had nothing to go on."""
        if error is None:
            self._finish()
        else:
            os.close(self._source)
            self._opening.check(GRACE)
            self._expanding.check(GRACE)

    def _finish(self) -> None:
        """Read what nobody has read, and judge all of it."""
        for _ in stages.read(self._source):
            pass
        os.close(self._source)
        self._opening.check()
        self._expanding.check()
        self._judge()

    def _open(self, into: int) -> None:
        with stages.closing(into), contextlib.suppress(BrokenPipeError):  # not the cause: who closed it is
            for piece in self._opener:
                stages.write(into, piece)

    def _judge(self) -> None:
        if self._count.bytes != self._expected:
            raise NotAsTaken(
                f"the backup is damaged: it gave {self._count.bytes} bytes, and {self._expected} were taken"
            )


class _Counted:
    """A pipe, as decompressing writes to it."""

    def __init__(self, descriptor: int, count: Count) -> None:
        self.descriptor = descriptor
        self._count = count

    def write(self, data: bytes) -> int:
        self._count.add(len(data))
        stages.write(self.descriptor, data)
        return len(data)


def _expand(compressed: int, into: _Counted) -> None:
    """Raises NotAsTaken."""
    out = cast("IO[bytes]", into)  # of which only `write` is called
    decompressing = zstandard.ZstdDecompressor().stream_writer(out, write_size=WRITTEN, closefd=False)
    with stages.closing(compressed), stages.closing(into.descriptor), contextlib.suppress(BrokenPipeError):
        try:
            for piece in stages.read(compressed):
                decompressing.write(piece)
            decompressing.write(NOTHING)
        except zstandard.ZstdError as error:
            raise NotAsTaken(f"the backup is damaged: {error}") from error
