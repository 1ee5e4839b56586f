"""Instances that begin as a backup, backups that are registered; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from calling import As, Ready, order
from seeding import VERSIONS
from sqlalchemy import delete, update
from storing import NOBODYS, Keepers, ended, gone, take

from argosy.db.session import Database
from argosy.db.tables import Backup, ProjectKey
from argosy.settings import Settings
from argosy.stores import deployment
from argosy.testing.contracts.store import put
from argosy.testing.waiting import eventually


@pytest.fixture
def backup(ready: Ready, member: As, keepers: Callable[..., Keepers]) -> str:
    """Of an instance of PostgreSQL 15 with 2 GB."""
    instance = ready()
    made: str = take(member, instance)["id"]
    keepers(data={instance: b"data"})
    ended(member, made)
    return made


def restoring(backup: str, **more: Any) -> dict[str, Any]:
    return order(name="r1", restorePoint={"backupRef": backup}, **more)


def test_a_new_instance_begins_as_it(backup: str, member: As) -> None:
    answer = member("POST", "/instances", order(name="r1", datastore={}, restorePoint={"backupRef": backup}))
    assert answer.status_code == 200, answer.text
    made = answer.json["instance"]
    assert made["datastore"]["version"] == "15"
    told = made["restored_from"]
    assert (told["backup_id"], told["name"], told["proof"]) == (backup, "b1", "unproven")
    assert (told["moment"], told["target"]) == ("1970-01-01T00:00:01", None)


def test_into_what_it_does_not_fit(backup: str, member: As) -> None:
    status, key, message = member.refused("POST", "/instances", restoring(backup, volume={"size": 1}))
    assert (status, key) == (403, "forbidden")
    assert "ask for 2 GB or more" in message


def test_into_another_engine(backup: str, member: As) -> None:
    status, _, message = member.refused("POST", "/instances", restoring(backup, datastore={"type": "mariadb"}))
    assert status == 400
    assert "ask for datastore postgresql, version 15" in message


def test_into_another_major_version(backup: str, member: As, database: Database) -> None:
    later = {"type": "postgresql", "version": "17"}
    status, _, message = member.refused("POST", "/instances", restoring(backup, datastore=later))
    assert status == 400
    assert "restore it into postgresql 15, and upgrade the new instance then" in message
    with database.write() as session:
        session.get_one(Backup, backup).version_id = VERSIONS["17"]
    status, _, message = member.refused("POST", "/instances", restoring(backup))
    assert status == 400
    assert "restore it into postgresql 17" in message
    assert "upgrade" not in message


@pytest.mark.parametrize(
    ("values", "status"),
    [({"state": "FAILED"}, 409), ({"state": "SAVING"}, 409), ({"proof": "broken"}, 409)],
)
def test_what_nothing_is_restored_from(
    backup: str, member: As, database: Database, values: dict[str, str], status: int
) -> None:
    with database.write() as session:
        session.execute(update(Backup).where(Backup.id == backup).values(**values))
    assert member.refused("POST", "/instances", restoring(backup))[:2] == (status, "conflict")


@pytest.mark.parametrize(
    ("other", "said", "cure"),
    [
        ("", "put database_backups/blue/keys/1-", False),
        ("1-0123456789abcdef.json", "it takes the escrow of master key 0123456789abcdef", True),
    ],
)
def test_without_its_key(
    backup: str, member: As, database: Database, settings: Settings, other: str, said: str, *, cure: bool
) -> None:
    """The store and the database have lost it: whoever has the master key it was sealed by can restore elsewhere, and
    nobody where it is sealed by none.
    """
    with database.write() as session:
        session.execute(delete(ProjectKey))
    store = deployment.store(settings)
    for key in list(store.list("database_backups/blue/keys/")):
        store.delete(key)
    if other:
        put(store, f"database_backups/blue/keys/{other}", b"sealed by another")
    status, key, message = member.refused("POST", "/instances", restoring(backup))
    assert (status, key) == (409, "conflict")
    assert said in message
    assert ("argosy-restore" in message) == cure


def test_what_is_broken_says_that_it_can_be_tried_again(backup: str, member: As, database: Database) -> None:
    with database.write() as session:
        session.execute(update(Backup).where(Backup.id == backup).values(proof="broken"))
    message = member.refused("POST", "/instances", restoring(backup))[2]
    assert "Where that has been mended, `argosy backup prove` tries it again" in message


@pytest.mark.parametrize("missing", ["manifest.json", "/000000"])
def test_what_is_not_in_the_store(backup: str, member: As, settings: Settings, missing: str) -> None:
    store = deployment.store(settings)
    for key in list(store.list(f"database_backups/blue/{backup}/")):
        if key.endswith(missing):
            store.delete(key)
    assert member.refused("POST", "/instances", restoring(backup))[:2] == (404, "itemNotFound")


def test_a_manifest_that_was_edited(backup: str, member: As, settings: Settings) -> None:
    store, key = deployment.store(settings), f"database_backups/blue/{backup}/manifest.json"
    with store.open(key) as there:
        text = there.read()
    store.delete(key)
    with store.create(key) as out:
        out.write(text.replace(b'"raw_bytes": 4', b'"raw_bytes": 5'))
    status, kind, message = member.refused("POST", "/instances", restoring(backup))
    assert (status, kind) == (409, "conflict")
    assert "was changed" in message


def elsewhere(location: str, version: str = VERSIONS["15"]) -> dict[str, Any]:
    told = {"remote_location": location, "local_datastore_version_id": version, "size": 1.5}
    return {"backup": {"name": "old", "restore_from": told}}


def test_one_that_nobody_knew(backup: str, member: As, database: Database) -> None:
    location = member.get(f"/backups/{backup}")["backup"]["locationRef"]
    with database.write() as session:
        session.delete(session.get_one(Backup, backup))
    answer = member("POST", "/backups", elsewhere(location))
    assert answer.status_code == 202, answer.text
    seen = answer.json["backup"]
    assert (seen["status"], seen["size"], seen["volume_size"], seen["strategy"]) == ("RESTORED", 1.5, 2, "basebackup")
    assert member("POST", "/instances", restoring(seen["id"])).status_code == 200


def test_registered_and_deleted_it_stays_in_the_store(backup: str, member: As, settings: Settings) -> None:
    location = member.get(f"/backups/{backup}")["backup"]["locationRef"]
    seen = member("POST", "/backups", elsewhere(location)).json["backup"]["id"]
    assert member("DELETE", f"/backups/{seen}").status_code == 202
    eventually(lambda: gone(member, seen))
    assert list(deployment.store(settings).list(f"database_backups/blue/{backup}/"))
    assert member.get(f"/backups/{backup}")["backup"]["status"] == "COMPLETED"


def test_what_cannot_be_registered(backup: str, member: As, stranger: As) -> None:
    location = member.get(f"/backups/{backup}")["backup"]["locationRef"]
    nowhere = location.replace(backup, NOBODYS)
    for who, sent in (
        (member, elsewhere(nowhere)),
        (member, elsewhere("https://elsewhere.example/v1/AUTH_x/database_backups/b.xbstream.gz")),
        (member, elsewhere("store:///../keys/master.key")),
        (member, elsewhere(location, VERSIONS["10.11"])),
        (member, elsewhere(location, VERSIONS["17"])),
        (stranger, elsewhere(location)),
    ):
        assert who.refused("POST", "/backups", sent)[:2] == (400, "badRequest")
    told = member.refused("POST", "/backups", elsewhere(nowhere))[2]
    assert told.startswith(f"the backup at {nowhere} cannot be restored here: it is not in the store any more")
    assert member.refused("POST", "/backups", elsewhere(location, NOBODYS))[0] == 404
