"""A protected instance that is deleted is not lost, on the real product."""

from __future__ import annotations

import pytest
from keepers import Keeper
from owners import Owner

from argosy.client.deleted import Deleted
from argosy.testing.waiting import eventually


@pytest.fixture
def keeper(owner: Owner) -> Keeper:
    return Keeper(owner)


def test_deleted_and_brought_back(keeper: Keeper) -> None:
    """With a last backup, and with all that was in it, under the same name and password."""
    owner, client = keeper.owner, keeper.owner.client
    instance = owner.ready("postgresql")
    keeper.write(instance, "postgresql", 100)
    client.instances.change(instance["id"], {"deletion_protection": True})
    client.instances.delete(instance["id"])
    waiting = Deleted(client.session, "instances")
    found = eventually(lambda: next(iter(waiting.list()), None), within=120)
    assert found is not None
    assert (found["id"], found["fault"]) == (instance["id"], None)
    assert instance["id"] not in {each["id"] for each in client.instances.list()}
    last = [each for each in client.session.get("/backups")["backups"] if each["instance_id"] == instance["id"]]
    assert [(each["status"], each["purpose"]) for each in last] == [("COMPLETED", "final")]
    waiting.bring_back(instance["id"])
    back = owner.healthy(instance["id"])
    assert keeper.rows(back, "postgresql") == 100
    client.instances.change(instance["id"], {"deletion_protection": False})


def test_its_time_is_over(keeper: Keeper) -> None:
    owner, client = keeper.owner, keeper.owner.client
    instance = owner.ready("redis")
    client.instances.change(instance["id"], {"deletion_protection": True})
    client.instances.delete(instance["id"], skip_final_backup=True)
    waiting = Deleted(client.session, "instances")
    eventually(lambda: bool(waiting.list()), within=120)
    pool = owner.argosy.state / "pool"
    assert any(instance["id"] in str(path) for path in pool.rglob("*"))
    waiting.purge(instance["id"])
    eventually(lambda: not waiting.list(), within=60)
    eventually(lambda: not any(instance["id"] in str(path) for path in pool.rglob("*")), within=60)


def test_by_the_command_line(keeper: Keeper) -> None:
    owner, instance = keeper.owner, keeper.owner.ready("redis")
    name = instance["name"]
    owner.argosy.cli("db", "protect", name)
    assert f"argosy db bring-back {name}" in owner.argosy.cli("db", "delete", name, "--yes").stdout
    assert name in owner.argosy.cli("db", "deleted").stdout
    owner.argosy.cli("db", "bring-back", name)
    owner.healthy(instance["id"])
    owner.argosy.cli("db", "protect", name, "--off")
