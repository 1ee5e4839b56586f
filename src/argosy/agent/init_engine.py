"""The database server of a guest, and the four things that may be said about it.

The wanted service is written down before it is acted on. Every process of the engine inherits the lock of
`engine.lock`: as long as one of them lives, however it was orphaned, no second engine is started on the data.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable, Iterator, Mapping

from argosy.agent import init_service
from argosy.agent.init_child import Child
from argosy.agent.init_log import CappedLog
from argosy.agent.init_service import BadRequest, Service

SERVICE, LOCK = "service.json", "engine.lock"
GIVEN_UP = 3
"""Failed starts after which who asked for one is told; we go on trying."""
Reply = Mapping[str, object]
Pending = Callable[[], Reply | None]
"""The reply, once there is one."""


class Engine(Child):
    def __init__(self, log: CappedLog) -> None:
        super().__init__(log)
        self._recall()

    def do(self, request: Mapping[str, object]) -> Pending:
        """Begin what is asked. Raises BadRequest, OSError."""
        if request.get("do") == "start":
            return self._start(init_service.parse(request.get("service")))
        if request.get("do") == "stop":
            return self._stop()
        if request.get("do") == "restart":
            return self._restart()
        if request.get("do") == "status":
            return self._status
        raise BadRequest(f"{request.get('do')!r} is none of start, stop, restart, status")

    def close(self) -> None:
        """Stop for now: what is written down stays, and the next init starts it again."""
        self.wanted = False
        self.halt()

    def spawn(self, service: Service) -> int:
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._seize(lock)
            os.set_inheritable(lock, True)
            return super().spawn(service)
        finally:
            os.close(lock)

    def _seize(self, lock: int) -> None:
        """Raises OSError while an orphan of the last engine holds the lock; orphans are killed."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            for pid in holders(os.path.realpath(LOCK)):
                os.kill(pid, signal.SIGKILL)
            raise

    def _start(self, service: Service) -> Pending:
        self._want(service, wanted=True)
        self.hurry()
        return self._reply_after(self.starts + 1 if self.pid is None or self._halting else self.starts)

    def _stop(self) -> Pending:
        if self.service is not None:
            self._want(self.service, wanted=False)
        self.halt()
        return lambda: {"ok": True} if self.pid is None else None

    def _restart(self) -> Pending:
        if self.service is None:
            raise BadRequest("there is no service yet: start one")
        self._want(self.service, wanted=True)
        self.hurry()
        self.halt()
        return self._reply_after(self.starts + 1)

    def _reply_after(self, starts: int) -> Pending:
        """The reply once the process has been started so often."""

        def reply() -> Reply | None:
            if not self.wanted:
                return {"ok": False, "error": "stopped meanwhile"}
            if self.starts < starts:
                return None if self.failures < GIVEN_UP else {"ok": False, "error": self.log.tail()}
            return {"ok": True, "pid": self.pid}

        return reply

    def _status(self) -> Reply:
        return {
            "running": self.pid is not None,
            "pid": self.pid,
            "wanted": self.wanted,
            "starts": self.starts,
            "exit": self.exit,
            "since": self.since,
            "tail": self.log.tail(),
        }

    def _want(self, service: Service, *, wanted: bool) -> None:
        init_service.save(SERVICE, service, wanted=wanted)
        self.service, self.wanted = service, wanted

    def _recall(self) -> None:
        try:
            saved = init_service.load(SERVICE)
        except BadRequest as error:
            self.log.append(f"{error}: waiting for the agent to start the engine\n".encode())
            return
        if saved is not None:
            self.service, self.wanted = saved


def holders(path: str) -> Iterator[int]:
    """Every process but ourselves that has the file open, as far as we may see."""
    for pid in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - pathlib costs init a third of its memory
        try:
            opened = {os.readlink(f"/proc/{pid}/fd/{each}") for each in os.listdir(f"/proc/{pid}/fd")}  # noqa: PTH115, PTH208
        except OSError:
            continue
        if path in opened and int(pid) != os.getpid():
            yield int(pid)
