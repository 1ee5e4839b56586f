"""Instances below /mgmt."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from calling import As, Create, Ready

from argosy.api.bell import Bell
from argosy.db.session import Database
from argosy.db.tables import Command, Instance
from argosy.guest import mailbox
from argosy.model import wire
from argosy.testing.waiting import eventually

ANYTHING = "00000000-0000-4000-8000-000000000000"
ROUTES = (
    ("GET", "/mgmt/instances"),
    ("GET", f"/mgmt/instances/{ANYTHING}"),
    ("POST", f"/mgmt/instances/{ANYTHING}/action"),
    ("GET", f"/mgmt/instances/{ANYTHING}/root"),
    ("GET", f"/mgmt/instances/{ANYTHING}/diagnostics"),
    ("GET", f"/mgmt/instances/{ANYTHING}/hwinfo"),
    ("GET", f"/mgmt/instances/{ANYTHING}/rpc_ping"),
    ("POST", f"/mgmt/instances/{ANYTHING}/upgrade"),
    ("GET", "/mgmt/clusters"),
    ("GET", f"/mgmt/clusters/{ANYTHING}"),
)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_for_administrators(member: As, method: str, path: str) -> None:
    body = {} if method == "POST" else None
    assert member.refused(method, path, body) == (401, "unauthorized", "User does not have admin privileges.")


@pytest.mark.parametrize(("method", "path"), [each for each in ROUTES if ANYTHING in each[1]])
@pytest.mark.parametrize("name", [ANYTHING, "no uuid"])
def test_unknown(admin: As, method: str, path: str, name: str) -> None:
    body = {"stop": {}, "upgrade": {}} if path.endswith("upgrade") else {"stop": {}} if method == "POST" else None
    assert admin.refused(method, path.replace(ANYTHING, name), body)[:2] == (404, "itemNotFound")


def test_instances_of_every_project(ready: Ready, admin: As) -> None:
    instance_id = ready()
    (seen,) = admin.get("/mgmt/instances")["instances"]
    assert seen["id"] == instance_id
    assert seen["server"].keys() == {"id", "name", "status", "tenant_id", "host"}
    told = ("tenant_id", "service_status", "deleted", "deleted_at", "task_description", "status")
    assert [seen[key] for key in told] == ["blue", "HEALTHY", False, None, "No tasks for the instance.", "ACTIVE"]
    assert admin.get("/mgmt/instances", params={"project_id": "green"}) == {"instances": []}
    assert len(admin.get("/mgmt/instances", params={"project_id": "blue"})["instances"]) == 1


@pytest.mark.parametrize(("flag", "found"), [("True", {"old"}), ("false", {"new"}), (None, {"old", "new"})])
def test_deleted_ones(ready: Ready, admin: As, database: Database, flag: str | None, found: set[str]) -> None:
    old = ready("old")
    ready("new", host="127.9.0.2")
    with database.write() as session:
        instance = session.get_one(Instance, old)
        instance.deleted, instance.deleted_at = True, instance.updated
    params = {"deleted": flag} if flag else {}
    seen = admin.get("/mgmt/instances", params=params)["instances"]
    assert {each["name"] for each in seen} == found
    assert admin.get(f"/mgmt/instances/{old}")["instance"]["deleted_at"]
    assert admin.get(f"/mgmt/instances/{old}")["instance"]["server"] is None
    assert admin.refused("GET", f"/mgmt/instances/{old}", params={"deleted": "false"})[0] == 404
    assert admin.refused("POST", f"/mgmt/instances/{old}/action", {"stop": {}})[0] == 404


@pytest.mark.parametrize("params", [{"deleted": "maybe"}, {"limit": "two"}, {"marker": ANYTHING}, {"limit": "-1"}])
def test_bad_queries(admin: As, params: dict[str, str]) -> None:
    assert admin.refused("GET", "/mgmt/instances", params=params)[0] == 400


def test_pages_are_counted(create: Create, admin: As) -> None:
    names = {create(f"m{number}")["name"] for number in range(5)}
    seen: set[str] = set()
    path = "/mgmt/instances?limit=2&deleted=false"
    pages = 0
    while path:
        page = admin.get(path)
        seen |= {each["name"] for each in page["instances"]}
        pages += 1
        path = "".join(link["href"].partition(f"/v1.0/{admin.project}")[2] for link in page.get("links", ()))
        assert not path or "deleted=false" in path
    assert (seen, pages) == (names, 3)


def test_a_page_that_is_exactly_full_announces_another(create: Create, admin: As) -> None:
    create()
    page = admin.get("/mgmt/instances", params={"limit": "1"})
    assert "marker=1" in page["links"][0]["href"]
    assert admin.get("/mgmt/instances", params={"limit": "1", "marker": "1"}) == {"instances": []}


def test_one_with_its_volume_and_guest(ready: Ready, admin: As) -> None:
    instance_id = ready()
    seen = admin.get(f"/mgmt/instances/{instance_id}")["instance"]
    volume = seen["volume"]
    assert (volume["id"], volume["size"], volume["used"], volume["total"]) == (instance_id, 2, 0.5, 2.0)
    assert seen["guest_status"] == {"state_description": "healthy"}
    assert seen["server"]["addresses"] == seen["addresses"]


def test_who_was_told_the_password_first(ready: Ready, admin: As) -> None:
    instance_id = ready()
    history = admin.get(f"/mgmt/instances/{instance_id}/root")["root_history"]
    assert (history["id"], history["user"]) == (instance_id, "user-blue-member")
    seen = admin.get(f"/mgmt/instances/{instance_id}")["instance"]
    assert (seen["root_enabled"], seen["root_enabled_by"]) == (history["enabled"], "user-blue-member")


def test_nobody_was_told_the_password(ready: Ready, admin: As) -> None:
    instance_id = ready(users=[{"name": "joe", "password": "pw"}])
    told = {"id": instance_id, "enabled": "Never", "user": "Nobody"}
    assert admin.get(f"/mgmt/instances/{instance_id}/root") == {"root_history": told}
    assert "root_enabled" not in admin.get(f"/mgmt/instances/{instance_id}")["instance"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"stop": {}}, "SHUTDOWN"),
        ({"reboot": {}}, "REBOOT"),
        ({"reboot": None}, "REBOOT"),
        ({"rebuild": {"image_id": ANYTHING}}, "BUILD"),
        ({"reset-task-status": {}}, "ACTIVE"),
    ],
)
def test_actions_show_before_they_are_answered(ready: Ready, admin: As, body: object, status: str) -> None:
    instance_id = ready()
    answer = admin("POST", f"/mgmt/instances/{instance_id}/action", body)
    assert (answer.status_code, answer.content) == (202, b"")
    assert admin.get(f"/mgmt/instances/{instance_id}")["instance"]["status"] == status


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"explode": {}},
        {"stop": {}, "reboot": {}},
        {"stop": "now"},
        {"migrate": {}},
        {"rebuild": {"image_id": 5}},
    ],
)
def test_refused_actions(ready: Ready, admin: As, body: object) -> None:
    instance_id = ready()
    assert admin.refused("POST", f"/mgmt/instances/{instance_id}/action", body)[0] == 400
    assert admin.get(f"/mgmt/instances/{instance_id}")["instance"]["status"] == "ACTIVE"


def test_a_busy_instance_is_not_stopped(create: Create, admin: As) -> None:
    assert admin.refused("POST", f"/mgmt/instances/{create()['id']}/action", {"stop": {}})[0] == 422


def test_the_agent_is_upgraded_by_a_reboot(ready: Ready, admin: As) -> None:
    instance_id = ready()
    body = {"upgrade": {"instance_version": "2", "location": "here", "metadata": {}}}
    assert admin("POST", f"/mgmt/instances/{instance_id}/upgrade", body).status_code == 202
    assert admin.get(f"/mgmt/instances/{instance_id}")["instance"]["status"] == "REBOOT"


def asked(database: Database) -> Command | None:
    with database.read() as session:
        return session.query(Command).filter_by(answered=False).one_or_none()


@pytest.fixture
def guest(database: Database, bell: Bell) -> Callable[[dict[str, object]], str]:
    """Answers the next question; tells which it was."""

    def answer(result: dict[str, object]) -> str:
        command = eventually(lambda: asked(database))
        with database.write() as session:
            mailbox.answer(session, command.guest_id, wire.Answer(command.id, result))
        bell.ring()
        return command.verb

    return answer


PROCESS = {"version": "1", "threads": 4, "fdSize": 64, "vmSize": 5, "vmPeak": 6, "vmRss": 3, "vmHwm": 4}


@pytest.mark.parametrize(
    ("path", "verb", "told"),
    [("diagnostics", "diagnostics", PROCESS), ("hwinfo", "hwinfo", {"mem_total": 512, "num_cpus": 1})],
)
def test_what_only_the_guest_knows(
    ready: Ready, admin: As, guest: Callable[[object], str], path: str, verb: str, told: dict[str, object]
) -> None:
    instance_id = ready()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(admin.get, f"/mgmt/instances/{instance_id}/{path}")
        assert guest(told) == verb
    assert answer.result() == {path: told}


def test_a_guest_that_hears(ready: Ready, admin: As, guest: Callable[[object], str]) -> None:
    instance_id = ready()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(admin, "GET", f"/mgmt/instances/{instance_id}/rpc_ping")
        assert guest({}) == "ping"
    assert (answer.result().status_code, answer.result().content) == (204, b"")


def test_a_guest_that_is_silent(ready: Ready, admin: As) -> None:
    status, _, message = admin.refused("GET", f"/mgmt/instances/{ready()}/rpc_ping")
    assert status == 503
    assert "did not answer within 3 s" in message


def test_clusters_are_not_there(admin: As) -> None:
    assert admin.get("/mgmt/clusters") == {"clusters": []}
