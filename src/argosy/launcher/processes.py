"""Processes by pid *and* start time: a pid that has found a second owner is never mistaken for the first."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from argosy import clock

ROLES = ("launcher", "helper", "supervisor", "conductor", "taskmanager", "api", "console")
"""Of everything that a deployment may run, databases and agents apart."""
LISTENING = "0A"
"""State of a socket in /proc/net/tcp (proc_pid_net(5))."""


@dataclass(frozen=True)
class Process:
    role: str
    pid: int
    started: int
    """clock ticks since boot (proc(5), field 22)"""

    @property
    def alive(self) -> bool:
        return started(self.pid) == self.started

    @property
    def since(self) -> float:
        """Wall-clock time of its start."""
        return clock.now() - clock.boot() + self.started / os.sysconf("SC_CLK_TCK")

    def signal(self, number: int) -> bool:
        """Send it a signal; false when it is gone. A later owner of the pid is never hit."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if not self.alive:
                return False
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True

    def gone(self, within: float) -> bool:
        """Whether it ended within so many seconds."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            return not self.alive or bool(select.select([descriptor], [], [], within)[0])
        finally:
            os.close(descriptor)


def started(pid: int) -> int | None:
    """Start time in clock ticks since boot; None when there is no such process, or only its corpse."""
    try:
        # The second field is the command in parentheses and may hold anything, so we read from the last one on.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def listens(process: Process, port: int) -> bool:
    """Whether it is the one that listens on the port; true where that is not ours to see."""
    proc = Path(f"/proc/{process.pid}")
    try:
        rows = [row.split() for table in (proc / "net").glob("tcp*") for row in table.read_text().splitlines()]
        sockets = {f"socket:[{row[9]}]" for row in rows if row[3] == LISTENING and row[1].endswith(f":{port:04X}")}
        return any(_target(each) in sockets for each in (proc / "fd").iterdir())
    except PermissionError:
        return True
    except (FileNotFoundError, ProcessLookupError):
        return False


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def of_user(uid: int) -> list[int]:
    """Pids of every process that runs as this user."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(FileNotFoundError):
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                found.append(int(entry.name))
    return found


def observe(role: str, pid: int) -> Process:
    return Process(role, pid, started(pid) or 0)


def record(run: Path, process: Process) -> None:
    """Write its pid file."""
    write(run / f"{process.role}.pid", json.dumps(asdict(process)))


def write(file: Path, text: str) -> None:
    """Into the run directory, whole or not at all."""
    fresh = file.with_suffix(f".{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    # Others may write in this directory too: O_EXCL follows no link that they laid.
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        os.fchmod(out.fileno(), 0o644)  # whatever the umask: everybody may ask for the status
    fresh.replace(file)


def recorded(run: Path, role: str) -> Process | None:
    """The process of that role, if its pid file names one that lives and belongs to whoever wrote the file."""
    file = run / f"{role}.pid"
    try:
        process = Process(**json.loads(file.read_text()))
        writer, owner = file.stat().st_uid, Path(f"/proc/{process.pid}").stat().st_uid
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    return process if process.alive and writer in (0, owner) else None


def forget(run: Path, role: str) -> None:
    (run / f"{role}.pid").unlink(missing_ok=True)


def end(processes: Iterable[Process], within: float) -> None:
    """Ask them to stop, and kill what is left after `within` seconds."""
    asked = [process for process in processes if process.signal(signal.SIGTERM)]
    limit = clock.monotonic() + within
    for process in asked:
        if not process.gone(max(0.0, limit - clock.monotonic())):
            process.signal(signal.SIGKILL)
            process.gone(5)
