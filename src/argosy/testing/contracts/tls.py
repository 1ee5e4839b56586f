"""What every engine promises about TLS, proved with a real server: each mode, the ways between them, and that nobody
who comes and goes notices a new certificate.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import ClassVar

import pytest

from argosy.engines import handshake, registry
from argosy.engines.handshake import Handshake
from argosy.guest import authority
from argosy.model.guest import Identity, Secret, TlsMode
from argosy.testing import servers
from argosy.testing.clients import Login, Refused
from argosy.testing.servers import Farm, Server
from argosy.testing.waiting import eventually

RENEWALS = 20
BETWEEN = 3
"""queries at least between two renewals"""


class TlsContract:
    engine: ClassVar[str]
    version: ClassVar[str] = ""
    basic_offset: ClassVar[int] = 0
    """where plaintext is spoken in mode `basic`, from the endpoint's port"""
    restarts: ClassVar[bool] = False
    """TLS is switched on and off by a restart only"""

    @pytest.fixture(scope="class")
    @classmethod
    def farm(cls) -> Iterator[Farm]:
        with servers.farm() as farm:
            yield farm

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, farm: Farm) -> Server:
        template = farm.template(registry.get(cls.engine), servers.require(cls.engine, cls.version))
        server = farm.clone(template, Identity(str(uuid.uuid4()), 1))
        server.start()
        return server

    @pytest.fixture
    def master(self, server: Server) -> Login:
        self.speak(server, TlsMode.ENFORCED)
        password = Secret.generate()
        server.hands.call("put_master", password)
        return server.login(registry.get(self.engine).master, password)

    def speak(self, server: Server, mode: TlsMode, clients: str = "") -> None:
        """In this mode, for certain."""
        if server.speak(mode, clients):
            assert self.restarts
            assert server.stop() == 0
            server.start()
            assert not server.speak(mode, clients)

    @pytest.mark.parametrize("before", TlsMode)
    @pytest.mark.parametrize("mode", TlsMode)
    def test_every_mode_from_every_other(self, server: Server, master: Login, before: TlsMode, mode: TlsMode) -> None:
        self.speak(server, before)
        self.speak(server, mode)
        seen = {
            "plain": self.comes_in(server, self.plainly(master, mode)),
            "tls": self.comes_in(server, replace(master, patience=1)),
        }
        assert seen == {"plain": mode in {TlsMode.BASIC, TlsMode.OFF}, "tls": mode in {TlsMode.BASIC, TlsMode.ENFORCED}}

    def test_a_client_shows_a_certificate_of_the_right_authority(self, server: Server, master: Login) -> None:
        ours, others = (authority.opened(authority.of_clients(name)) for name in ("ours", "others"))
        self.speak(server, TlsMode.MTLS, ours.pem)
        for signing, good in ((ours, True), (others, False)):
            issued = signing.issue_client("app", 1)
            pair = issued.private_key + issued.certificate
            assert self.comes_in(server, replace(master, pair=pair)) is good
        assert not self.comes_in(server, master)

    def test_a_servers_certificate_is_none_of_a_client(self, server: Server, master: Login) -> None:
        ours = authority.opened(authority.of_clients("ours"))
        self.speak(server, TlsMode.MTLS, ours.pem)
        issued = ours.issue([server.site.address], 1)
        assert not self.comes_in(server, replace(master, pair=issued.private_key + issued.certificate))

    @pytest.mark.parametrize("mode", TlsMode)
    def test_what_is_shown_can_be_seen(self, server: Server, master: Login, mode: TlsMode) -> None:
        self.speak(server, mode)
        server.issue_certificate()
        server.hands.call("reload_certificates")
        assert self.comes_in(server, self.plainly(master, mode)) is (mode in {TlsMode.BASIC, TlsMode.OFF})
        driver = server.engine.load_driver()(server.site)
        assert isinstance(driver, Handshake)
        wanted = b"" if mode is TlsMode.OFF else handshake.given(driver)
        eventually(lambda: self.shown(driver) == wanted)

    def test_who_comes_and_goes_notices_no_renewal(self, server: Server, master: Login) -> None:
        with coming_and_going(server, master) as seen:
            for _ in range(RENEWALS):
                enough = len(seen) + BETWEEN
                server.issue_certificate()
                server.hands.call("reload_certificates")
                eventually(lambda enough=enough: len(seen) >= enough, every=0.005)  # type: ignore[misc]
        assert not [each for each in seen if each]

    def shown(self, driver: Handshake) -> bytes:
        with suppress(OSError):
            return handshake.shown(driver)
        return b""

    def plainly(self, login: Login, mode: TlsMode) -> Login:
        offset = self.basic_offset if mode is TlsMode.BASIC else 0
        return replace(login, authority="", port=login.port + offset)

    def comes_in(self, server: Server, login: Login) -> bool:
        """Whether it can ask something."""
        try:
            tenant = server.connect(login)
            tenant.read("nothing") if self.engine == "redis" else tenant.run("SELECT 1")
            tenant.close()
        except Refused:
            return False
        return True


@contextmanager
def coming_and_going(server: Server, login: Login) -> Iterator[list[str]]:
    """A client that connects, asks and leaves all the time; what went wrong each time, empty where nothing did."""
    seen: list[str] = []
    over = threading.Event()
    thread = threading.Thread(target=_come_and_go, args=(server, login, seen, over))
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _come_and_go(server: Server, login: Login, seen: list[str], over: threading.Event) -> None:
    while not over.is_set():
        try:
            tenant = server.connect(login)
            tenant.run("PING" if server.engine.name == "redis" else "SELECT 1")
            tenant.close()
            seen.append("")
        except Refused as error:
            seen.append(str(error) or "refused")
