"""Copies of a file that is written to, made ahead of time: what was written since is found by its blocks, which it
shares with nobody (ioctl_fiemap, ioctl_ficlonerange(2), linux/fiemap.h).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from fcntl import ioctl

FIEMAP, CLONE_RANGE, ATTRIBUTES = 0xC020660B, 0x4020940D, 0x801C581F
HEADER = struct.Struct("=QQIIII")
"""struct fiemap: where from, how long, flags, extents found, extents there is room for, reserved."""
EXTENT = struct.Struct("=QQQ16xI12x")
"""struct fiemap_extent: place in the file, place on the device, bytes, flags."""
LAST, UNWRITTEN, SHARED = 0x1, 0x800, 0x2000
PIECES = struct.Struct("=8xI16x")
"""struct fsxattr, of which we want how many extents the file has."""
AT_ONCE = 4096
"""Extents asked for in one call."""
STRETCH = 4 << 20
"""Bytes copied in one call: nobody else reads or writes the file meanwhile."""

Range = tuple[int, int]
"""Place and bytes."""
Extent = tuple[int, int, int]
"""Place and bytes in the file, and flags."""


def share(source: int, target: int) -> None:
    """Make all of an open file another's blocks, a stretch at a time."""
    size = os.fstat(source).st_size
    os.truncate(target, size)
    for place in range(0, size, STRETCH):
        _clone(source, target, (place, min(STRETCH, size - place)))


def follow(source: int, target: int) -> int:
    """Bring the copy up to what was written since, which nobody else may have copied meanwhile: how many pieces that
    were. No holes are made in an image: its file system discards nothing.
    """
    pieces = list(_joined(unshared(source)))
    os.truncate(target, os.fstat(source).st_size)
    for piece in pieces:
        _clone(source, target, piece)
    return len(pieces)


def unshared(file: int) -> Iterator[Range]:
    """What no other file has."""
    return ((start, length) for start, length, flags in extents(file) if not flags & SHARED)


def count(file: int) -> int:
    """How many there are, without looking at them (ioctl_xfs_fsgetxattr(2))."""
    (pieces,) = PIECES.unpack(ioctl(file, ATTRIBUTES, bytes(PIECES.size)))
    return int(pieces)


def extents(file: int) -> Iterator[Extent]:
    """All of them, in order of their places."""
    place, last = 0, False
    while not last:
        found = _extents(file, place)
        for start, _, length, flags in found:
            place, last = start + length, bool(flags & LAST)
            yield start, length, flags
        last = last or not found


def _extents(file: int, place: int) -> list[tuple[int, int, int, int]]:
    room = bytearray(HEADER.size + AT_ONCE * EXTENT.size)
    HEADER.pack_into(room, 0, place, 2**63 - 1 - place, 0, 0, AT_ONCE, 0)
    ioctl(file, FIEMAP, room)
    found = HEADER.unpack_from(room)[3]
    return list(EXTENT.iter_unpack(memoryview(room)[HEADER.size : HEADER.size + found * EXTENT.size]))


def _joined(ranges: Iterator[Range]) -> Iterator[Range]:
    """What lies side by side is one."""
    begin = end = 0
    for start, length in ranges:
        if start != end:
            if end > begin:
                yield begin, end - begin
            begin = start
        end = start + length
    if end > begin:
        yield begin, end - begin


def _clone(source: int, target: int, piece: Range) -> None:
    place, length = piece
    ioctl(target, CLONE_RANGE, struct.pack("=qQQQ", source, place, length, place))
