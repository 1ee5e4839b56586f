"""Backups are proven on the real product: restored in a sandbox, looked through, and the sandbox is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from keepers import Keeper
from owners import ENGINES, Owner

from argosy import errors
from argosy.client.resources import Document
from argosy.db.tables import Drill, Guest
from argosy.testing.waiting import eventually


@pytest.fixture
def keeper(owner: Owner) -> Keeper:
    return Keeper(owner)


def tried(keeper: Keeper, backup: Document) -> Document:
    """The drill, when it has ended."""
    session = keeper.owner.client.session
    begun = session.post(f"/backups/{backup['id']}/drills")["drill"]

    def look() -> Document | None:
        (newest, *_) = session.get(f"/backups/{backup['id']}/drills")["drills"]
        assert newest["id"] == begun["id"]
        return newest if newest["state"] != "running" else None

    ended = eventually(look, within=180)
    assert ended is not None
    return ended


def objects(keeper: Keeper, backup: Document) -> list[Path]:
    """Parts of it as they lie in the store."""
    root = keeper.owner.argosy.state / "objects"
    return sorted(path for path in root.rglob("0*") if backup["id"] in str(path) and path.is_file())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_backup_is_proven(keeper: Keeper, engine: str) -> None:
    instance = keeper.owner.ready(engine)
    keeper.write(instance, engine, 100)
    backup = keeper.backed_up(instance)
    assert backup["proof"]["state"] == "unproven"
    drill = tried(keeper, backup)
    assert (drill["state"], drill["fault"]) == ("passed", None), drill
    assert drill["report"]
    proof = keeper.get(backup["id"])["proof"]
    assert proof["state"] == "restorable"
    assert 0 < proof["seconds"] <= drill["seconds"]
    with keeper.owner.argosy.database.read() as session:
        assert session.get_one(Drill, drill["id"]).ended
        guests = {each.id for each in session.query(Guest)}
    assert guests <= {each["id"] for each in keeper.owner.client.instances.list()}


def test_a_damaged_one_is_found_out_and_offered_to_nobody(keeper: Keeper) -> None:
    instance = keeper.owner.ready("postgresql")
    backup = keeper.backed_up(instance)
    part = objects(keeper, backup)[0]
    damaged = bytearray(part.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    part.chmod(0o600)
    part.write_bytes(damaged)
    assert tried(keeper, backup)["state"] == "failed"
    assert keeper.get(backup["id"])["proof"]["state"] == "unproven", "once may be the sandbox's fault"
    again = tried(keeper, backup)
    assert "000000" in again["fault"]
    assert keeper.get(backup["id"])["proof"]["state"] == "broken"
    with pytest.raises(errors.Rejected, match="broken"):
        keeper.restoring(backup, "postgresql")


def test_one_that_lacks_a_part_is_broken_at_once(keeper: Keeper) -> None:
    instance = keeper.owner.ready("redis")
    backup = keeper.backed_up(instance)
    argosy = keeper.owner.argosy
    assert "passed" in argosy.cli("backup", "prove", backup["id"]).stdout
    objects(keeper, backup)[0].unlink()
    proven = argosy.cli("backup", "prove", backup["id"], check=False)
    assert proven.returncode == 1
    assert "000000" in proven.stderr
    assert keeper.get(backup["id"])["proof"]["state"] == "broken"
