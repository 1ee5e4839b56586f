"""Ending processes for certain, by what they hold or belong to rather than by number alone."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from argosy import clock

RUNTIME_OPTIONS = frozenset({"-S", "-P", "-s"})
"""What agents are started with, see runtime.py; init has `-I` too, and the agent's arguments only among its own."""


class Crowd(Protocol):
    def members(self) -> Collection[int]:
        """As of now."""

    def has(self, pid: int) -> bool: ...


@dataclass(frozen=True)
class Holders:
    """Processes but ours that have one of the files open, as far as we may see."""

    paths: Collection[Path]

    def members(self) -> Collection[int]:
        wanted = {str(path.resolve()) for path in self.paths}
        numbers = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
        return {pid for pid in numbers if pid != os.getpid() and not wanted.isdisjoint(_open_files(pid))}

    def has(self, pid: int) -> bool:
        return not {str(path.resolve()) for path in self.paths}.isdisjoint(_open_files(pid))


def end(crowd: Crowd, seconds: float) -> bool:
    """SIGKILL until none is left; False when one was still there after the given time."""
    until = clock.monotonic() + seconds
    while pids := crowd.members():
        send(crowd, pids, signal.SIGKILL)
        if clock.monotonic() > until:
            return False
        time.sleep(0.002)
    return True


def send(crowd: Crowd, pids: Collection[int], number: signal.Signals) -> None:
    """Signal those that are still of the crowd: a number may have become another process's meanwhile."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if crowd.has(pid):
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            continue
        finally:
            os.close(handle)


def running(pids: Collection[int], arguments: Sequence[str]) -> Collection[int]:
    """Those that an interpreter runs with these arguments, after options of its own without values."""
    return [pid for pid in pids if _arguments(pid)[: len(arguments)] == list(arguments)]


def _arguments(pid: int) -> list[str]:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")[1:]
    except OSError:
        return []
    return list(itertools.dropwhile(lambda word: word in RUNTIME_OPTIONS, words))


def _open_files(pid: int) -> set[str]:
    directory = f"/proc/{pid}/fd"
    try:
        return {os.readlink(f"{directory}/{each}") for each in os.listdir(directory)}  # noqa: PTH115, PTH208 - many
    except OSError:
        return set()
