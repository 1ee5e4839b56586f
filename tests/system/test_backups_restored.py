"""Backups of every engine, by every strategy, on the real product: taken, built upon, restored, deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from keepers import Keeper
from owners import ENGINES, Owner

from argosy import errors
from argosy.engines import registry
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

NAMES = {"postgresql": "postgresql", "mariadb": "mysql", "redis": "redis"}
"""Engines by the datastores that tests make."""
FULL = [(name, each.name) for name in ENGINES for each in registry.get(NAMES[name]).strategies if not each.parents]
ADDING = sorted({name for name in ENGINES if any(each.parents for each in registry.get(NAMES[name]).strategies)})


@pytest.fixture
def keeper(owner: Owner) -> Keeper:
    return Keeper(owner)


@pytest.mark.parametrize(("engine", "strategy"), FULL)
def test_the_rows_are_there(keeper: Keeper, engine: str, strategy: str) -> None:
    """Those of the moment of the backup, on a larger volume and with another flavor; the original goes on."""
    instance = keeper.owner.ready(engine)
    keeper.write(instance, engine, 100)
    backup = keeper.backed_up(instance, strategy=strategy)
    assert backup["strategy"] == strategy
    keeper.write(instance, engine, 50)
    restored = keeper.restored(backup, engine, volume={"size": 2}, flavorRef="3")
    assert restored["restored_from"]["backup_id"] == backup["id"]
    assert keeper.rows(restored, engine) == 100
    assert keeper.rows(instance, engine) == 150
    keeper.write(restored, engine, 10)
    assert keeper.rows(restored, engine) == 110


@pytest.mark.parametrize("engine", ADDING)
def test_what_changed_since(keeper: Keeper, engine: str, argosy: Deployment) -> None:
    """A chain restores to each of its links; the parent takes its children along and leaves nothing."""
    instance = keeper.owner.ready(engine)
    keeper.write(instance, engine, 100)
    chain = [keeper.backed_up(instance, "full")]
    for number in (1, 2):
        keeper.write(instance, engine, 10)
        more = {"incremental": 1} if number == 1 else {"parent_id": chain[-1]["id"]}
        chain.append(keeper.backed_up(instance, f"part {number}", **more))
    assert [each["parent_id"] for each in chain] == [None, chain[0]["id"], chain[1]["id"]]
    for backup, rows in zip(chain[1:], (110, 120), strict=True):
        assert keeper.rows(keeper.restored(backup, engine, backup["name"]), engine) == rows
    keeper.delete(chain[0]["id"])
    for backup in chain:
        eventually(lambda backup=backup: gone(keeper, backup["id"]), within=60)  # type: ignore[misc]
    container = argosy.settings.state / "objects" / "database_backups"
    left = [path for path in container.rglob("*") if path.is_file() and path.parent.name != "keys"]
    assert not [path for path in left if any(each["id"] in str(path) for each in chain)]


def test_by_the_command_line(keeper: Keeper, argosy: Deployment) -> None:
    """From a backup to an instance that begins as it."""
    owner, engine = keeper.owner, "redis"
    instance = owner.ready(engine, "mine")
    keeper.write(instance, engine, 20)
    made = argosy.cli("backup", "create", "mine", "nightly", "--limit", "500", "--nice", "5")
    assert "upload" in made.stderr
    assert "COMPLETED" in made.stdout
    (listed,) = json.loads(argosy.cli("backup", "list", "mine", "-o", "json").stdout)
    assert (listed["name"], listed["status"]) == ("nightly", "COMPLETED")
    assert "create_backup" in argosy.cli("backup", "operations", "nightly").stdout
    assert "is a full backup" in argosy.cli("backup", "create", "mine", "after", "--incremental").stderr
    argosy.cli("backup", "delete", "after", "--yes")
    held_and_released(argosy, listed["id"])
    told = argosy.cli("backup", "restore", "nightly", "again", "--flavor", "2", "-o", "json")
    again = json.loads(told.stdout)
    owner.passwords[again["id"]] = again["password"]
    assert keeper.rows(owner.healthy(again["id"]), engine) == 20
    assert "nightly" in argosy.cli("db", "show", "again").stdout
    argosy.cli("backup", "delete", "nightly", "--yes")
    assert json.loads(argosy.cli("backup", "list", "mine", "-o", "json").stdout) == []


def held_and_released(argosy: Deployment, backup: str) -> None:
    """By an operator; nobody deletes it meanwhile."""
    argosy.cli("backup", "hold", backup, "--until", "2100-01-31T00:00:00Z")
    assert "nobody can delete it before 2100-01-31T00:00:00" in argosy.cli("backup", "show", backup).stdout
    refused = argosy.cli("backup", "delete", backup, "--yes", check=False)
    assert (refused.returncode, "is held until" in refused.stderr) == (4, True)
    argosy.cli("backup", "release", backup)
    argosy.cli("backup", "protect", backup)
    assert "can be brought back" in argosy.cli("backup", "show", backup).stdout
    argosy.cli("backup", "protect", backup, "--off")


def test_of_another_project(keeper: Keeper, argosy: Deployment) -> None:
    """It can be neither seen, nor restored, nor deleted."""
    instance = keeper.owner.ready("redis")
    backup = keeper.backed_up(instance)
    stranger = Keeper(Owner(argosy, argosy.client("demo@demo"), {}))
    assert stranger.owner.client.session.get("/backups")["backups"] == []
    for ask in (
        lambda: stranger.get(backup["id"]),
        lambda: stranger.restoring(backup, "redis"),
        lambda: stranger.delete(backup["id"]),
        lambda: stranger.begin(instance),
    ):
        with pytest.raises(errors.NotFound):
            ask()
    register = {"remote_location": backup["locationRef"], "size": 1, "local_datastore_version_id": version(backup)}
    with pytest.raises(errors.BadRequest):
        stranger.owner.client.session.post("/backups", {"backup": {"name": "b", "restore_from": register}})


def test_one_that_is_running_when_its_instance_goes(keeper: Keeper, argosy: Deployment) -> None:
    """It is cancelled, and nothing of it stays."""
    instance = keeper.owner.ready("postgresql")
    keeper.write(instance, "postgresql", 50_000)
    backup = keeper.begin(instance, limits={"bytes_per_second": 1_000_000})
    eventually(lambda: progressing(keeper, backup["id"]), within=60)
    assert keeper.owner.client.instances.get(instance["id"])["status"] == "BACKUP"
    keeper.owner.delete(instance["id"])
    assert keeper.ended(backup["id"])["status"] == "FAILED"
    assert not stored(argosy, backup["id"])


def test_cancelled(keeper: Keeper, argosy: Deployment) -> None:
    instance = keeper.owner.ready("mariadb")
    backup = keeper.begin(instance, limits={"bytes_per_second": 1_000_000})
    eventually(lambda: progressing(keeper, backup["id"]), within=60)
    argosy.cli("backup", "cancel", backup["id"])
    ended = keeper.ended(backup["id"])
    assert (ended["status"], "cancelled" in ended["fault"]["message"]) == ("FAILED", True)
    assert not stored(argosy, backup["id"])
    keeper.owner.healthy(instance["id"])


def progressing(keeper: Keeper, backup: str) -> bool:
    """Bytes, rate, percent and what is left."""
    seen = keeper.get(backup)
    told = seen.get("progress", {})
    assert told.get("done"), seen
    assert told["total"] > 0
    assert told["percent"] < 100
    return True


def gone(keeper: Keeper, backup: str) -> bool:
    try:
        seen = keeper.get(backup)
    except errors.NotFound:
        return True
    raise AssertionError(seen)


def stored(argosy: Deployment, backup: str) -> list[Path]:
    return [path for path in (argosy.settings.state / "objects").rglob("*") if path.is_file() and backup in str(path)]


def version(backup: dict[str, dict[str, str]]) -> str:
    return backup["datastore"]["version_id"]
