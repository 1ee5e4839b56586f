"""The parent of everything in one guest: keeps agent and engine running, each whatever becomes of the other.

Started by the provider with `python -I -S`, as process 1 of the guest's own PID namespace where there is one. It stays
small (standard library only, and little of that before it is needed; one thread), needs neither control plane nor
network, and does what it is told over `init.sock` in the guest's state directory. The wanted service lies beside it in
`service.json`: a new init, or a reboot, starts the engine again. SIGTERM stops the engine by its own stop signal, then
the agent, then init.

Nothing of a guest outlives its init: process 1 takes its namespace along, and elsewhere children carry a parent
death signal. So a new init need not adopt anything; the locks of `init_child` are the second bolt.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Sequence

from argosy.agent.init_child import NEVER, Child
from argosy.agent.init_door import Door
from argosy.agent.init_engine import Engine
from argosy.agent.init_log import CappedLog
from argosy.agent.init_service import Service

STDERR = 2
GUEST_LOG_BYTES, ENGINE_LOG_BYTES = 4 << 20, 8 << 20
AGENT_STOP_SECONDS = 5.0
UP = b"up\n"
"""What init writes into the lock that the provider handed down, once it can be talked to."""


class Init:
    def __init__(self, agent: Sequence[str]) -> None:
        self._wake = waker(self._note)
        self._agent = Child(CappedLog(STDERR, GUEST_LOG_BYTES), "agent.lock")
        self._agent.service, self._agent.wanted = Service(agent, stop_seconds=AGENT_STOP_SECONDS), True
        log = os.open("engine.log", os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._engine = Engine(CappedLog(log, ENGINE_LOG_BYTES), "engine.lock")
        self._door = Door("init.sock", self._engine)
        self._ending = False

    def run(self) -> int:
        """Until SIGTERM, and then until engine and agent are gone."""
        while not (self._ending and self._engine.pid is None and self._agent.pid is None):
            self._end_when_told()
            pause = min(self._engine.tick(), self._agent.tick())
            self._door.answer()
            self._await(pause)
            self._reap()
        return 0

    def _end_when_told(self) -> None:
        if self._ending:
            self._engine.close()
        if self._ending and self._engine.pid is None:
            self._agent.wanted = False
            self._agent.halt()

    def _await(self, seconds: float) -> None:
        """Until something is to be read, a signal came, or a child's time has come."""
        readers: dict[int, Callable[[], object]] = {
            self._wake: lambda: os.read(self._wake, 4096),
            self._agent.log.reader: self._agent.log.pump,
            self._engine.log.reader: self._engine.log.pump,
            **self._door.readers(),
        }
        poll = select.poll()
        for number in readers:
            poll.register(number, select.POLLIN)
        for number, _ in poll.poll(None if seconds == NEVER else max(0.0, seconds) * 1000):
            readers[number]()

    def _reap(self) -> None:
        """Every dead child, also those that the namespace left to its process 1."""
        while (dead := died()) != (0, 0):
            for child in (self._agent, self._engine):
                child.ended(dead[0], os.waitstatus_to_exitcode(dead[1]))

    def _note(self, number: int, _frame: object) -> None:
        self._ending = self._ending or number == signal.SIGTERM


def died() -> tuple[int, int]:
    """Number and status of a dead child; zeros when there is none."""
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def waker(note: Callable[[int, object], None]) -> int:
    """A descriptor that can be read after each signal that concerns us."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, note)
    return reader


def main(arguments: Sequence[str]) -> int:
    """`LOCK STATE AGENT-ARGV…`: the descriptor of a lock that is held as long as we live, and where to live."""
    lock, state, *agent = arguments
    os.umask(0o077)
    os.set_inheritable(int(lock), False)
    os.chdir(state)
    init = Init(agent)
    os.pwrite(int(lock), UP, 0)
    return init.run()
