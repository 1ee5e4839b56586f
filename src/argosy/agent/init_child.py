"""One process that is wanted: started at once, again when it dies, later and later when it dies fast.

It and whatever it makes inherit a lock: as long as one of them lives, however it was orphaned, no second one starts.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator, Sequence

from argosy.agent.init_log import CappedLog
from argosy.agent.init_service import Service

STEADY_SECONDS = 10.0
"""Who lived so long did not fail to start: the next start is at once."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
NEVER = float("inf")
CATCHABLE = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


def pause_before(failure: int) -> float:
    """Seconds to wait after the given number of quick deaths in a row; the first one costs nothing."""
    return 0.0 if failure <= 1 else min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (failure - 2))


class Child:
    def __init__(self, log: CappedLog, lock: str) -> None:
        self.log, self._lock = log, lock
        self.service: Service | None = None
        self.wanted = False
        self.pid: int | None = None
        self.starts = 0
        self.exit: int | None = None
        """Exit code of the last process, negative for a signal."""
        self.since = boottime()
        self.failures = 0
        """Quick deaths and failed starts in a row."""
        self._begun = self._due = 0.0
        self._kill_at = NEVER
        self._halting = False

    def tick(self) -> float:
        """Do what is due; the seconds until something else will be."""
        if self.pid is None and self.wanted and time.monotonic() >= self._due:
            self._try_start()
        if self.pid is None:
            return self._due - time.monotonic() if self.wanted else NEVER
        if time.monotonic() >= self._kill_at:
            os.kill(self.pid, signal.SIGKILL)
            self._kill_at = NEVER
        return self._kill_at - time.monotonic()

    def halt(self) -> None:
        """Ask the process to stop, and see to it that it does."""
        if self.pid is not None and self.service is not None and not self._halting:
            self._halting = True
            os.kill(self.pid, self.service.stop_signal)
            self._kill_at = time.monotonic() + self.service.stop_seconds

    def hurry(self) -> None:
        """Forget earlier failures: the next start is at once."""
        self.failures, self._due = 0, 0.0

    def ended(self, pid: int, code: int) -> None:
        """Told of every dead process; it may be ours."""
        if pid != self.pid:
            return
        self.log.pump()
        asked = self._halting
        self.pid, self.exit, self.since = None, code, boottime()
        self._kill_at, self._halting = NEVER, False
        if asked or time.monotonic() - self._begun >= STEADY_SECONDS:
            self.hurry()
        if not asked:
            self._failed()

    def _spawn(self, service: Service) -> int:
        """Raises OSError."""
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._seize(lock)
            os.set_inheritable(lock, True)
            return self._exec(service)
        finally:
            os.close(lock)

    def _seize(self, lock: int) -> None:
        """Raises OSError while an orphan of the last process holds the lock; orphans are killed."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            for pid in holders(os.path.realpath(self._lock)):
                os.kill(pid, signal.SIGKILL)
            raise

    def _exec(self, service: Service) -> int:
        argv = (*deadly(), *service.argv)
        return os.posix_spawnp(
            argv[0],
            argv,
            {**os.environ, **service.environment},
            file_actions=(
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, self.log.writer, 1),
                (os.POSIX_SPAWN_DUP2, self.log.writer, 2),
            ),
            setsid=True,
            setsigmask=(),
            setsigdef=CATCHABLE,
        )

    def _try_start(self) -> None:
        if self.service is None:
            return
        try:
            self.pid = self._spawn(self.service)
        except OSError as error:
            self.log.append(f"cannot start {self.service.argv[0]}: {error.strerror}\n".encode())
            self.exit = 127
            self._failed()
        else:
            self.starts += 1
            self._begun, self.since = time.monotonic(), boottime()

    def _failed(self) -> None:
        self.failures += 1
        self._due = time.monotonic() + pause_before(self.failures)


def holders(path: str) -> Iterator[int]:
    """Every process but ourselves that has the file open, as far as we may see."""
    for pid in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - pathlib costs init a third of its memory
        try:
            opened = {os.readlink(f"/proc/{pid}/fd/{each}") for each in os.listdir(f"/proc/{pid}/fd")}  # noqa: PTH115, PTH208
        except OSError:
            continue
        if path in opened and int(pid) != os.getpid():
            yield int(pid)


def deadly() -> Sequence[str]:
    """Where init is not process 1, whose end ends its namespace, children die with it by themselves. Only one that is
    killed in the moment of starting one does not take it along: then the lock tells its successor.
    """
    return () if os.getpid() == 1 else ("setpriv", "--pdeathsig", "KILL", "--")


def boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
