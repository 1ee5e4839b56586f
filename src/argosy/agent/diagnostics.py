"""What an administrator may ask of a guest: that it hears, what its agent takes, and what the guest has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from argosy import __version__
from argosy.agent import boot
from argosy.agent.guest import Guest
from argosy.agent.task import Task

MIB = 1 << 20
STATUS = {
    "threads": "Threads",
    "fdSize": "FDSize",
    "vmSize": "VmSize",
    "vmPeak": "VmPeak",
    "vmRss": "VmRSS",
    "vmHwm": "VmHWM",
}
"""Trove's names and those of proc(5); sizes in KiB."""

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class Diagnostics:
    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "ping": self.ping,
            "diagnostics": self.diagnostics,
            "hwinfo": self.hwinfo,
        }

    def ping(self, _task: Task, _arguments: Arguments) -> Result:
        return {}

    def diagnostics(self, _task: Task, _arguments: Arguments) -> Result:
        return {"version": __version__, **figures(Path("/proc/self/status").read_text())}

    def hwinfo(self, _task: Task, _arguments: Arguments) -> Result:
        """What the guest may use, in MiB and whole processors: the machine's own is not its to use."""
        site = boot.site(self._guest.directory)
        return {"mem_total": site.memory // MIB, "num_cpus": math.ceil(site.vcpus)}


def figures(status: str) -> dict[str, int]:
    """From the text of a process's `status` in /proc."""
    said = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return {ours: int(said[theirs].split()[0]) for ours, theirs in STATUS.items()}
