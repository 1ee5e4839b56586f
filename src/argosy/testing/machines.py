"""The processes of a guest, seen from the machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROGRAMS = ("postgres", "mariadbd", "redis-server")


def pids_of(instance: str) -> Iterator[int]:
    """Every process in the control groups of the instance's guest."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and instance in (entry / "cgroup").read_text():
                yield int(entry.name)


def agent_of(instance: str) -> int:
    """0 when there is none."""
    return next((pid for pid in pids_of(instance) if _is_agent(_text(f"/proc/{pid}/cmdline").split("\0"))), 0)


def _is_agent(words: list[str]) -> bool:
    """Init and the sandbox have the agent's command line among their own arguments, but not right after a `-s`."""
    return words[1:4] == ["-S", "-P", "-s"] and words[4:6] == ["-m", "argosy.agent"]


def init_of(instance: str) -> int:
    """The first process of the guest, whose end is the end of all of it; 0 when there is none."""
    return next((pid for pid in pids_of(instance) if _numbers(pid)[1:] == ["1"]), 0)


def _numbers(pid: int) -> list[str]:
    """The process's number in our namespace and in each one below it (proc(5), NSpid)."""
    lines = _text(f"/proc/{pid}/status").splitlines()
    return next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])


def engine_of(instance: str) -> int:
    """The server's first process; 0 when there is none."""
    found = [pid for pid in pids_of(instance) if _text(f"/proc/{pid}/comm").strip() in PROGRAMS]
    return min(found, default=0)


def kill(pid: int) -> bool:
    """SIGKILL; false when there was nothing to kill."""
    with suppress(ProcessLookupError):
        if pid:
            os.kill(pid, signal.SIGKILL)
            return True
    return False


def _text(file: str) -> str:
    """Nothing for a process that is gone."""
    try:
        return Path(file).read_text(errors="replace")
    except OSError:
        return ""
