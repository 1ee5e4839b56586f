"""TLS of every engine that Argosy ships."""

from __future__ import annotations

import uuid
from dataclasses import replace

from argosy.guest import authority
from argosy.model.guest import Secret, TlsMode
from argosy.testing.clients import Login
from argosy.testing.contracts.tls import TlsContract
from argosy.testing.servers import Server


class TestPostgresql15(TlsContract):
    engine = "postgresql"
    version = "15"


class TestPostgresql17(TlsContract):
    engine = "postgresql"
    version = "17"


class TestMariadb(TlsContract):
    engine = "mysql"
    version = "10.11"
    restarts = True

    def test_users_that_the_master_made_need_a_certificate_too(self, server: Server, master: Login) -> None:
        name = f"own{uuid.uuid4().hex[:8]}"
        tenant = server.connect(master)
        tenant.run(f"CREATE USER {name}@'%' IDENTIFIED BY 'pw'")
        tenant.close()
        login = server.login(name, Secret("pw"))
        assert self.comes_in(server, login)
        self.speak(server, TlsMode.MTLS)
        assert not self.comes_in(server, login)
        self.speak(server, TlsMode.ENFORCED)
        assert self.comes_in(server, login)

    def test_users_that_the_master_makes_later_need_one_with_the_next_probe(
        self, server: Server, master: Login
    ) -> None:
        ours = authority.opened(authority.of_clients("ours"))
        self.speak(server, TlsMode.MTLS, ours.pem)
        issued = ours.issue_client("app", 1)
        name, pair = f"later{uuid.uuid4().hex[:8]}", issued.private_key + issued.certificate
        tenant = server.connect(replace(master, pair=pair))
        tenant.run(f"CREATE USER {name}@'%' IDENTIFIED BY 'pw'")
        tenant.close()
        server.hands.call("probe")
        login = server.login(name, Secret("pw"))
        assert not self.comes_in(server, login)
        assert self.comes_in(server, replace(login, pair=pair))


class TestRedis(TlsContract):
    engine = "redis"
    version = "7.0"
    basic_offset = 1
