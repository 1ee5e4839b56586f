"""Images in one piece again, while they are used.

What is written while a copy is there lies apart from its neighbours from then on, and the next copy takes longer for
each such piece. Its neighbourhood is written once more to one place, and the image is given that in the place of what
it has: by the kernel, which compares both first, and leaves alone what was written meanwhile (ioctl_fideduperange(2)).
"""

from __future__ import annotations

import mmap
import os
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from fcntl import ioctl
from pathlib import Path

from argosy import clock
from argosy.providers.local import extents
from argosy.providers.local.extents import SHARED, UNWRITTEN, Extent

DEDUPE = 0xC0189436
REQUEST = struct.Struct("=QQHHIqQQiI")
"""struct file_dedupe_range with one file_dedupe_range_info: place and bytes in the source; how many targets; the
target, its place; told: bytes, and 0, that they differ, or what went wrong.
"""
TOLD = 8
CHUNK = 1 << 20
"""Bytes moved at once. Nobody else reads or writes the image while they are compared: 1.4 ms, at most 8 (measured)."""
AREA = 64
"""chunks that get one place together, where the pool has one"""
MANY, FEW = 8_000, 2_000
"""From how many pieces on an image is gathered, and how many are few enough. Looking for what was written takes 3 µs
for each of them, and nobody writes meanwhile; moving them is reading and writing nearly all of the image.
"""
SECONDS = 20.0
"""for which a snapshot waits for this: what is left is for the next one"""


def gather(image: int, pool: Path) -> None:
    """Of an open image, while others write to it, as much as can be done in `SECONDS`; takes up no room that lasts."""
    if extents.count(image) <= MANY:
        return
    chunks, until = scattered(extents.extents(image), FEW), clock.monotonic() + SECONDS
    for first in range(0, len(chunks), AREA):
        if clock.monotonic() < until:
            _move(image, chunks[first : first + AREA], pool)


def scattered(pieces: Iterable[Extent], few: int) -> Sequence[int]:
    """Numbers of the chunks to move so that about so many pieces are left, those of the most pieces chosen first.

    A chunk stays of which not all was written, or a part is another's too: it would take up more room than before.
    """
    count: Counter[int] = Counter()
    own: Counter[int] = Counter()
    for start, length, flags in pieces:
        for number, size in _chunks(start, start + length):
            count[number] += 1
            own[number] += 0 if flags & (SHARED | UNWRITTEN) else size
    movable = [(pieces, number) for number, pieces in count.items() if pieces > 1 and own[number] == CHUNK]
    chosen, left = [], count.total()
    for has, number in sorted(movable, reverse=True):
        if left <= few:
            break
        chosen.append(number)
        left -= has - 1
    return sorted(chosen)


def _chunks(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Those that a range touches, and how many bytes it has of each."""
    for number in range(start // CHUNK, -(-end // CHUNK)):
        yield number, min(end, (number + 1) * CHUNK) - max(start, number * CHUNK)


def _move(image: int, chunks: Sequence[int], pool: Path) -> None:
    with _area(pool, len(chunks) * CHUNK) as area, closing(mmap.mmap(-1, CHUNK)) as buffer:
        for at, number in enumerate(chunks):
            place = number * CHUNK
            os.preadv(image, [buffer], place)
            os.pwrite(area, buffer, at * CHUNK)
            os.posix_fadvise(area, at * CHUNK, CHUNK, os.POSIX_FADV_WILLNEED)  # so that comparing waits for no disk
            _give(area, at * CHUNK, image, place)
            os.posix_fadvise(image, place, CHUNK, os.POSIX_FADV_DONTNEED)


@contextmanager
def _area(pool: Path, size: int) -> Iterator[int]:
    """A file of the pool without a name: whatever happens, nothing is left of it but what was given to an image."""
    area = os.open(pool, os.O_TMPFILE | os.O_RDWR | os.O_DIRECT, 0o600)
    try:
        os.posix_fallocate(area, 0, size)
        yield area
    finally:
        os.close(area)


def _give(area: int, at: int, image: int, place: int) -> None:
    """Let the image have these blocks where it has the same bytes. What differs was written just now, and stays."""
    request = bytearray(REQUEST.pack(at, CHUNK, 1, 0, 0, image, place, 0, 0, 0))
    ioctl(area, DEDUPE, request)
    told = REQUEST.unpack(request)[TOLD]
    if told < 0:
        raise OSError(-told, os.strerror(-told))
