"""The only place that reads the time.

Wall-clock times are UTC seconds since 1970 (float). `boot` is for leases on one host: it never jumps, goes on
during suspend, and starts anew with the machine (CLOCK_BOOTTIME, clock_gettime(2)).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], float]


def now() -> float:
    """Wall-clock seconds since the epoch."""
    return time.time()


def monotonic() -> float:
    """Seconds that never jump, comparable within one process."""
    return time.monotonic()


def boot() -> float:
    """Seconds since this machine started, comparable between its processes; never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """What tells this start of the machine from every other (random(4), /proc/sys/kernel/random)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def timestamp(seconds: float) -> str:
    """ISO 8601 in UTC without fraction and without zone, as Trove's clients demand."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def moment(text: str) -> float:
    """The time that ISO 8601 text tells, in seconds since the epoch; UTC where it names no zone. Raises ValueError."""
    told = datetime.fromisoformat(text)
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
