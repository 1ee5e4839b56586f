"""Every engine that Argosy ships, in every version that can be had for a test."""

from __future__ import annotations

import contextlib
from typing import ClassVar

import pytest

from argosy import errors
from argosy.engines.accounts import Account, User
from argosy.model.guest import Health, Identity, Secret
from argosy.testing.clients import Login, Refused
from argosy.testing.contracts.engine import EngineContract
from argosy.testing.servers import Server
from argosy.testing.waiting import eventually


class PostgresqlContract(EngineContract):
    engine = "postgresql"
    restart_override: ClassVar = ("max_connections", 40)

    def identity(self, server: Server) -> str:
        control = (server.site.data / "db" / "global" / "pg_control").read_bytes()
        return control[:8].hex()

    def test_a_running_server_keeps_its_identity(self, server: Server) -> None:
        with pytest.raises(errors.GuestFailed, match="runs on"):
            server.hands.call("adopt", Identity("00000000-0000-4000-8000-000000000001", 1))

    def test_the_running_server_has_the_identity_on_disk(self, server: Server, master: Login) -> None:
        tenant = server.connect(master)
        [[number]] = tenant.run("SELECT system_identifier FROM pg_control_system()")
        assert number.to_bytes(8, "little").hex() == self.identity(server)
        tenant.close()

    @pytest.mark.parametrize(
        "statement",
        [
            "GRANT pg_execute_server_program TO root",
            "GRANT pg_read_server_files TO root",
            "GRANT pg_write_server_files TO root",
            "GRANT os_admin TO root",
            "SET ROLE os_admin",
            "ALTER ROLE root SUPERUSER",
            "ALTER ROLE os_admin PASSWORD 'mine'",
            "UPDATE pg_authid SET rolsuper = true WHERE rolname = 'root'",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT pg_read_file('PG_VERSION')",
            "CREATE EXTENSION dblink",
            "ALTER SYSTEM SET fsync = off",
        ],
    )
    def test_the_master_is_not_the_administrator(self, server: Server, master: Login, statement: str) -> None:
        tenant = server.connect(master)
        with pytest.raises(Refused, match=r"(?i)superuser|permission|must|option|only roles"):
            tenant.run(statement)
        tenant.close()

    def test_the_master_makes_roles_and_databases(self, server: Server, master: Login) -> None:
        tenant = server.connect(master)
        tenant.run("CREATE ROLE report LOGIN PASSWORD 'x' IN ROLE pg_read_all_data")
        tenant.run("CREATE DATABASE reports")
        tenant.run("CREATE EXTENSION IF NOT EXISTS pgcrypto")
        tenant.close()

    def test_a_database_open_to_everybody_is_closed_to_one(self, server: Server, master: Login) -> None:
        tenant = server.connect(master)
        tenant.run("CREATE DATABASE open")
        tenant.close()
        one, other = (User(name, Secret(name)) for name in ("one", "other"))
        for each in (one, other):
            server.hands.call("put_user", each)
        assert "open" in server.hands.call("access", [one.account])[one.account]
        server.hands.call("revoke", one.account, "open")
        with pytest.raises(Refused):
            server.connect(server.login(one.name, one.password, "open"))
        server.connect(server.login(other.name, other.password, "open")).close()

    def test_who_owns_a_database_can_be_shut_out(self, server: Server, master: Login) -> None:
        owner = User("landlord", Secret("landlord"))
        server.hands.call("put_user", owner)
        tenant = server.connect(master)
        tenant.run("CREATE DATABASE castle")
        server.hands.call("grant", owner.account, ("castle",))
        tenant.close()
        tenant = server.connect(server.login(owner.name, owner.password, "castle"))
        server.hands.call("revoke", owner.account, "castle")
        with pytest.raises(Refused):
            tenant.run("GRANT CONNECT ON DATABASE castle TO landlord")
        with contextlib.suppress(Refused):
            tenant.close()

    def test_a_right_that_is_another_roles_is_not_revoked_in_silence(self, server: Server, master: Login) -> None:
        (name,) = self._databases(server, "club")
        member = User("member", Secret("member"))
        server.hands.call("put_user", member)
        tenant = server.connect(master)
        tenant.run("CREATE ROLE members")
        tenant.run(f"GRANT CONNECT ON DATABASE {name} TO members")
        if server.found.version.startswith("15."):
            tenant.run("GRANT members TO member")
            with pytest.raises(errors.Conflict, match="another role"):
                server.hands.call("revoke", member.account, name)
        tenant.close()

    def test_data_pages_have_checksums(self, server: Server, master: Login) -> None:
        tenant = server.connect(master)
        assert tenant.run("SHOW data_checksums") == [["on"]]
        tenant.close()


class TestPostgresql15(PostgresqlContract):
    version = "15"


class TestPostgresql17(PostgresqlContract):
    version = "17"


class TestMariadb(EngineContract):
    engine = "mysql"
    version = "10.11"
    restart_override: ClassVar = ("back_log", 70)
    nasty_name = "o'hara\"; DROP `x` -"

    def identity(self, server: Server) -> str:
        return (server.site.state / "identity.cnf").read_text().split("init_file")[0]

    def test_the_running_server_has_the_identity_on_disk(self, server: Server, master: Login) -> None:
        tenant = server.connect(master)
        [(server_id, domain)] = tenant.run("SELECT @@server_id, @@gtid_domain_id")
        assert f"server_id = {server_id}\ngtid_domain_id = {domain}\n" in self.identity(server)
        tenant.close()

    def test_a_running_server_keeps_its_identity(self, server: Server) -> None:
        with pytest.raises(errors.GuestFailed, match="runs on"):
            server.hands.call("adopt", Identity("00000000-0000-4000-8000-000000000001", 1))

    @pytest.mark.parametrize(
        "statement",
        [
            "SET GLOBAL max_connections = 1",
            "SHUTDOWN",
            "SELECT 1 INTO OUTFILE '/tmp/ag-never'",
            "UPDATE mysql.global_priv SET Priv = '{}'",
            "DELETE FROM mysql.db",
            "GRANT SUPER ON *.* TO root@'%'",
            "GRANT FILE ON *.* TO root@'%'",
            "INSTALL SONAME 'auth_pam'",
        ],
    )
    def test_the_master_does_not_administer_the_server(self, server: Server, master: Login, statement: str) -> None:
        tenant = server.connect(master)
        with pytest.raises(Refused, match=r"(?i)denied"):
            tenant.run(statement)
        tenant.close()

    def test_the_master_makes_users_and_databases(self, server: Server, master: Login) -> None:
        tenant = server.connect(master)
        tenant.run("CREATE DATABASE IF NOT EXISTS reports")
        tenant.run("CREATE USER IF NOT EXISTS report@'%' IDENTIFIED BY 'x'")
        tenant.run("GRANT ALL PRIVILEGES ON reports.* TO report@'%'")
        tenant.close()

    def test_a_right_for_a_pattern_is_not_revoked_in_silence(self, server: Server, master: Login) -> None:
        (name,) = self._databases(server, "app1")
        user = User("patterned", Secret("patterned"))
        server.hands.call("put_user", user)
        tenant = server.connect(master)
        tenant.run("GRANT ALL ON `app%`.* TO patterned@'%'")
        tenant.close()
        assert server.hands.call("access", [user.account]) == {user.account: [name]}
        with pytest.raises(errors.Conflict, match="pattern"):
            server.hands.call("revoke", user.account, name)

    def test_users_of_one_name_from_different_hosts_are_different(self, server: Server) -> None:
        here, there = User("twin", Secret("here"), "127.%"), User("twin", Secret("there"), "10.0.0.1")
        for each in (here, there):
            server.hands.call("put_user", each)
        server.hands.call("set_password", there.account, Secret("other"))
        server.connect(server.login("twin", Secret("here"))).close()
        server.hands.call("drop_user", there.account)
        assert here.account in server.hands.call("list_users")
        server.connect(server.login("twin", Secret("here"))).close()

    def test_who_takes_the_administrator_does_not_keep_it(self, server: Server, master: Login) -> None:
        """Nothing in MariaDB keeps CREATE USER from any account, so the next look at the server undoes it."""
        tenant = server.connect(master)
        tenant.run("RENAME USER os_admin@localhost TO thief@'%'")
        tenant.run("ALTER USER thief@'%' IDENTIFIED BY 'mine'")
        tenant.close()
        thief = server.connect(server.login("thief", Secret("mine")))
        thief.run("GRANT SUPER, FILE ON *.* TO root@'%'")
        thief.run("GRANT ALL ON mysql.* TO root@'%'")
        thief.run("RENAME USER thief@'%' TO os_admin@localhost")
        thief.run("CREATE USER accomplice@'%' IDENTIFIED BY 'mine'")
        thief.run("GRANT ALL ON *.* TO accomplice@'%'")
        thief.run("GRANT ALL ON `%`.* TO accomplice@'%'")
        thief.run("CREATE DATABASE den")
        thief.run("CREATE DEFINER=os_admin@localhost PROCEDURE den.work() SET GLOBAL max_connections = 1")
        assert server.hands.call("probe").health is Health.STARTING
        assert server.running.wait(30) == 0
        server.revive()
        with contextlib.suppress(Refused):
            thief.close()
        for who in (master, server.login("accomplice", Secret("mine"))):
            tenant = server.connect(who)
            for statement in ("SET GLOBAL max_connections = 1", "DELETE FROM mysql.db", "CALL den.work()"):
                with pytest.raises(Refused, match=r"(?i)denied"):
                    tenant.run(statement)
            tenant.close()
        server.hands.call("drop_database", "den")
        server.hands.call("drop_user", Account("accomplice"))

    def test_a_start_takes_the_administrator_back(self, server: Server, master: Login) -> None:
        tenant = server.connect(master)
        tenant.run("RENAME USER os_admin@localhost TO os_admin@'%'")
        tenant.run("ALTER USER os_admin@'%' IDENTIFIED BY 'mine'")
        tenant.close()
        assert server.stop() == 0
        server.start()
        with pytest.raises(Refused):
            server.connect(Login(master.host, master.port, "os_admin", "mine", master.authority))


class TestRedis(EngineContract):
    engine = "redis"
    version = "7.0"
    restart_override: ClassVar = ("databases", 3)
    plaintext_port_offset = 1
    nasty_name = "o'hara\";DROP`x`--"

    def identity(self, server: Server) -> str:
        return (server.site.state / "administrator").read_text()

    @pytest.mark.parametrize(
        "statement",
        [
            "CONFIG GET *",
            "CONFIG SET dir /tmp",
            "SHUTDOWN NOSAVE",
            "DEBUG SLEEP 0",
            "MODULE LOAD /tmp/x.so",
            "ACL SETUSER os_admin nopass",
            "ACL LIST",
            "REPLICAOF 127.0.0.1 1",
            "MIGRATE 127.0.0.1 1 key 0 1",
            "SAVE",
        ],
    )
    def test_the_master_does_not_administer_the_server(self, server: Server, master: Login, statement: str) -> None:
        tenant = server.connect(master)
        with pytest.raises(Refused, match=r"(?i)permission|not allowed"):
            tenant.run(statement)
        tenant.close()

    @pytest.mark.parametrize("statement", ["ACL WHOAMI", "CLIENT LIST", "SLOWLOG GET", "INFO", "FLUSHALL", "KEYS *"])
    def test_the_master_uses_the_server(self, server: Server, master: Login, statement: str) -> None:
        tenant = server.connect(master)
        tenant.run(statement)
        tenant.close()

    def test_users_outlive_a_restart(self, server: Server, master: Login) -> None:
        assert server.stop() == 0
        server.start()
        server.connect(master).close()

    def test_a_saving_that_nobody_wants_is_ended(self, server: Server, master: Login) -> None:
        """And counts as no failure: a server that saves by itself would refuse writes after one."""
        tenant = server.connect(master)
        for number in range(10):
            tenant.write(f"slow-{number}", "to be saved")
        with server.hands.driver(server.site).session() as session:
            session.command("CONFIG", "SET", "rdb-key-save-delay", "10000000")
            session.command("BGSAVE")
            eventually(lambda: list(server.site.data.glob("db/temp-*.rdb")))
            server.hands.call("tidy")
            eventually(lambda: "rdb_bgsave_in_progress:0" in str(session.command("INFO", "persistence")))
            assert "rdb_last_bgsave_status:ok" in str(session.command("INFO", "persistence"))
            session.command("CONFIG", "SET", "rdb-key-save-delay", "0")
            session.command("SAVE")
        server.hands.call("tidy")
        assert not list(server.site.data.glob("db/*.rdb"))
        tenant.close()
