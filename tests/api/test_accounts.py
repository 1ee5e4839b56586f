"""Databases and users of a running instance, behind the API a guest that keeps them in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backstage import Backstage, Memory, standing
from calling import As, Ready

from argosy import clock
from argosy.api.bell import Bell
from argosy.api.v1 import account_changes
from argosy.db.session import Database
from argosy.db.tables import Event, Guest, Instance, Lock, Run
from argosy.engines.accounts import Account, User
from argosy.engines.accounts import Database as Schema
from argosy.model.guest import Secret
from argosy.settings import Settings
from argosy.testing.waiting import eventually
from argosy.workflows.change_accounts import OPERATIONS

MARIADB = {"type": "mariadb"}
Begun = Callable[..., tuple[str, Memory]]
JOE = {"name": "joe", "password": "pw"}


@pytest.fixture
def backstage(settings: Settings, database: Database, bell: Bell) -> Iterator[Backstage]:
    with standing(settings, database, bell) as made:
        yield made


@pytest.fixture
def begun(ready: Ready, backstage: Backstage) -> Begun:
    """Path of an instance that is up, and its guest, which has databases `a` and `b` and user ann of `a`."""

    def begun(**more: Any) -> tuple[str, Memory]:
        instance_id = ready(**more)
        guest = Memory({name: Schema(name) for name in "ab"})
        guest.put_user(User("ann", Secret("old"), databases=("a",)))
        backstage.guests[instance_id] = guest
        return f"/instances/{instance_id}", guest

    return begun


def test_what_was_made_is_listed_at_once(begun: Begun, member: As) -> None:
    path, guest = begun()
    body = {"databases": [{"name": "shop", "character_set": "UTF8"}, {"name": "blog"}]}
    answer = member("POST", f"{path}/databases", body)
    assert (answer.status_code, answer.content) == (202, b"")
    assert member.get(f"{path}/databases") == {"databases": [{"name": name} for name in ("a", "b", "blog", "shop")]}
    assert guest.databases["shop"].character_set == "UTF8"


def test_a_database_is_deleted(begun: Begun, member: As) -> None:
    path, _ = begun()
    assert member("DELETE", f"{path}/databases/a").status_code == 202
    assert member.get(f"{path}/databases") == {"databases": [{"name": "b"}]}


def test_a_database_is_not_shown(begun: Begun, member: As) -> None:
    assert member.refused("GET", f"{begun()[0]}/databases/a")[:2] == (501, "notImplemented")


def test_a_user_is_made_with_rights(begun: Begun, member: As) -> None:
    path, guest = begun()
    user = {**JOE, "databases": [{"name": "a"}, {"name": "b"}]}
    assert member("POST", f"{path}/users", {"users": [user]}).status_code == 202
    view = {"name": "joe", "host": "%", "databases": [{"name": "a"}, {"name": "b"}]}
    assert member.get(f"{path}/users/joe") == {"user": view}
    assert member.get(f"{path}/users")["users"][1] == view
    assert guest.users[Account("joe")].password == Secret("pw")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/users/joe", {"users": {"password": "pw"}}),
        ("POST", "/users/joe", {"users": {"name": "joe", "password": "pw"}}),
        ("POST", "/users", {"user": JOE}),
        ("POST", "/users", {"users": JOE}),
    ],
)
def test_a_user_as_openstacksdk_asks_for_one(begun: Begun, member: As, method: str, path: str, body: object) -> None:
    base, guest = begun()
    assert member(method, f"{base}{path}", body).status_code == 202
    assert Account("joe") in guest.users


@pytest.mark.parametrize("body", [{"database": {"name": "c"}}, {"databases": {"name": "c"}}])
def test_a_database_as_openstacksdk_asks_for_one(begun: Begun, member: As, body: object) -> None:
    path, guest = begun()
    assert member("POST", f"{path}/databases", body).status_code == 202
    assert "c" in guest.databases


def test_users_of_one_name_from_different_hosts_are_different(begun: Begun, member: As) -> None:
    path, guest = begun(datastore=MARIADB)
    here = {**JOE, "host": "10.0.0.%"}
    assert member("POST", f"{path}/users", {"users": [JOE, here]}).status_code == 202
    assert member.get(f"{path}/users/joe@10%2e0.0.%25")["user"]["host"] == "10.0.0.%"
    assert member("DELETE", f"{path}/users/joe@10.0.0.%25").status_code == 202
    assert set(guest.users) == {Account("ann"), Account("joe")}
    assert member.get(f"{path}/users/joe@")["user"]["host"] == "%"


def test_where_hosts_mean_nothing_a_name_may_hold_an_at(begun: Begun, member: As) -> None:
    path, guest = begun()
    assert (
        member("POST", f"{path}/users", {"users": [{**JOE, "name": "joe@x.org", "host": "10.0.0.1"}]}).status_code
        == 202
    )
    for name in ("joe@x.org", "joe@x.org@%25", "joe@x.org@"):
        assert member.get(f"{path}/users/{name}")["user"] == {"name": "joe@x.org", "host": "%", "databases": []}
    assert Account("joe@x.org") in guest.users


def test_passwords_of_several(begun: Begun, member: As) -> None:
    path, guest = begun()
    member("POST", f"{path}/users", {"users": [JOE]})
    body = {"users": [{"name": "joe", "password": "new"}, {"name": "ann", "password": "newer"}]}
    assert member("PUT", f"{path}/users", body).status_code == 202
    assert {each.name: each.password.value for each in guest.users.values()} == {"joe": "new", "ann": "newer"}


def test_name_host_and_password_at_once(begun: Begun, member: As) -> None:
    path, guest = begun(datastore=MARIADB)
    body = {"user": {"name": "eve", "host": "10.1.2.3", "password": "new"}}
    assert member("PUT", f"{path}/users/ann", body).status_code == 202
    assert guest.users == {Account("eve", "10.1.2.3"): User("eve", Secret("new"), "10.1.2.3", ("a",))}


def test_rights_are_granted_listed_and_revoked(begun: Begun, member: As) -> None:
    path, _ = begun()
    access = f"{path}/users/ann/databases"
    assert member("PUT", access, {"databases": [{"name": "b"}]}).status_code == 202
    assert member.get(access) == {"databases": [{"name": "a"}, {"name": "b"}]}
    assert member("DELETE", f"{access}/a").status_code == 202
    assert member.get(access) == {"databases": [{"name": "b"}]}


UNKNOWN = (404, "itemNotFound")
BAD = (400, "badRequest")


@pytest.mark.parametrize(
    ("method", "path", "body", "refusal"),
    [
        ("POST", "/databases", None, BAD),
        ("POST", "/databases", {}, BAD),
        ("POST", "/databases", {"databases": []}, BAD),
        ("POST", "/databases", {"databases": ["c"]}, BAD),
        ("POST", "/databases", {"databases": [{"name": f"c{number}"} for number in range(101)]}, BAD),
        ("POST", "/databases", {"databases": [{"name": "a"}]}, BAD),
        ("POST", "/databases", {"databases": [{"name": "c"}, {"name": "c"}]}, BAD),
        ("POST", "/databases", {"databases": [{"name": "postgres"}]}, BAD),
        ("POST", "/databases", {"databases": [{"name": "c" * 64}]}, BAD),
        ("POST", "/databases", {"databases": [{"name": "c;d"}]}, BAD),
        ("DELETE", "/databases/c", None, UNKNOWN),
        ("DELETE", "/databases/postgres", None, BAD),
        ("POST", "/users", {"users": [{"name": "joe"}]}, BAD),
        ("POST", "/users", {"users": [{"name": "ann", "password": "pw"}]}, BAD),
        ("POST", "/users", {"users": [JOE, JOE]}, BAD),
        ("POST", "/users", {"users": [{"name": "os_admin", "password": "pw"}]}, BAD),
        ("POST", "/users", {"users": [{**JOE, "databases": [{"name": "c"}]}]}, BAD),
        ("PUT", "/users", {"users": [JOE]}, UNKNOWN),
        ("PUT", "/users", {"users": [{"name": "ann"}]}, BAD),
        ("PUT", "/users", {"users": [{"name": "root", "password": "mine"}]}, BAD),
        ("GET", "/users/joe", None, UNKNOWN),
        ("PUT", "/users/joe", {"user": {"name": "jim"}}, UNKNOWN),
        ("PUT", "/users/ann", {"user": {}}, BAD),
        ("PUT", "/users/ann", {"user": {"name": "root"}}, BAD),
        ("DELETE", "/users/joe", None, UNKNOWN),
        ("DELETE", "/users/root", None, BAD),
        ("DELETE", "/users/pg_monitor", None, BAD),
        ("GET", "/users/joe/databases", None, UNKNOWN),
        ("PUT", "/users/joe/databases", {"databases": [{"name": "a"}]}, UNKNOWN),
        ("PUT", "/users/ann/databases", {"databases": [{"name": "c"}]}, UNKNOWN),
        ("DELETE", "/users/ann/databases/c", None, UNKNOWN),
        ("DELETE", "/users/joe/databases/a", None, UNKNOWN),
    ],
)
def test_refused_before_anything_is_begun(
    begun: Begun, member: As, database: Database, method: str, path: str, body: object, refusal: tuple[int, str]
) -> None:
    base, _ = begun()
    assert member.refused(method, f"{base}{path}", body)[:2] == refusal
    with database.read() as session:
        assert session.query(Run).filter(Run.workflow.in_([each.name for each in OPERATIONS])).count() == 0


def test_a_new_name_that_is_taken(begun: Begun, member: As) -> None:
    path, guest = begun()
    member("POST", f"{path}/users", {"users": [JOE]})
    assert member.refused("PUT", f"{path}/users/joe", {"user": {"name": "ann"}})[0] == 400
    assert set(guest.users) == {Account("ann"), Account("joe")}


def test_pages(begun: Begun, member: As) -> None:
    path, guest = begun()
    for name in ("bob", "cid"):
        guest.put_user(User(name, Secret("pw")))
    first = member.get(f"{path}/users?limit=2")
    assert [each["name"] for each in first["users"]] == ["ann", "bob"]
    assert first["links"] == first["users_links"]
    assert first["links"][0]["href"].endswith(f"{path}/users?limit=2&marker=bob%40%25")
    last = member.get(f"{path}/users?limit=2&marker=bob%40%25")
    assert last == {"users": [{"name": "cid", "host": "%", "databases": []}]}
    first = member.get(f"{path}/databases?limit=1")
    assert (first["databases"], first["links"]) == ([{"name": "a"}], first["databases_links"])
    assert member.get(f"{path}/databases?limit=1&marker=a") == {"databases": [{"name": "b"}]}


def test_redis_has_users_and_no_databases(begun: Begun, member: As) -> None:
    path, guest = begun(datastore={"type": "redis"})
    guest.databases.clear()
    assert member("POST", f"{path}/users", {"users": [JOE]}).status_code == 202
    assert Account("joe") in guest.users
    for method, where, body in (
        ("GET", "/databases", None),
        ("POST", "/databases", {"databases": [{"name": "c"}]}),
        ("POST", "/users", {"users": [{**JOE, "name": "jim", "databases": [{"name": "c"}]}]}),
        ("GET", "/users/joe/databases", None),
        ("PUT", "/users/joe/databases", {"databases": [{"name": "c"}]}),
        ("DELETE", "/users/joe/databases/c", None),
    ):
        assert member.refused(method, f"{path}{where}", body)[:2] == (501, "notImplemented")


def test_what_goes_wrong_in_the_guest_is_seen(begun: Begun, member: As) -> None:
    path, guest = begun()
    guest.refusal = "PostgreSQL: the disk is full"
    assert member.refused("POST", f"{path}/databases", {"databases": [{"name": "c"}]})[::2] == (400, guest.refusal)
    assert member.get(path)["instance"]["fault"]["message"] == guest.refusal
    (operation, *_) = member.get(f"{path}/operations")["operations"]
    assert (operation["operation"], operation["state"], operation["error"]) == (
        "create_databases",
        "failed",
        guest.refusal,
    )


def test_a_silent_guest_is_told(ready: Ready, member: As, backstage: Backstage) -> None:
    assert not backstage.guests
    begun = clock.monotonic()
    assert member.refused("GET", f"/instances/{ready()}/users")[:2] == (503, "serviceUnavailable")
    assert clock.monotonic() - begun < 10


@pytest.mark.parametrize("path", ["/users", "/databases"])
def test_a_server_that_is_down_is_not_asked(begun: Begun, member: As, database: Database, path: str) -> None:
    base, _ = begun()
    with database.write() as session:
        session.query(Guest).update({"health": "down"})
    assert member.refused("GET", f"{base}{path}")[:2] == (422, "unprocessableEntity")


def test_others_see_and_change_nothing(begun: Begun, stranger: As) -> None:
    path, guest = begun()
    assert stranger.refused("GET", f"{path}/users")[0] == 404
    assert stranger.refused("DELETE", f"{path}/databases/a")[0] == 404
    assert "a" in guest.databases


def test_while_others_need_the_instance_alone(
    begun: Begun, member: As, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_changes, "PATIENCE", 0.2)
    path, guest = begun()
    with database.write() as session:
        session.add(Lock(subject=path.removeprefix("/instances/"), holder="", run_id="somebody"))
    assert member.refused("DELETE", f"{path}/databases/a")[:2] == (422, "unprocessableEntity")
    assert "a" in guest.databases


def test_requests_one_after_another_build_on_each_other(begun: Begun, member: As) -> None:
    path, guest = begun()
    for number in range(5):
        assert member("POST", f"{path}/databases", {"databases": [{"name": f"d{number}"}]}).status_code == 202
        user = {"name": f"u{number}", "password": "pw", "databases": [{"name": f"d{number}"}]}
        assert member("POST", f"{path}/users", {"users": [user]}).status_code == 202
    assert len(guest.users) == 6


def test_a_change_that_takes_long_is_answered_before_it_is_done(
    begun: Begun, member: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, guest = begun()
    guest.held = True
    assert member("POST", f"{path}/databases", {"databases": [{"name": "c"}]}).status_code == 202
    assert member.get(f"{path}/databases") == {"databases": [{"name": "a"}, {"name": "b"}]}
    monkeypatch.setattr(account_changes, "PATIENCE", 0.2)
    assert member.refused("DELETE", f"{path}/databases/a")[:2] == (422, "unprocessableEntity")
    guest.held = False
    eventually(lambda: "c" in guest.databases)


def test_every_change_is_told_with_its_names(begun: Begun, member: As, database: Database) -> None:
    path, _ = begun()
    member("PUT", f"{path}/users/ann/databases", {"databases": [{"name": "b"}]})
    with database.read() as session:
        told = {each.kind: each for each in session.query(Event).filter(Event.kind.like("dbaas.user_grant.%"))}
    assert set(told) == {"dbaas.user_grant.start", "dbaas.user_grant.end"}
    assert told["dbaas.user_grant.start"].payload.items() >= {"username": "ann", "database": "b"}.items()
    assert {each.actor for each in told.values()} == {"user-blue-member"}


def test_root_is_taken_away_and_given_back(begun: Begun, member: As, database: Database) -> None:
    path, guest = begun()
    guest.put_master(Secret("told at create"))
    answer = member("DELETE", f"{path}/root")
    assert (answer.status_code, answer.content, guest.master) == (204, b"", None)
    assert member.get(f"{path}/root") == {"rootEnabled": False}
    assert member.refused("DELETE", f"{path}/root")[:2] == UNKNOWN
    password = member("POST", f"{path}/root").json["user"]["password"]
    assert guest.master == Secret(password)
    assert member.get(f"{path}/root") == {"rootEnabled": True}
    with database.read() as session:
        row = session.query(Instance).one()
    assert row.master_told_by == "user-blue-member"
    assert row.master_told_at == pytest.approx(row.created, abs=10)
