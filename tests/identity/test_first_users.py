"""The first users of a deployment."""

from __future__ import annotations

import pytest
from identity_client import Service
from sqlalchemy import select

from argosy.db.session import Database
from argosy.db.tables import Account, Project
from argosy.identity.local.bootstrap import bootstrap


def test_an_admin_and_a_tenant_are_there_to_begin_with(service: Service) -> None:
    told = {user: service.log_in(user).body["token"] for user in ("admin", "demo")}
    assert {user: token["project"]["name"] for user, token in told.items()} == {"admin": "admin", "demo": "demo"}
    assert "admin" in {role["name"] for role in told["admin"]["roles"]}
    assert "admin" not in {role["name"] for role in told["demo"]["roles"]}


def test_again_it_changes_nothing_also_after_demo_was_removed(service: Service) -> None:
    service.admin("DELETE", f"/v3/users/{service.id_of('users', 'demo')}")
    told: list[object] = []
    bootstrap(service.database, told.append)
    assert told == []
    assert service.log_in("admin").status == 201
    assert service.log_in("demo").status == 401


def test_nobody_is_made_whose_password_could_not_be_kept(database: Database) -> None:
    def keep(_made: object) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        bootstrap(database, keep)
    with database.read() as session:
        assert session.scalars(select(Account)).all() == []
        assert session.scalars(select(Project)).all() == []


def test_passwords_do_not_print(database: Database) -> None:
    kept: list[object] = []
    bootstrap(database, kept.extend)
    assert len(kept) == 2
    assert not any(each.password in repr(kept) for each in kept)
