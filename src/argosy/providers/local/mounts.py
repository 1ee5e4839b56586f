"""Mounting and unmounting (mount(2), umount2(2)), without starting a program for it."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Sequence
from pathlib import Path

NOSUID, NODEV, NOEXEC, NOATIME, BIND, SHARED = 0x2, 0x4, 0x8, 0x400, 0x1000, 0x100000
NOFOLLOW = 0x8
GUEST = NOSUID | NODEV | NOEXEC | NOATIME
"""Flags of everything that a guest can write to."""

_libc = ctypes.CDLL(None, use_errno=True)


def mount(device: Path, target: Path, kind: str, flags: int, options: str = "") -> None:
    _called(_libc.mount(_text(device), _text(target), kind.encode(), ctypes.c_ulong(flags), options.encode()), target)


def share(directory: Path) -> None:
    """Make the directory a shared mount: what is unmounted below it goes away in every copy of it as well.

    Whoever makes a mount namespace (`ip netns exec`, a service manager) takes copies of all mounts with it. Without
    this an unmounted image stays in use by such a copy until that namespace ends.
    """
    if directory not in under(directory):
        _called(_libc.mount(_text(directory), _text(directory), None, ctypes.c_ulong(BIND), None), directory)
    _called(_libc.mount(None, _text(directory), None, ctypes.c_ulong(SHARED), None), directory)


def unmount(target: Path) -> None:
    """Raises OSError (EBUSY) while somebody uses it."""
    _called(_libc.umount2(_text(target), NOFOLLOW), target)


def mounted(directory: Path) -> bool:
    """Does it carry a file system of its own? (A shared directory without one does not.)"""
    return os.path.ismount(directory)


def under(directory: Path) -> Sequence[Path]:
    """Mount points on and below the directory, the one to unmount first in front."""
    found = [point for point in _points() if point == str(directory) or point.startswith(f"{directory}/")]
    return [Path(point) for point in reversed(found)]


def _points() -> list[str]:
    """Every mount point, in the order of mounting; blanks are octal in there (proc(5), mountinfo)."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), line.split()[4]) for line in lines]


def _text(value: Path | str) -> bytes:
    return os.fsencode(value)


def _called(result: int, target: Path) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))
