"""A whole guest as processes of its own: init, agent and engine, in a directory, talking to a real conductor."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import argosy
from argosy.engines import registry
from argosy.engines.base import Engine
from argosy.model.guest import Site
from argosy.testing import hands, servers
from argosy.testing.channel import Channel
from argosy.testing.waiting import eventually

CODE = Path(argosy.__file__).parents[1]
INIT = (
    f"import sys; sys.path.insert(0, {str(CODE)!r}); from argosy.agent import init; sys.exit(init.main(sys.argv[1:]))"
)


class RealGuest:
    """One guest of a channel, on a volume of its own. Runs as nobody when the tests run as root."""

    def __init__(self, channel: Channel, home: Path, engine: str = "redis", **boot: Any) -> None:
        self.channel, self.home = channel, home
        self.engine: Engine = registry.get(engine)
        self.state, self.log = home / "s", home / "guest.log"
        found = servers.require(engine)
        self.site = self._site(found.root)
        self.id = channel.expect(host=self.site.address, port=self.site.port)
        for directory in (home, self.state, home / "v"):
            directory.mkdir(mode=0o755, exist_ok=True)
        told = {**channel.boot(self.id, engine, found.version), **boot}
        (self.state / "boot.json").write_text(json.dumps(told))
        (self.state / "site.json").write_text(json.dumps(asdict(self.site), default=str))
        hands.give(home)
        self.init: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Init, and by it the agent."""
        lock = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        agent = (sys.executable, "-m", "argosy.agent", str(self.state))
        argv = (sys.executable, "-I", "-S", "-c", INIT, str(lock), str(self.state), *agent)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CODE)}
        with self.log.open("ab") as log:
            self.init = subprocess.Popen(
                argv, pass_fds=[lock], env=environment, stderr=log, start_new_session=True, **_nobody()
            )
        os.close(lock)

    def connected(self) -> bool:
        return self.channel.guest(self.id).connected

    def do(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """The result of a command, once it is answered without an error."""
        command = self.channel.await_answer(self.channel.ask(self.id, verb, **arguments), within=60)
        assert not command.error, command.error
        return command.result or {}

    def ask_init(self, request: str = "status") -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(str(self.state / "init.sock"))
            line.sendall(json.dumps({"do": request}).encode() + b"\n")
            told: dict[str, Any] = json.loads(line.makefile().readline())
            return told

    def agent_pid(self) -> int:
        """Of the agent that init keeps, which is a child of it beside the engine."""
        return eventually(self._agent)

    def kill_agent(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.agent_pid(), signal.SIGKILL)

    def stop(self) -> None:
        """Everything of this guest ends."""
        if self.init is not None and self.init.poll() is None:
            self.init.terminate()
            try:
                self.init.wait(20)
            except subprocess.TimeoutExpired:
                self.init.kill()
                self.init.wait(5)

    def _agent(self) -> int:
        assert self.init is not None
        children = Path(f"/proc/{self.init.pid}/task/{self.init.pid}/children").read_text().split()
        return next((int(pid) for pid in children if _is_agent(pid)), 0)

    def _site(self, root: Path) -> Site:
        return Site(
            root=root,
            data=self.home / "v",
            state=self.state,
            address=servers.free_address(self.engine.port),
            port=self.engine.port,
            memory=256 * servers.MIB,
            vcpus=1,
            volume=1024 * servers.MIB,
        )


def _is_agent(pid: str) -> bool:
    with contextlib.suppress(OSError):
        return b"argosy.agent" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(hands.NOBODY)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
