"""XFS: make, clone, freeze, grow (xfsctl(3), ioctl_ficlone(2), linux/fs.h)."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from pathlib import Path

from argosy.providers.local import rcu
from argosy.providers.local.faults import run
from argosy.providers.local.loops import SECTOR

CLONE = 0x40049409
FREEZE, THAW = 0xC0045877, 0xC0045878
GEOMETRY = 0x80705864
"""XFS_IOC_FSGEOMETRY_V1, 112 bytes: eight words, the block size first and imaxpct last, then the number of blocks."""
GROW = 0x4010586E
"""XFS_IOC_FSGROWFSDATA: new number of blocks, imaxpct."""

_libc = ctypes.CDLL(None, use_errno=True)

LABEL = "user.argosy.origin"
"""Name of the attribute of an image that tells what it was made of."""


def make(image: int) -> None:
    """A file system over the whole of an open image file."""
    options = ["-q", "-f", "-K", "-m", "reflink=1", "-s", f"size={SECTOR}"]
    run(["mkfs.xfs", *options, f"/proc/self/fd/{image}"], held=[image])


def clone(source: Path, target: int) -> None:
    """Share the source's blocks with an open file of the same file system."""
    file = os.open(source, os.O_RDONLY)
    try:
        ioctl(target, CLONE, file)
    finally:
        os.close(file)


def label(image: Path) -> str:
    """What `set_label` has said of the file; empty where nothing was said."""
    try:
        return os.getxattr(image, LABEL).decode()
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        return ""


def set_label(file: int, text: str) -> None:
    os.setxattr(file, LABEL, text.encode())


def flush(mount: Path) -> None:
    """Write what is to be written, so that there is little left for a freeze."""
    with _opened(mount) as directory:
        _libc.syncfs(directory)


@contextmanager
def frozen(mount: Path) -> Iterator[None]:
    """Nothing is written while the block runs, and what is on the device is consistent."""
    with _first(), _opened(mount) as directory, rcu.hurried():
        ioctl(directory, FREEZE, 0)
        try:
            yield
        finally:
            ioctl(directory, THAW, 0)


@contextmanager
def _first() -> Iterator[None]:
    """Whoever holds up a database goes before everybody else, where that is allowed."""
    thread = threading.get_native_id()
    before = os.getpriority(os.PRIO_PROCESS, thread)
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, thread, -20)
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, thread, before)


def thaw(mount: Path) -> None:
    """Undo a freeze whose maker was killed; nothing where there is none."""
    with _opened(mount) as directory:
        try:
            ioctl(directory, THAW, 0)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise


def fill(mount: Path, size: int) -> None:
    """Grow the file system to a device of so many bytes, if it is smaller."""
    with _opened(mount) as directory:
        words = struct.unpack_from("=8IQ", ioctl(directory, GEOMETRY, bytes(112)))
        block, share, blocks = words[0], words[7], words[8]
        if size // block > blocks:
            ioctl(directory, GROW, struct.pack("=QII", size // block, share, 0))


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
