"""One at a time, between threads and between processes; a process that is killed lets go.

Programs that are handed the lock keep it until they have really ended: whoever repeats what was interrupted waits for
what the interrupted one had started.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(path: Path) -> Iterator[int]:
    """Nobody else who asks for this file or directory runs at the same time. Yields the lock, to hand on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
