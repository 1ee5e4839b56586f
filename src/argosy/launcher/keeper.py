"""Keeps children alive: each is started again at once when it dies, and later when it keeps dying."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from argosy import clock
from argosy.launcher import processes
from argosy.launcher.forks import fork
from argosy.launcher.processes import Process

log = logging.getLogger(__name__)

LISTENED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
STEADY = 10.0
"""Seconds after which a child counts as started well: its next death is a first one."""
LONGEST_PAUSE = 10.0
"""Seconds between two starts of a child that keeps dying."""
LOOK_AT_LOGS = 60.0
"""Seconds between two looks at how long the logs have grown."""
LONGEST_LOG = 32 * 2**20
"""Bytes of a log, after which it becomes `.1` and begins anew; so a log takes twice that at most."""

Body = Callable[[Process | None], int]
"""What a child runs, given the process that held the role before; its return is the exit status."""


@dataclass
class Child:
    role: str
    body: Body
    log: Path | None = None
    """where its standard error goes; None: where ours goes"""
    user: pwd.struct_passwd | None = None
    """who it becomes; None: it stays who we are"""
    process: Process | None = None
    """as it runs now, or ran last"""
    running: bool = False
    born: float = 0.0
    due: float = 0.0
    """when it may start (again); monotonic, like `born`"""
    deaths: int = 0
    """in a row, each soon after its start"""


@dataclass
class Keeper:
    """Runs in a process with a single thread: it forks, and it waits with signals blocked."""

    run: Path
    """where pid files go"""
    children: Sequence[Child]
    grace: float = 10.0
    """seconds that a child has to end after SIGTERM"""
    stopping: bool = field(default=False, init=False)

    def keep(self) -> int:
        """Until SIGTERM or SIGINT; then the children end before we do."""
        signal.pthread_sigmask(signal.SIG_BLOCK, LISTENED)
        while not self.stopping:
            for child in self.children:
                self._start_if_due(child)
            self._hear(signal.sigtimedwait(LISTENED, self._patience()))
            for child in self.children:
                trim(child.log)
        self._end()
        return 0

    def _start_if_due(self, child: Child) -> None:
        if child.running or child.due > clock.monotonic():
            return
        pid = fork(partial(child.body, child.process), child.log, child.user)
        child.process, child.running, child.born = processes.observe(child.role, pid), True, clock.monotonic()
        processes.record(self.run, child.process)
        log.info("%s runs", child.role, extra={"pid": pid})

    def _patience(self) -> float:
        """For how long nothing is to be done unless a signal comes."""
        dues = [child.due - clock.monotonic() for child in self.children if not child.running]
        return max(0.0, min([*dues, LOOK_AT_LOGS]))

    def _hear(self, heard: signal.struct_siginfo | None) -> None:
        if heard is not None and heard.si_signo in (signal.SIGTERM, signal.SIGINT):
            self.stopping = True
        for child in self.children:
            if child.running and child.process is not None and _reaped(child.process.pid):
                self._mourn(child)

    def _mourn(self, child: Child) -> None:
        lived = clock.monotonic() - child.born
        child.deaths = 0 if lived > STEADY else child.deaths + 1
        child.running, child.due = False, clock.monotonic() + pause(child.deaths)
        processes.forget(self.run, child.role)
        log.warning("%s died", child.role, extra={"lived": round(lived, 1), "starts_in": pause(child.deaths)})

    def _end(self) -> None:
        living = [child.process for child in reversed(self.children) if child.running and child.process]
        processes.end(living, self.grace)
        for child in self.children:
            processes.forget(self.run, child.role)


def pause(deaths: int) -> float:
    """Seconds to wait before the next start: none after a first death, then growing."""
    return 0.0 if deaths <= 1 else min(LONGEST_PAUSE, 0.1 * 2.0 ** (deaths - 2))


def trim(log: Path | None) -> None:
    """Its writers append, so they go on at the beginning once it has been emptied."""
    if log is None or not log.exists() or log.stat().st_size < LONGEST_LOG:
        return
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)


def _reaped(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid
