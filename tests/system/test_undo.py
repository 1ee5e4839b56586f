"""Restored in place and back again, on the real product: by a backup from the store, and by one that is a snapshot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from keepers import Keeper
from owners import ENGINES, Owner

from argosy import errors
from argosy.client.resources import Document
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually


@pytest.fixture
def keeper(owner: Owner) -> Keeper:
    return Keeper(owner)


@pytest.mark.parametrize("driver", ["swift", "cinder"])
@pytest.mark.parametrize("engine", ENGINES)
def test_there_and_back_again(keeper: Keeper, argosy: Deployment, engine: str, driver: str) -> None:
    """What was written after the backup is away, is there again, and away again; one address and password for all."""
    instance = keeper.owner.ready(engine)
    keeper.write(instance, engine, 20)
    backup = keeper.backed_up(instance, storage_driver=driver)
    keeper.write(instance, engine, 30)
    replaced(keeper, instance, {"restore": {"backup": backup["id"]}})
    assert keeper.rows(instance, engine) == 20
    assert keeper.owner.client.instances.get(instance["id"])["restored_from"]["backup_id"] == backup["id"]
    for rows in (50, 20):
        replaced(keeper, instance, {"undo": {}})
        assert keeper.rows(instance, engine) == rows
    keeper.write(instance, engine, 1)
    assert keeper.rows(instance, engine) == 21
    assert len(keeper.owner.client.instances.undos(instance["id"])) == 1
    keeper.owner.delete(instance["id"])
    kept = {backup["locationRef"].removeprefix("cinder://")} if driver == "cinder" else set()
    eventually(lambda: same(snapshots(argosy), kept), within=60)
    if driver == "cinder":
        assert backup["outlives_disk"] is False
        proven(keeper, backup)
        assert keeper.rows(keeper.restored(backup, engine), engine) == 20
        keeper.delete(backup["id"])
        eventually(lambda: same(snapshots(argosy), set()), within=60)


def test_by_the_command_line(keeper: Keeper, argosy: Deployment) -> None:
    instance = keeper.owner.ready("redis", "mine")
    keeper.write(instance, "redis", 5)
    backup = keeper.backed_up(instance, "mine-before")
    keeper.write(instance, "redis", 5)
    assert "has been restored" in argosy.cli("db", "restore", "mine", "--backup", backup["name"], "--yes").stdout
    (kept,) = json.loads(argosy.cli("db", "undos", "mine", "-o", "json").stdout)
    assert kept["reason"] == "restored from backup mine-before"
    asked = argosy.cli("db", "undo", "mine", stdin="n\n", check=False)
    assert kept["created"] in asked.stderr
    assert "before it was restored from backup mine-before?" in asked.stderr
    assert "is what it was" in argosy.cli("db", "undo", "mine", "--id", kept["id"], "--yes").stdout
    assert keeper.rows(instance, "redis") == 10
    (kept,) = json.loads(argosy.cli("db", "undos", "mine", "-o", "json").stdout)
    assert kept["reason"] == "undone: restored from backup mine-before"
    argosy.cli("db", "undos", "mine", "--forget", kept["id"])
    eventually(lambda: same(snapshots(argosy), set()), within=120)


def test_what_is_protected_is_asked_for_twice(keeper: Keeper) -> None:
    instance = keeper.owner.ready("redis", protect=True)
    backup = keeper.backed_up(instance)
    with pytest.raises(errors.Unprocessable, match="confirm"):
        keeper.owner.client.instances.act(instance["id"], {"restore": {"backup": backup["id"]}})
    replaced(keeper, instance, {"restore": {"backup": backup["id"], "confirm": True}})
    keeper.owner.client.session.put(f"/instances/{instance['id']}", {"instance": {"deletion_protection": False}})


def test_of_another_datastore(keeper: Keeper) -> None:
    """A polite refusal, and nobody notices anything."""
    backup = keeper.backed_up(keeper.owner.ready("redis", "other"))
    instance = keeper.owner.ready("postgresql", "mine")
    with pytest.raises(errors.BadRequest, match="cannot be restored into PostgreSQL"):
        keeper.owner.client.instances.act(instance["id"], {"restore": {"backup": backup["id"]}})
    keeper.owner.answers(instance, "postgresql")


def replaced(keeper: Keeper, instance: Document, action: dict[str, Any]) -> None:
    keeper.owner.client.instances.act(instance["id"], action)
    ended = keeper.owner.ended(instance["id"])
    assert ended["state"] == "done", ended
    keeper.owner.healthy(instance["id"])


def proven(keeper: Keeper, backup: Document) -> None:
    """In a sandbox over a copy of it."""
    keeper.owner.client.session.post(f"/backups/{backup['id']}/drills")
    eventually(lambda: same({keeper.get(backup["id"])["proof"]["state"]}, {"restorable"}), within=120)


def snapshots(argosy: Deployment) -> set[str]:
    return {path.stem for path in (argosy.state / "pool" / "snapshots").glob("*.img")}


def same(found: set[str], wanted: set[str]) -> bool:
    assert found == wanted
    return True
