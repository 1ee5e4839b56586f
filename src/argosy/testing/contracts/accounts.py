"""What every engine with accounts promises, proved by tenants who log in, or cannot any more."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import ClassVar

import pytest

from argosy import errors
from argosy.engines import registry
from argosy.engines.accounts import Account, Database, User
from argosy.engines.base import Capability, Engine
from argosy.model.guest import Secret
from argosy.testing.clients import Login, Refused, Tenant
from argosy.testing.servers import Server
from argosy.testing.waiting import eventually

NASTY_NAME = "o'hara\"; DROP `x` --"
NASTY_PASSWORD = Secret("p'\"\\`%s {};$1 é")


class AccountsContract:
    """A part of EngineContract, whose server and master it uses."""

    engine: ClassVar[str]
    nasty_name: ClassVar[str] = NASTY_NAME

    @property
    def _engine(self) -> Engine:
        return registry.get(self.engine)

    @property
    def _has_databases(self) -> bool:
        return Capability.DATABASES in self._engine.capabilities

    def test_the_masters_password_can_be_reset(self, server: Server, master: Login) -> None:
        new = Secret.generate()
        server.hands.call("put_master", new)
        with pytest.raises(Refused):
            server.connect(master)
        server.connect(replace(master, password=new.value)).close()

    def test_users_with_the_worst_of_names_and_passwords(self, server: Server) -> None:
        databases = self._databases(server, self.nasty_name, "plain")
        user = User(self.nasty_name, NASTY_PASSWORD, "%", databases[:1])
        server.hands.call("put_user", user)
        server.hands.call("put_user", user)
        assert Account(self.nasty_name) in server.hands.call("list_users")
        login = server.login(user.name, user.password, *databases[:1])
        tenant = server.connect(login)
        tenant.write("nasty", NASTY_NAME)
        assert tenant.read("nasty") == NASTY_NAME
        tenant.close()
        server.hands.call("put_user", replace(user, password=Secret("another")))
        with pytest.raises(Refused):
            server.connect(login)

    def test_a_user_of_one_database_cannot_enter_another(self, server: Server, master: Login) -> None:
        if Capability.DATABASES not in self._engine.capabilities:
            pytest.skip(f"{self._engine.title} has no databases of their own")
        own, twin, other = self._databases(server, "a_b", "axb", "other")
        user = User("only", Secret("only"), "%", (own,))
        server.hands.call("put_user", user)
        server.connect(server.login("only", user.password, own)).close()
        for foreign in (twin, other):
            server.connect(replace(master, database=foreign)).close()
            with pytest.raises(Refused):
                server.connect(server.login("only", user.password, foreign))

    def test_what_is_the_systems_is_hidden_and_refused(self, server: Server, master: Login) -> None:
        names = self._engine.names
        assert not {each.name for each in server.hands.call("list_users")} & names.reserved_users
        assert not set(server.hands.call("list_databases")) & names.reserved_databases
        for name in (self._engine.master, "os_admin"):
            with pytest.raises(errors.Rejected):
                server.hands.call("put_user", User(name, Secret("mine now")))
        server.connect(master).close()

    def test_a_disabled_master_is_nobody(self, server: Server, master: Login) -> None:
        before = server.connect(master)
        server.hands.call("disable_master")
        server.hands.call("disable_master")
        assert _is_dropped(before)
        with pytest.raises(Refused):
            server.connect(master)
        server.hands.call("put_master", Secret(master.password))
        server.connect(master).close()

    def test_a_user_that_is_dropped_is_out(self, server: Server) -> None:
        user = self._user(server, "leaver")
        tenant = server.connect(self._login(server, user))
        tenant.write("kept", "for others")
        server.hands.call("drop_user", user.account)
        server.hands.call("drop_user", user.account)
        assert user.account not in server.hands.call("list_users")
        assert _is_dropped(tenant)
        with pytest.raises(Refused):
            server.connect(self._login(server, user))

    def test_others_stay_connected_while_users_come_and_go(self, server: Server) -> None:
        stays, goes = self._user(server, "stays"), self._user(server, "goes")
        tenant = server.connect(self._login(server, stays))
        server.hands.call("set_password", stays.account, Secret("another"))
        server.hands.call("rename_user", goes.account, Account("gone"))
        server.hands.call("drop_user", Account("gone"))
        tenant.write("still", "here")
        assert tenant.read("still") == "here"
        tenant.close()

    def test_a_renamed_user_keeps_password_and_rights(self, server: Server) -> None:
        user, new = self._user(server, "bride"), Account("married")
        tenant = server.connect(self._login(server, user))
        tenant.write("dowry", "kept")
        tenant.close()
        server.hands.call("rename_user", user.account, new)
        server.hands.call("rename_user", user.account, new)
        users = server.hands.call("list_users")
        assert (user.account in users, new in users) == (False, True)
        assert server.hands.call("access", [new]) == {new: list(user.databases)}
        tenant = server.connect(replace(self._login(server, user), user="married"))
        assert tenant.read("dowry") == "kept"
        tenant.close()
        server.hands.call("drop_user", new)

    def test_a_password_alone_can_be_changed(self, server: Server) -> None:
        user = self._user(server, "forgetful")
        server.hands.call("set_password", user.account, Secret("new one"))
        with pytest.raises(Refused):
            server.connect(self._login(server, user))
        server.connect(replace(self._login(server, user), password="new one")).close()
        assert server.hands.call("access", [user.account]) == {user.account: list(user.databases)}

    def test_rights_are_granted_and_revoked(self, server: Server) -> None:
        self._require_databases()
        first, second = self._databases(server, "first", "second")
        user = User("guest", Secret("guest"), databases=(first,))
        server.hands.call("put_user", user)
        server.hands.call("grant", user.account, (second,))
        server.hands.call("grant", user.account, (second,))
        assert server.hands.call("access", [user.account]) == {user.account: [first, second]}
        inside = server.connect(server.login(user.name, user.password, first))
        beside = server.connect(server.login(user.name, user.password, second))
        server.hands.call("revoke", user.account, first)
        server.hands.call("revoke", user.account, first)
        assert server.hands.call("access", [user.account]) == {user.account: [second]}
        assert _is_dropped(inside)
        with pytest.raises(Refused):
            server.connect(server.login(user.name, user.password, first))
        beside.write("still", "in")
        assert beside.read("still") == "in"
        beside.close()

    def test_what_a_dropped_user_owned_is_the_masters(self, server: Server, master: Login) -> None:
        self._require_databases()
        (name,) = self._databases(server, "estate")
        heir = replace(master, database=name)
        user = User("testator", Secret("testator"), databases=(name,))
        server.hands.call("put_user", user)
        tenant = server.connect(server.login(user.name, user.password, name))
        tenant.write("house", "and garden")
        tenant.close()
        server.hands.call("drop_user", user.account)
        tenant = server.connect(heir)
        assert tenant.read("house") == "and garden"
        tenant.close()

    def test_a_dropped_database_is_gone_with_whoever_was_in_it(self, server: Server, master: Login) -> None:
        self._require_databases()
        (name,) = self._databases(server, "a_b%c")
        user = User("tenant", Secret("tenant"), databases=(name,))
        server.hands.call("put_user", user)
        tenant = server.connect(server.login(user.name, user.password, name))
        tenant.write("furniture", "all of it")
        server.hands.call("drop_database", name)
        server.hands.call("drop_database", name)
        assert name not in server.hands.call("list_databases")
        _expect_nothing(tenant, "furniture")
        self._databases(server, name)
        assert server.hands.call("access", [user.account]) == {user.account: []}
        with pytest.raises(Refused):
            server.connect(server.login(user.name, user.password, name))
        server.connect(replace(master, database=name)).close()

    def test_the_systems_own_cannot_be_changed(self, server: Server, master: Login) -> None:
        for name in (self._engine.master, "os_admin"):
            account = Account(name)
            for verb, *more in (
                ("drop_user",),
                ("set_password", Secret("mine now")),
                ("rename_user", Account("mine")),
                ("grant", ("plain",)),
            ):
                with pytest.raises(errors.Rejected):
                    server.hands.call(verb, account, *more)
        for name in self._engine.names.reserved_databases:
            with pytest.raises(errors.Rejected):
                server.hands.call("drop_database", name)
        server.connect(master).close()

    def _require_databases(self) -> None:
        if not self._has_databases:
            pytest.skip(f"{self._engine.title} has no databases of their own")

    def _user(self, server: Server, name: str) -> User:
        """Made, with a database of its own where there are databases."""
        user = User(name, Secret("plain word"), databases=self._databases(server, f"{name}s"))
        server.hands.call("put_user", user)
        return user

    def _login(self, server: Server, user: User) -> Login:
        return server.login(user.name, user.password, *user.databases)

    def _databases(self, server: Server, *names: str) -> tuple[str, ...]:
        """Made, where the engine has them."""
        if Capability.DATABASES not in self._engine.capabilities:
            return ()
        for name in names:
            server.hands.call("put_database", Database(name))
            server.hands.call("put_database", Database(name))
        assert set(names) <= set(server.hands.call("list_databases"))
        return names


def _is_dropped(tenant: Tenant) -> bool:
    """Soon; closes it."""
    dropped = eventually(lambda: _refuses(tenant))
    with contextlib.suppress(Refused):
        tenant.close()
    return dropped


def _refuses(tenant: Tenant) -> bool:
    try:
        tenant.run("SELECT 1")
    except Refused:
        return True
    return False


def _expect_nothing(tenant: Tenant, key: str) -> None:
    """It can read nothing any more; closes it."""
    with pytest.raises(Refused):
        tenant.read(key)
    with contextlib.suppress(Refused):
        tenant.close()
