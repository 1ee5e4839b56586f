"""The write-ahead log as what changed since a backup: every segment from one position to another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from argosy import errors
from argosy.engines.postgresql import tape
from argosy.engines.postgresql.positions import Segment

FOLDER = "pg_wal"


def dump(cluster: Path, first: Segment, stop: int, out: int) -> None:
    """Write them as tar. Raises Rejected when they are not all there any more, GuestFailed when one goes meanwhile."""
    needed = list(until(first, stop))
    missing = [each.name for each in needed if not (cluster / FOLDER / each.name).exists()]
    if missing:
        raise errors.Rejected(
            f"the log since the parent is not kept any more, from {missing[0]} on: take a full backup"
        )
    for segment in needed:
        _put(cluster / FOLDER / segment.name, min(segment.bytes, stop - segment.begin), out)
    tape.write(out, tape.END)


def until(first: Segment, stop: int) -> Iterator[Segment]:
    """Those that hold what lies between."""
    while first.begin < stop:
        yield first
        first = first.next


def _put(path: Path, size: int, out: int) -> None:
    """The server recycles a segment by giving it another name first."""
    with path.open("rb", buffering=0) as file:
        tape.write(out, tape.head(f"{FOLDER}/{path.name}", tape.FILE, size))
        tape.move(file.fileno(), out, size)
        tape.write(out, bytes(-size % tape.BLOCK))
        if not _is(path, os.fstat(file.fileno()).st_ino):
            raise errors.GuestFailed(f"the server has recycled the segment {path.name} while it was read")


def _is(path: Path, inode: int) -> bool:
    try:
        return path.stat().st_ino == inode
    except FileNotFoundError:
        return False
