"""A guest's hands for tests: its driver and its server, in processes of another Unix user when the tests are root's."""

from __future__ import annotations

import multiprocessing
import os
import pwd
import subprocess
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from argosy.model.guest import ServiceSpec, Site

NOBODY = "nobody"
"""Whom servers run as when the tests run as root: every system has this user, and no server refuses it."""


class Hands:
    """A driver in a process of the guest's user: who calls may be root, and no engine runs as root."""

    def __init__(self, driver: type, site: Site) -> None:
        self.driver = driver
        fork = multiprocessing.get_context("fork")
        self._end, other = fork.Pipe()
        self._process = fork.Process(target=_serve, args=(other, driver, site), daemon=True)
        self._process.start()
        other.close()

    def call(self, verb: str, *arguments: object) -> Any:
        """What the driver answers, or raises."""
        self._end.send((verb, arguments))
        done, answer = self._end.recv()
        if not done:
            raise answer
        return answer

    def close(self) -> None:
        """Told, not noticed: hands that were forked later hold this pipe open too."""
        self._end.send(("", ()))
        self._process.join(10)
        self._end.close()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._end.close()


def _serve(end: Connection, driver: type, site: Site) -> None:
    _become_nobody()
    made = driver(site)
    while True:
        verb, arguments = end.recv()
        if not verb:
            return
        end.send(_answer(made, verb, arguments))


def _answer(made: object, verb: str, arguments: tuple[object, ...]) -> tuple[bool, Any]:
    try:
        return True, getattr(made, verb)(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller is to see it
        return False, error


def _become_nobody() -> None:
    if os.getuid() == 0:
        user = pwd.getpwnam(NOBODY)
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)


def give(path: Path) -> None:
    """To the guest's user, with all that is in it."""
    if os.getuid() == 0:
        user = pwd.getpwnam(NOBODY)
        for each in (path, *path.rglob("*")):
            os.chown(each, user.pw_uid, user.pw_gid, follow_symlinks=False)


def run(service: ServiceSpec, log: Path) -> subprocess.Popen[bytes]:
    """The process, as the guest's user, with its output in the log."""
    identity: dict[str, Any] = {}
    if os.getuid() == 0:
        user = pwd.getpwnam(NOBODY)
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    environment = dict(service.environment)
    with log.open("ab") as out:
        return subprocess.Popen(
            service.argv, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **identity
        )


def stop(process: subprocess.Popen[bytes], service: ServiceSpec) -> int:
    """By its own signal, with SIGKILL after its own time. The exit code."""
    process.send_signal(service.stop_signal)
    try:
        return process.wait(service.stop_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(10)


def family(process: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(int(each) for each in children)]


def resident(process: int) -> int:
    """Bytes: what is the processes' own, and their share of what they share."""
    return sum(own(each) for each in family(process))


def own(process: int) -> int:
    """The same of this one alone."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
