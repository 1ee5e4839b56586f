"""Killing a process in the middle of what it does, at many moments of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

MOMENTS = int(os.environ.get("ARGOSY_KILLS", "12"))
"""Moments tried of each act; a soak sets more."""


def moments(act: Callable[[], object]) -> Iterator[float]:
    """Seconds from the beginning of the act to a little after its end, which is measured by doing it once."""
    began = time.perf_counter()
    killed(act, None)
    spent = time.perf_counter() - began
    for number in range(MOMENTS):
        yield spent * 1.1 * number / MOMENTS


def killed(act: Callable[[], object], after: float | None) -> None:
    """Act in a process of its own, which is killed so many seconds after its start; None: never."""
    pid = begun(act)
    if after is not None:
        kill(pid, after)
    os.waitpid(pid, 0)


def begun(act: Callable[[], object]) -> int:
    """The process, a child of ours, in which the act has begun; how it ends is nobody's business."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(0)
    return pid


def kill(pid: int, after: float) -> None:
    time.sleep(after)
    os.kill(pid, signal.SIGKILL)
