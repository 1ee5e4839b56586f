"""Limits on memory, processors and number of processes by control groups, version 1 or 2 as each controller has it.

A guest's group lies at the top of the hierarchy and not below ours, so that it outlives the service that made it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import clock, errors
from argosy.providers.local import processes

PERIOD = 100_000
"""Microseconds in which a processor quota is counted."""
PROCESSES = 4096
END_SECONDS = 5.0
MIB = 1 << 20
WANTED = ("memory", "pids", "cpu")
Offered = Callable[[Path], Sequence[str]]
"""Controllers of a unified hierarchy, by where it is mounted."""


@dataclass(frozen=True)
class Controller:
    name: str
    mount: Path
    unified: bool
    """version 2: all controllers share one hierarchy"""


@dataclass(frozen=True)
class Group:
    """What is in the same group in any of several hierarchies; it cannot leave."""

    directories: Sequence[Path]

    def members(self) -> Collection[int]:
        found: set[int] = set()
        for directory in self.directories:
            with contextlib.suppress(OSError):
                found |= {int(pid) for pid in (directory / "cgroup.procs").read_text().split()}
        return found

    def has(self, pid: int) -> bool:
        return pid in self.members()


@dataclass(frozen=True)
class Cgroups:
    group: str
    """of the whole deployment"""
    controllers: Mapping[str, Controller]

    def limit(self, name: str, ram: int, vcpus: float) -> None:
        """Make the guest's groups if they are not there, and set their limits (`ram` in MiB). Raises OSError."""
        for controller in self.controllers.values():
            directory = self._directory(controller, name)
            if not directory.exists():
                self._make(controller, directory)
        for file, value in self._limits(name, ram, vcpus):
            if file.exists():
                file.write_text(value)

    def directories(self, name: str) -> Sequence[Path]:
        """All that a process of the guest must join."""
        return sorted({self._directory(each, name) for each in self.controllers.values()})

    def group_of(self, name: str) -> Group:
        """Every process of the guest."""
        return Group(self.directories(name))

    def end(self, name: str) -> bool:
        """Kill every process of the guest; True when it is certain that none is left."""
        for directory in self.directories(name):
            for brake in (directory / "pids.max", directory / "cgroup.kill"):
                with contextlib.suppress(OSError):
                    brake.write_text("1")
        return processes.end(self.group_of(name), END_SECONDS)

    def remove(self, name: str) -> None:
        """Raises CloudBusy while processes of it are still on their way out."""
        until = clock.monotonic() + END_SECONDS
        for directory in self.directories(name):
            while directory.exists() and not _removed(directory):
                if clock.monotonic() > until:
                    raise errors.CloudBusy(f"control group {directory} cannot be removed yet: it is still in use")
                time.sleep(0.002)

    def teardown(self) -> None:
        """The deployment's own group goes, once its guests have gone."""
        for controller in self.controllers.values():
            _removed(controller.mount / self.group)

    def _directory(self, controller: Controller, name: str) -> Path:
        return controller.mount / self.group / name

    def _make(self, controller: Controller, directory: Path) -> None:
        if controller.unified:
            directory.parent.mkdir(exist_ok=True)
            for above in (controller.mount, directory.parent):
                (above / "cgroup.subtree_control").write_text(f"+{controller.name}")
        directory.mkdir(parents=True, exist_ok=True)

    def _limits(self, name: str, ram: int, vcpus: float) -> Iterator[tuple[Path, str]]:
        quota = max(1000, int(vcpus * PERIOD))
        values = {
            ("memory", False): {"memory.limit_in_bytes": str(ram * MIB)},
            ("memory", True): {"memory.max": str(ram * MIB), "memory.swap.max": "0"},
            ("cpu", False): {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(quota)},
            ("cpu", True): {"cpu.max": f"{quota} {PERIOD}"},
            ("pids", False): {"pids.max": str(PROCESSES)},
            ("pids", True): {"pids.max": str(PROCESSES)},
        }
        for controller in self.controllers.values():
            for file, value in values.get((controller.name, controller.unified), {}).items():
                yield self._directory(controller, name) / file, value


def _removed(directory: Path) -> bool:
    try:
        directory.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def here(group: str) -> Cgroups:
    """What this machine offers to whoever may write it."""
    found = controllers(Path("/proc/self/mountinfo").read_text(), _offered)
    return Cgroups(group, {name: each for name, each in found.items() if os.access(each.mount, os.W_OK)})


def controllers(mountinfo: str, offered: Offered) -> Mapping[str, Controller]:
    """By name, from the mounts of a machine (proc(5)); each controller is in one hierarchy only."""
    found: dict[str, Controller] = {}
    for line in mountinfo.splitlines():
        place, _, filesystem = line.partition(" - ")
        kind, _, options = filesystem.split(" ", 2)
        mount = Path(place.split()[4])
        names = {"cgroup": options.split(","), "cgroup2": offered(mount) if kind == "cgroup2" else ()}.get(kind, ())
        found |= {name: Controller(name, mount, kind == "cgroup2") for name in names if name in WANTED}
    return found


def _offered(mount: Path) -> Sequence[str]:
    try:
        return (mount / "cgroup.controllers").read_text().split()
    except OSError:
        return ()
