"""Backups by the API: taken, built upon, cancelled, deleted; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from calling import As, Ready, order
from seeding import VERSIONS
from sqlalchemy import delete, update
from storing import NOBODYS, Keepers, ended, gone, take, used

from argosy.db.session import Database
from argosy.db.tables import Backup, DatastoreVersion, Lock
from argosy.settings import Settings
from argosy.stores import deployment
from argosy.testing.waiting import eventually


def test_from_new_to_completed(ready: Ready, member: As, keepers: Callable[..., Keepers], database: Database) -> None:
    instance = ready()
    begun = take(member, instance, description="nightly", unknown="ignored")
    assert (begun["status"], begun["size"], begun["locationRef"]) == ("NEW", None, None)
    assert (begun["instance_id"], begun["parent_id"], begun["description"]) == (instance, None, "nightly")
    assert (begun["strategy"], begun["storage_driver"], begun["volume_size"]) == ("basebackup", "swift", 2)
    seen = member.get(f"/instances/{instance}")["instance"]
    assert seen["status"] == "BACKUP"
    keepers(data={instance: b"data"})
    done = ended(member, begun["id"])
    assert done["locationRef"] == f"store:///database_backups/blue/{begun['id']}/manifest.json"
    assert (done["size"], done["bytes"]["raw"], done["moment"]) == (0.01, 4, "1970-01-01T00:00:01")
    assert member.get(f"/instances/{instance}")["instance"]["status"] == "ACTIVE"
    assert used(database) == 1
    (operation,) = member.get(f"/backups/{begun['id']}/operations")["operations"]
    assert (operation["operation"], operation["state"]) == ("create_backup", "done")


def test_one_at_a_time(ready: Ready, member: As, database: Database) -> None:
    instance = ready()
    take(member, instance)
    status, key, message = member.refused("POST", "/backups", {"backup": {"name": "b2", "instance": instance}})
    assert (status, key) == (422, "unprocessableEntity")
    assert "(instance status was BACKUP)" in message
    for action in ({"restart": {}}, {"resize": {"volume": {"size": 3}}}):
        assert member.refused("POST", f"/instances/{instance}/action", action)[0] == 422
    assert used(database) == 1


def test_progress_and_cancel(ready: Ready, member: As, stranger: As, keepers: Callable[..., Keepers]) -> None:
    backup = take(member, ready())["id"]
    keepers(slow=True)

    def look() -> dict[str, Any]:
        seen = member.get(f"/backups/{backup}")["backup"]
        assert seen.get("progress", {}).get("per_second"), seen
        return dict(seen)

    seen = eventually(look)
    assert seen["status"] == "BUILDING"
    told = seen["progress"]
    assert (told["done"], told["total"], told["unit"], told["percent"]) == (256, 1024, "bytes", 25.0)
    assert told["seconds_left"] == pytest.approx(768 / told["per_second"], abs=1)
    (operation,) = member.get(f"/backups/{backup}/operations")["operations"]
    assert operation["progress"]["percent"] == 25.0
    assert stranger.refused("POST", f"/backups/{backup}/cancel")[0] == 404
    assert member("POST", f"/backups/{backup}/cancel").status_code == 202
    failed = ended(member, backup, "FAILED")
    assert "cancelled" in failed["fault"]["message"]
    assert "progress" not in failed
    assert member.refused("POST", f"/backups/{backup}/cancel")[:2] == (422, "unprocessableEntity")


def test_deleted_with_what_builds_on_it(
    ready: Ready, member: As, keepers: Callable[..., Keepers], settings: Settings, database: Database
) -> None:
    instance = ready()
    first = take(member, instance)["id"]
    keepers(data={instance: b"data"})
    ended(member, first)
    assert list(deployment.store(settings).list(f"database_backups/blue/{first}/"))
    assert member("DELETE", f"/backups/{first}").status_code == 202
    eventually(lambda: gone(member, first))
    assert not list(deployment.store(settings).list(f"database_backups/blue/{first}/"))
    assert used(database) == 0


def test_a_running_one_is_not_deleted(ready: Ready, member: As, database: Database) -> None:
    backup = take(member, ready())["id"]
    assert member.refused("DELETE", f"/backups/{backup}")[:2] == (422, "unprocessableEntity")
    with database.write() as session:
        session.get_one(Backup, backup).created -= 4 * 86_400
        assert backup
    assert member.refused("DELETE", f"/backups/{backup}")[0] == 422  # it is still held by who makes it
    assert used(database) == 1


@pytest.mark.parametrize("strategy", ["instance", "project", "call", "default"])
def test_where_it_goes(ready: Ready, member: As, database: Database, strategy: str) -> None:
    instance = ready()
    if strategy in ("instance", "project"):
        wanted = {"swift_container": strategy, **({"instance_id": instance} if strategy == "instance" else {})}
        member("POST", "/backup_strategies", {"backup_strategy": {"swift_container": "other"}})
        member("POST", "/backup_strategies", {"backup_strategy": wanted})
    more = {"swift_container": "call"} if strategy == "call" else {}
    backup = take(member, instance, **more)["id"]
    with database.read() as session:
        assert session.get_one(Backup, backup).container == strategy.replace("default", "database_backups")


def test_a_container_with_characters_that_keys_do_not_know(
    ready: Ready, member: As, keepers: Callable[..., Keepers]
) -> None:
    instance = ready()
    backup = take(member, instance, swift_container="-a@b:c")["id"]
    keepers(data={instance: b"data"})
    assert ended(member, backup)["locationRef"] == f"store:///_-a_40b_3ac/blue/{backup}/manifest.json"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"name": None}, 400),
        ({"instance": None}, 400),
        ({"instance": NOBODYS}, 404),
        ({"instance": "m1"}, 404),
        ({"description": ""}, 400),
        ({"parent_id": NOBODYS}, 404),
        ({"parent_id": "x"}, 404),
        ({"incremental": 2}, 400),
        ({"swift_container": "a b"}, 400),
        ({"storage_driver": "tape"}, 400),
        ({"storage_driver": "cinder"}, 501),
        ({"strategy": "mysqldump"}, 400),
        ({"limits": {"nice": 20}}, 400),
        ({"limits": {"bytes_per_second": -1}}, 400),
        ({"restore_from": {}}, 400),
    ],
)
def test_what_cannot_be(ready: Ready, member: As, database: Database, wanted: dict[str, Any], status: int) -> None:
    body = {"name": "b1", "instance": ready(), **wanted}
    sent = {name: value for name, value in body.items() if value is not None}
    assert member.refused("POST", "/backups", {"backup": sent})[0] == status
    assert used(database) == 0
    assert member.get("/backups")["backups"] == []


def test_a_version_that_cannot(ready: Ready, member: As, database: Database) -> None:
    with database.write() as session:
        session.execute(update(DatastoreVersion).values(capabilities=["accounts"]))
    sent = {"backup": {"name": "b1", "instance": ready()}}
    assert member.refused("POST", "/backups", sent)[:2] == (501, "notImplemented")


def test_what_cannot_be_built_on(ready: Ready, member: As, database: Database) -> None:
    instance, other = ready(), ready("m2", "127.9.0.2")
    parent = take(member, instance)["id"]
    ask = {"name": "b2", "instance": instance, "parent_id": parent}

    def refused(**values: Any) -> tuple[int, str]:
        with database.write() as session:
            session.execute(delete(Lock))
            session.execute(update(Backup).where(Backup.id == parent).values(**values))
        status, _, message = member.refused("POST", "/backups", {"backup": ask})
        return status, message

    status, message = refused(state="FAILED")
    assert (status, "not complete" in message) == (409, True)
    status, message = refused(state="COMPLETED", proof="broken")
    assert (status, "broken" in message) == (409, True)
    status, message = refused(proof="unproven", strategy="rdb")
    assert (status, "take one by" in message) == (400, True)
    status, message = refused(strategy="basebackup", version_id=VERSIONS["17"])
    assert (status, "take a full one" in message) == (400, True)
    status, message = refused(version_id=VERSIONS["15"], instance_id=other)
    assert (status, other in message) == (400, True)
    ask["swift_container"] = "elsewhere"
    status, message = refused(instance_id=instance)
    assert (status, "database_backups" in message) == (400, True)


def test_operations_of_a_backup(ready: Ready, member: As) -> None:
    backup = take(member, ready())["id"]
    assert member.refused("GET", f"/backups/{backup}/operations?limit=x")[0] == 400
    first = member.get(f"/backups/{backup}/operations")
    assert member.get(f"/backups/{backup}/operations?since=other&wait=5")["cursor"] == first["cursor"]


def test_as_the_operator_wants_it_for_a_version(ready: Ready, member: As, admin: As, database: Database) -> None:
    instance, version = ready(datastore={"type": "mariadb"}), f"/mgmt/datastore-versions/{VERSIONS['10.11']}"
    assert admin.refused("PATCH", version, {"backup_strategy": "basebackup"})[0] == 400
    assert admin("PATCH", version, {"backup_strategy": "mysqldump"}).status_code == 202
    assert admin.get(version)["version"]["backup_strategy"] == "mysqldump"
    assert take(member, instance)["strategy"] == "mysqldump"
    with database.write() as session:
        session.execute(update(Backup).values(state="FAILED"))
        session.execute(delete(Lock))
    assert take(member, instance, strategy="mariabackup")["strategy"] == "mariabackup"
    assert admin("PATCH", version, {"backup_strategy": None}).status_code == 202
    assert admin.get(version)["version"]["backup_strategy"] is None


def test_beyond_the_quota(ready: Ready, member: As, admin: As) -> None:
    admin("PUT", "/mgmt/quotas/blue", {"quotas": {"backups": 0}})
    status, key, message = member.refused("POST", "/backups", {"backup": {"name": "b1", "instance": ready()}})
    assert (status, key) == (413, "overLimit")
    assert message == "Quota exceeded for resources: ['backups']."


def test_of_another_project(ready: Ready, member: As, stranger: As) -> None:
    instance = ready()
    backup = take(member, instance)["id"]
    assert stranger.refused("POST", "/backups", {"backup": {"name": "b2", "instance": instance}})[0] == 404
    assert stranger.refused("DELETE", f"/backups/{backup}")[0] == 404
    assert stranger.refused("GET", f"/backups/{backup}/operations")[0] == 404
    point = order(restorePoint={"backupRef": backup})
    assert stranger.refused("POST", "/instances", point)[:2] == (404, "itemNotFound")
