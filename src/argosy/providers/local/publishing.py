"""Public databases of this host: a port of its own for each, and an unprivileged program that forwards what comes.

The program (`forwarder.py`) outlives us as guests do. Whether it lives is told by a lock that it holds, and which
orders it follows by what it writes into that file: their name, which is a digest of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.providers.base import Outside, PortSpec, State
from argosy.providers.local import forwarder, processes
from argosy.providers.local.documents import Writing, write
from argosy.providers.local.faces import Face
from argosy.providers.local.layout import Layout
from argosy.providers.local.lives import Life, Lock
from argosy.providers.local.locks import alone
from argosy.providers.local.networks import free
from argosy.providers.local.processes import Holders
from argosy.providers.local.public_ports import PublicPorts
from argosy.providers.local.runtime import interpreter
from argosy.providers.local.users import Users

END_SECONDS = 5.0
ENTERED = 0o711
UNPRIVILEGED = (*("setpriv", "--bounding-set=-all,+setuid,+setgid", "--inh-caps=-all", "--no-new-privs", "--"),)
"""Of root's abilities it has that of becoming somebody else, once."""


@dataclass(frozen=True)
class Publishing:
    layout: Layout
    face: Face
    users: Users | None = None
    """None: without root there is only one user"""

    def open(self, spec: PortSpec, address: str) -> tuple[State, Outside]:
        """Have what comes to the name's public port forwarded. BUILDING until exactly that is so; then repeat it."""
        self._directory(spec.name)
        with self._working(spec.name):
            port = PublicPorts(self.layout.public_ports, self.face.ports).allocate(spec.name, self._usable)
            text = self._orders(spec, address, port)
            uid = self._uid(spec.name)
            write(self._home(spec.name), forwarder.FILE, text, Writing(uid, 0o400))
            return self._led(spec.name, text, uid), Outside(self.face.hosts, port)

    def close(self, name: str) -> None:
        """Nothing is forwarded any more, open connections end; the port stays the name's."""
        if self._home(name).exists():
            with self._working(name):
                (self._home(name) / forwarder.FILE).unlink(missing_ok=True)
                self._end(name)

    def look(self, name: str) -> tuple[State, Outside | None]:
        """STOPPED when it is to be open and is not; no Outside for what is not to be open."""
        if not self._home(name).exists():
            return State.ACTIVE, None
        with self._working(name):
            try:
                text = (self._home(name) / forwarder.FILE).read_text()
            except FileNotFoundError:
                return State.ACTIVE, None
            told = json.loads(text)
            good = self._follows(name, text) and [host for host, _ in told["listen"]] == [*self.face.listen]
            return State.ACTIVE if good else State.STOPPED, Outside(self.face.hosts, told["listen"][0][1])

    def delete(self, name: str) -> None:
        self.close(name)
        if self.users is not None:
            self.users.release(_user(name))
        PublicPorts(self.layout.public_ports, self.face.ports).release(name)
        if self._home(name).exists():
            shutil.rmtree(self._home(name))

    def names(self) -> Sequence[str]:
        ports = PublicPorts(self.layout.public_ports, self.face.ports).taken().values()
        return sorted({*ports, *directories(self.layout)})

    # --- how ---

    def _orders(self, spec: PortSpec, address: str, port: int) -> str:
        listen = [(host, port) for host in self.face.listen]
        told = {"listen": listen, "target": (address, spec.service_port), "allowed": spec.allowed}
        return json.dumps({"name": hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32], **told})

    def _usable(self, port: int) -> bool:
        return all(free(host, port) for host in self.face.listen)

    def _led(self, name: str, text: str, uid: int) -> State:
        """The program runs, and follows these orders; or is on its way to."""
        life = self._lock(name).life()
        if life is Life.UP:
            if self._follows(name, text):
                return State.ACTIVE
            there = Holders([self._lock(name).path])
            processes.send(there, there.members(), signal.SIGHUP)
        elif life is not Life.RISING:
            self._launch(name, uid)
        return State.BUILDING

    def _launch(self, name: str, uid: int) -> None:
        program = (str(interpreter()), "-I", "-S", forwarder.__file__, "{lock}", str(self._home(name)), str(uid))
        argv = (*UNPRIVILEGED, *program) if self.users is not None else program
        self._lock(name).launch(argv, {"LC_ALL": "C.UTF-8"}, self._home(name) / "forwarder.log")

    def _follows(self, name: str, text: str) -> bool:
        """Does it live, and has it said that it follows these orders everywhere?"""
        lock = self._lock(name)
        if lock.life() is not Life.UP:
            return False
        report = json.loads(lock.path.read_text())
        return bool(report["orders"] == json.loads(text)["name"])

    def _uid(self, name: str) -> int:
        return os.getuid() if self.users is None else self.users.reserve(_user(name))

    def _directory(self, name: str) -> None:
        """Ours; the program may read in it, once it is somebody else."""
        self.layout.published.mkdir(mode=ENTERED, exist_ok=True)
        self._home(name).mkdir(mode=ENTERED, exist_ok=True)

    def _end(self, name: str) -> None:
        end(self._lock(name).path)

    def _home(self, name: str) -> Path:
        return self.layout.published / name

    def _lock(self, name: str) -> Lock:
        return Lock(self._home(name) / "lock")

    @contextmanager
    def _working(self, name: str) -> Iterator[None]:
        with alone(self._home(name)):
            yield


def end(lock: Path) -> None:
    """Raises CloudBusy for a program that does not go away."""
    if lock.exists() and not processes.end(Holders([lock]), END_SECONDS):
        raise errors.CloudBusy(f"the program that forwards to {lock.parent.name} does not go away")


def directories(layout: Layout) -> Sequence[str]:
    return [path.name for path in layout.published.iterdir()] if layout.published.exists() else []


def sweep(layout: Layout) -> None:
    """End and remove everything that the deployment publishes, whatever its settings once were."""
    for name in directories(layout):
        end(layout.published / name / "lock")
    for directory in (layout.published, layout.public_ports):
        shutil.rmtree(directory, ignore_errors=True)


def _user(name: str) -> str:
    """Nobody else's: neither the guest's, whose files it must not read, nor that of another one's program."""
    return f"{name}.published"
