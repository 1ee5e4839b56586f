"""What the guest takes of its host: processor time and memory of its init and everything below it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def below(init: int) -> Mapping[str, float]:
    """Processor seconds, also of what has ended and was waited for, and bytes of memory that nothing else shares."""
    seconds = resident = 0.0
    for process in _tree(init):
        with suppress(OSError, ValueError, IndexError):
            # proc(5): fields 14 to 17 of stat, counted behind the name, which may hold anything
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            seconds += sum(map(int, fields[11:15])) / TICKS
            held = (process / "statm").read_text().split()
            resident += (int(held[1]) - int(held[2])) * PAGE
    return {"cpu_seconds": round(seconds, 2), "resident_bytes": resident}


def _tree(pid: int) -> Iterator[Path]:
    """The process and what descends from it, without looking at anybody else's."""
    waiting = [str(pid)]
    while waiting:
        process = PROC / waiting.pop()
        yield process
        with suppress(OSError):
            waiting += (process / "task" / process.name / "children").read_text().split()
