"""The database server of a guest, and the five things that may be said about it.

The wanted service is written down before it is acted on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from argosy.agent import init_service
from argosy.agent.init_child import Child
from argosy.agent.init_log import CappedLog
from argosy.agent.init_pipes import Pipes
from argosy.agent.init_service import BadRequest, Service

SERVICE = "service.json"
GIVEN_UP = 3
"""Failed starts after which who asked for one is told; we go on trying."""
Reply = Mapping[str, object]
Pending = Callable[[], Reply | None]
"""The reply, once there is one."""


class Engine(Child):
    def __init__(self, log: CappedLog, lock: str) -> None:
        super().__init__(log, lock)
        self._pipes = Pipes()
        self._recall()
        self._pipes.hold()

    def do(self, request: Mapping[str, object]) -> Pending:
        """Begin what is asked. Raises BadRequest, OSError."""
        if request.get("do") == "start":
            return self._start(init_service.parse(request.get("service")))
        if request.get("do") == "stop":
            return self._stop()
        if request.get("do") == "restart":
            return self._restart()
        if request.get("do") == "hurry":
            return self._hurry()
        if request.get("do") == "status":
            return self._status
        raise BadRequest(f"{request.get('do')!r} is none of start, stop, restart, hurry, status")

    def close(self) -> None:
        """Stop for now: what is written down stays, and the next init starts it again."""
        self.wanted = False
        self.halt()

    def _start(self, service: Service) -> Pending:
        self._want(service, wanted=True)
        self._pipes.hold()
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

    def _hurry(self) -> Pending:
        """What kept it from starting is over."""
        self.hurry()
        return lambda: {"ok": True}

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
            "failures": self.failures,
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
