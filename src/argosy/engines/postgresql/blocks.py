"""Lays an incremental base backup of release 17 over the directory that it builds on, in place.

`pg_combinebackup` makes a second directory beside the first, so a volume more than half full could not be restored to
its own size. The rules are its own: a file of an increment says how long the result is at least, and brings the blocks
that changed; what the increment does not name is gone.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath

from argosy import errors
from argosy.engines.postgresql import tape
from argosy.engines.postgresql.positions import PAGE

PREFIX = "INCREMENTAL."
MAGIC = 0xD3AE1F0D
HEAD = struct.Struct("<III")
MOST_BLOCKS = (1 << 30) // PAGE
"""in one file of a relation"""


def target(name: str) -> str | None:
    """The file that an entry changes; None for one that replaces its file."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.removeprefix(PREFIX))) if path.name.startswith(PREFIX) else None


def change(reader: tape.Tape, file: Path) -> None:
    """Raises Broken."""
    magic, count, length = HEAD.unpack(reader.read(HEAD.size))
    if magic != MAGIC or count > MOST_BLOCKS or length > MOST_BLOCKS:
        raise errors.Broken(f"the increment of {file.name} is damaged")
    numbers = struct.unpack(f"<{count}I", reader.read(4 * count))
    if count:
        reader.read(-(HEAD.size + 4 * count) % PAGE)
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError as error:
        raise errors.Broken(f"the chain is not whole: what it builds on has no file {file.name}") from error
    try:
        os.ftruncate(descriptor, length * PAGE)
        for first, blocks in _runs(numbers):
            os.lseek(descriptor, first * PAGE, os.SEEK_SET)
            reader.move(descriptor, blocks * PAGE)
    finally:
        os.close(descriptor)


def _runs(numbers: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Where blocks begin that follow each other, and how many they are."""
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        blocks = [number for _, number in run]
        yield blocks[0], len(blocks)
