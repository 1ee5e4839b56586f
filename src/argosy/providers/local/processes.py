"""Ending processes for certain, by what they hold rather than by number alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection
from pathlib import Path

from argosy import clock

Found = Callable[[], Collection[int]]
"""The processes meant, as of now."""


def end(found: Found, seconds: float) -> bool:
    """SIGKILL until none is found; False when one was still there after the given time."""
    until = clock.monotonic() + seconds
    while pids := found():
        for pid in pids:
            send(pid, signal.SIGKILL, found)
        if clock.monotonic() > until:
            return False
        time.sleep(0.002)
    return True


def send(pid: int, number: signal.Signals, found: Found) -> None:
    """Signal the process if it is still one of those meant: its number may have become another's."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if pid in found():
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def holding(paths: Collection[Path]) -> Collection[int]:
    """Processes but ours that have one of the files open, as far as we may see."""
    wanted = {str(path.resolve()) for path in paths}
    mine = str(os.getpid())
    numbers = (path.name for path in Path("/proc").iterdir() if path.name.isdigit() and path.name != mine)
    return {int(number) for number in numbers if wanted & _open_files(number)}


def _open_files(pid: str) -> set[str]:
    try:
        return {str(each.readlink()) for each in Path("/proc", pid, "fd").iterdir()}
    except OSError:
        return set()
