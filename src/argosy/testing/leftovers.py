"""What a deployment has left on the machine, by looking at the machine rather than asking the deployment."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from argosy.providers.local.layout import Layout

CGROUPS = Path("/sys/fs/cgroup")


def find(state: Path) -> list[str]:
    """Processes, mounts, loop devices, control groups, network namespaces and interfaces, directories; sorted."""
    deployment = Layout(state).deployment
    looks = (_processes(state, deployment), _mounts(state), _loops(state), _cgroups(deployment), _networks(deployment))
    directory = [f"directory {state}"] if state.exists() else []
    return sorted([*directory, *(found for look in looks for found in look)])


def _processes(state: Path, deployment: str) -> Iterator[str]:
    """By command line, by directory, or by control group: a sandbox may hide the first two."""
    for entry in Path("/proc").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if entry.name.isdigit() and _belongs(entry, str(state), deployment):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                yield f"process {entry.name} {command[:100]}"


def _belongs(process: Path, state: str, deployment: str) -> bool:
    words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    places = [*words, str((process / "cwd").readlink())]
    inside = any(word == state or f"{state}/" in word for word in places)
    return inside or f"argosy-{deployment}" in (process / "cgroup").read_text()


def _mounts(state: Path) -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4]
        if point.startswith(f"{state}/"):
            yield f"mount {point}"


def _loops(state: Path) -> Iterator[str]:
    for file in Path("/sys/block").glob("loop*/loop/backing_file"):
        with suppress(FileNotFoundError, OSError):
            if file.read_text().startswith(f"{state}/"):
                yield f"loop device {file.parent.parent.name}"


def _cgroups(deployment: str) -> Iterator[str]:
    for found in {*CGROUPS.glob(f"argosy-{deployment}*"), *CGROUPS.glob(f"*/argosy-{deployment}*")}:
        yield f"control group {found}"


def _networks(deployment: str) -> Iterator[str]:
    namespaces = Path("/run/netns")
    for found in namespaces.glob(f"argosy-{deployment}-*") if namespaces.exists() else ():
        yield f"network namespace {found.name}"
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=False).stdout
    for found in re.findall(rf"\bag{deployment}-[\w-]+", links):
        yield f"network interface {found}"
