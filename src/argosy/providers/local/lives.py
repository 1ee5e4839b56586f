"""Whether a guest runs: told by a lock that its first process inherits, not by a number that may be reused."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Life(StrEnum):
    NONE = "none"
    """no process of the guest's init, and none on its way to become it"""
    RISING = "rising"
    UP = "up"
    LOST = "lost"
    """init was up and is gone"""


@dataclass(frozen=True)
class Lock:
    path: Path

    def life(self) -> Life:
        """Callers take turns (`Records.alone`), so that what holds the lock is the guest."""
        with self._opened() as file:
            up = os.pread(file, 1, 0) != b""
            if not _taken(file):
                return Life.UP if up else Life.RISING
            # Said aloud: a program that another thread is starting just now has a copy of the descriptor until it runs.
            fcntl.flock(file, fcntl.LOCK_UN)
            return Life.LOST if up else Life.NONE

    def launch(self, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """Start a process that holds the lock, as descriptor `{lock}` of its arguments, and outlives us."""
        with self._opened() as file, _appending(log) as output:
            if not _taken(file):
                raise BlockingIOError(f"{self.path} is held")
            os.ftruncate(file, 0)
            subprocess.run(
                ("setsid", "--fork", *(each.replace("{lock}", str(file)) for each in argv)),
                check=True,
                env=dict(environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(file,),
            )

    @contextmanager
    def _opened(self) -> Iterator[int]:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield file
        finally:
            os.close(file)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _appending(log: Path) -> Iterator[int]:
    """Readable too: who writes to it keeps it short by dropping the older half."""
    file = os.open(log, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        yield file
    finally:
        os.close(file)
