"""What every engine promises, proved with a real server that its driver alone brings to life.

class TestMine(EngineContract):
    engine = "mine"
    version = "1.2"
    restart_override = ("threads", 3)

    def identity(self, server): ...

Its tenants are in `argosy.testing.clients.CLIENTS`.
"""

from __future__ import annotations

import contextlib
import hashlib
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from argosy.engines import registry
from argosy.engines.accounts import User
from argosy.engines.base import FACETS, Driver, Engine
from argosy.guest import authority
from argosy.model.guest import Health, Identity, Probe, Secret, TlsMode
from argosy.model.metrics import REPORTED
from argosy.testing import hands, servers
from argosy.testing.clients import Login, Refused
from argosy.testing.contracts.accounts import AccountsContract
from argosy.testing.contracts.backups import BackupsContract
from argosy.testing.contracts.logs import LogsContract
from argosy.testing.contracts.upgrades import UpgradesContract
from argosy.testing.servers import MIB, Farm, Server
from argosy.testing.waiting import eventually

PROBE_LIMIT = 2.0


def identity() -> Identity:
    return Identity(str(uuid.uuid4()), 1)


def fingerprint(*directories: Path) -> dict[str, str]:
    """Every file with a digest of what is in it."""
    files = [each for directory in directories for each in sorted(directory.rglob("*")) if each.is_file()]
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


class EngineContract(AccountsContract, BackupsContract, LogsContract, UpgradesContract):
    engine: ClassVar[str]
    version: ClassVar[str] = ""
    """how the version begins; empty takes the newest"""
    restart_override: ClassVar[tuple[str, object]]
    """a setting that only a restart applies"""
    plaintext_port_offset: ClassVar[int] = 0
    """where plaintext is spoken in mode `basic`, from the endpoint's port"""

    def identity(self, server: Server) -> str:
        """What must differ between two running clones, in the engine's own words."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def farm(cls) -> Iterator[Farm]:
        with servers.farm() as farm:
            yield farm

    @pytest.fixture(scope="class")
    @classmethod
    def template(cls, farm: Farm) -> Server:
        return farm.template(registry.get(cls.engine), servers.require(cls.engine, cls.version))

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, farm: Farm, template: Server) -> Server:
        """Running, without accounts. Tests that kill it bring it back."""
        server = farm.clone(template, identity())
        server.start()
        return server

    @pytest.fixture
    def master(self, server: Server) -> Login:
        password = Secret.generate()
        server.hands.call("put_master", password)
        return server.login(self._engine.master, password)

    @property
    def _engine(self) -> Engine:
        return registry.get(self.engine)

    def test_declaration_and_driver_agree(self, template: Server) -> None:
        driver = self._engine.load_driver()(template.site)
        assert isinstance(driver, Driver)
        assert template.found.capabilities <= self._engine.capabilities
        for capability, facet in FACETS.items():
            assert isinstance(driver, facet) == (capability in self._engine.capabilities)

    def test_install_may_be_repeated(self, template: Server) -> None:
        before = fingerprint(template.site.data)
        template.hands.call("install")
        assert fingerprint(template.site.data) == before

    def test_a_template_lets_nobody_in(self, server: Server) -> None:
        for password in ("", self._engine.master, "password"):
            with pytest.raises(Refused):
                server.connect(server.login(self._engine.master, Secret(password)))

    def test_two_clones_have_identities_of_their_own(self, farm: Farm, template: Server, server: Server) -> None:
        other = farm.clone(template, identity())
        other.start()
        assert self.identity(other) != self.identity(server)
        assert other.stop() == 0

    def test_adopting_twice_is_the_same(self, farm: Farm, template: Server) -> None:
        own = identity()
        clone = farm.clone(template, own)
        clone.hands.call("reload_certificates")
        before = fingerprint(clone.site.data, clone.site.state)
        clone.hands.call("adopt", own)
        assert fingerprint(clone.site.data, clone.site.state) == before
        clone.start()
        running = self.identity(clone)
        clone.hands.call("adopt", own)
        assert self.identity(clone) == running
        assert clone.stop() == 0

    def test_the_certificate_can_be_verified(self, server: Server, master: Login, tmp_path: Path) -> None:
        tenant = server.connect(master)
        assert tenant.certificate()
        tenant.close()
        authority.make(tmp_path)
        with pytest.raises(Refused, match=r"(?i)certificate"):
            server.connect(replace(master, authority=authority.load(tmp_path).pem))

    def test_plaintext_is_refused_where_tls_is_enforced(self, server: Server, master: Login) -> None:
        for offset in {0, self.plaintext_port_offset}:
            with pytest.raises(Refused):
                server.connect(replace(master, authority="", port=master.port + offset))

    def test_plaintext_is_allowed_where_tls_is_basic(self, farm: Farm, template: Server) -> None:
        clone = farm.clone(template, identity(), tls=TlsMode.BASIC)
        clone.start()
        password = Secret.generate()
        clone.hands.call("put_master", password)
        login = clone.login(self._engine.master, password)
        clone.connect(login).close()
        clone.connect(replace(login, authority="", port=login.port + self.plaintext_port_offset)).close()
        assert clone.stop() == 0

    def test_a_new_certificate_is_served_and_nobody_is_dropped(self, server: Server, master: Login) -> None:
        before = server.connect(master)
        old = before.certificate()
        server.issue_certificate()
        server.hands.call("reload_certificates")
        after = server.connect(master)
        assert after.certificate() != old
        before.write(f"before-{uuid.uuid4()}", "still here")
        assert before.certificate() == old, "the connection was made anew"
        before.close()
        after.close()

    def test_the_master_writes_and_reads(self, server: Server, master: Login) -> None:
        tenant = server.connect(master)
        key = str(uuid.uuid4())
        tenant.write(key, "value")
        assert tenant.read(key) == "value"
        tenant.close()

    def test_configuring_again_changes_nothing(self, server: Server) -> None:
        assert server.hands.call("configure", {}) is False

    def test_an_override_that_needs_a_restart_says_so(self, farm: Farm, template: Server) -> None:
        clone = farm.clone(template, identity())
        clone.start()
        overrides = dict([self.restart_override])
        assert clone.hands.call("configure", overrides) is True
        assert clone.stop() == 0
        clone.start()
        assert clone.hands.call("configure", overrides) is False
        assert clone.stop() == 0

    def test_a_kill_loses_nothing_acknowledged(self, server: Server, master: Login) -> None:
        tenant = server.connect(master)
        key = str(uuid.uuid4())
        tenant.write(key, "acknowledged")
        server.kill()
        with contextlib.suppress(Refused):
            tenant.close()
        server.revive()
        tenant = server.connect(master)
        assert tenant.read(key) == "acknowledged"
        tenant.close()

    def test_probe_never_raises_and_never_blocks_while_the_server_is_killed(self, server: Server) -> None:
        seen: list[tuple[Probe, float]] = []
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(server, seen, over))
        watcher.start()
        try:
            for _ in range(3):
                eventually(lambda: _seen_healthy(server, seen))
                server.kill()
                eventually(lambda: seen[-1][0].health is Health.STARTING)
            eventually(lambda: _seen_healthy(server, seen))
        finally:
            over.set()
            watcher.join()
        assert max(took for _, took in seen) < PROBE_LIMIT
        assert {each.health for each, _ in seen} <= {Health.HEALTHY, Health.STARTING, Health.BLOCKED}

    def test_a_frozen_server_is_blocked(self, server: Server) -> None:
        server.running.send_signal(signal.SIGSTOP)
        try:
            started = time.monotonic()
            assert server.hands.call("probe").health is Health.BLOCKED
            assert time.monotonic() - started < PROBE_LIMIT
        finally:
            server.running.send_signal(signal.SIGCONT)
        eventually(lambda: server.hands.call("probe").health is Health.HEALTHY)

    def test_the_probe_tells_version_and_metrics(self, server: Server) -> None:
        probe = server.hands.call("probe")
        assert probe.version == server.found.version
        assert {"connections", "max_connections", "uptime_seconds"} <= set(probe.metrics) <= set(REPORTED)

    def test_the_smallest_flavor_is_enough(self, farm: Farm, template: Server) -> None:
        smallest = self._engine.smallest_ram * MIB
        clone = farm.clone(template, identity(), memory=smallest)
        clone.start()
        password = Secret.generate()
        clone.hands.call("put_master", password)
        tenants = [clone.connect(clone.login(self._engine.master, password)) for _ in range(10)]
        for number, tenant in enumerate(tenants):
            tenant.write(f"{number}", "x" * 10_000)
        assert hands.resident(clone.running.pid) < smallest
        for tenant in tenants:
            tenant.close()
        assert clone.stop() == 0

    def test_no_password_is_in_an_argument_list_or_log(self, server: Server, master: Login) -> None:
        user = User("talkative", Secret.generate(), "%", self._databases(server, "talk"))
        server.hands.call("put_user", user)
        server.connect(server.login(user.name, user.password, *user.databases)).close()
        with pytest.raises(Refused):
            server.connect(replace(master, user="talkative"))
        secrets = {master.password, user.password.value, *_own_secrets(server)}
        words = " ".join(server.hands.call("service").argv) + server.log.read_text(errors="replace")
        words += "".join(_arguments(each) for each in hands.family(server.running.pid))
        assert not [secret for secret in secrets if secret in words]


def _seen_healthy(server: Server, seen: list[tuple[Probe, float]]) -> bool:
    server.keep_running()
    return bool(seen) and seen[-1][0].health is Health.HEALTHY


def _watch(server: Server, seen: list[tuple[Probe, float]], over: threading.Event) -> None:
    while not over.is_set():
        started = time.monotonic()
        probe = server.hands.call("probe")
        seen.append((probe, time.monotonic() - started))


def _own_secrets(server: Server) -> list[str]:
    """What the driver keeps in files that are secrets by their name."""
    return [each.read_text().strip() for each in server.site.state.glob("administrator")]


def _arguments(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
