"""Backups of other regions: registered where they lie, opened by what their deployment's escrow gave."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from calling import As, Ready, order
from seeding import VERSIONS
from sqlalchemy import select
from storing import ended, gone, take

from argosy.db import keys_from_elsewhere
from argosy.db.session import Database
from argosy.db.tables import Backup, Event
from argosy.model.backups import Manifest
from argosy.settings import Settings
from argosy.stores import deployment
from argosy.testing.archives import Vault
from argosy.testing.waiting import eventually

MADE = {"engine": "postgresql", "datastore": "postgresql", "version": "15.18", "strategy": "basebackup", "gigabytes": 2}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With two regions; in one of them a project has another id."""
    (tmp_path / "north").mkdir()
    (tmp_path / "south").mkdir()
    north, south = {"path": str(tmp_path / "north")}, {"path": str(tmp_path / "south"), "projects": {"violet": "blue"}}
    return dataclasses.replace(settings, regions={"north": north, "south": south})


@pytest.fixture
def north(settings: Settings) -> Vault:
    """What the project of the same id has there."""
    return vault(settings, "north", "blue")


@pytest.fixture
def given(north: Vault, database: Database) -> None:
    """Its deployment's escrow."""
    give(database, north)


def vault(settings: Settings, region: str, project: str) -> Vault:
    return Vault(deployment.store(settings, region), os.urandom(32), project=project)


def give(database: Database, theirs: Vault) -> None:
    with database.write() as session:
        keys_from_elsewhere.keep(session, theirs.wrapping)


def location(theirs: Vault, made: Manifest) -> str:
    return f"store:///{theirs.place(made.backup)}manifest.json"


def registering(theirs: Vault, made: Manifest, version: str = VERSIONS["15"]) -> dict[str, Any]:
    told = {"remote_location": location(theirs, made), "local_datastore_version_id": version, "size": 1.5}
    return {"backup": {"name": "theirs", "restore_from": told}}


def registered(who: As, theirs: Vault, made: Manifest) -> dict[str, Any]:
    answer = who("POST", "/backups", registering(theirs, made))
    assert answer.status_code == 202, answer.text
    return dict(answer.json["backup"])


@pytest.mark.usefixtures("given")
def test_one_of_another_region(north: Vault, member: As, database: Database) -> None:
    """A chain of two, where their project's first key is another than ours is."""
    full = north.keep(b"data", **MADE)
    more = north.keep(b"more", full, **MADE)
    seen = registered(member, north, more)
    assert (seen["status"], seen["region"], seen["strategy"]) == ("RESTORED", "north", "basebackup")
    assert (seen["volume_size"], seen["locationRef"]) == (2, location(north, more))
    wanted = order(name="r1", restorePoint={"backupRef": seen["id"]})
    assert member("POST", "/instances", wanted).status_code == 200
    with database.read() as session:
        told = session.scalars(select(Event).where(Event.kind == "dbaas.backup_register")).one().payload
    assert told["region"] == "north"


@pytest.mark.usefixtures("given")
def test_a_project_that_has_keys_here_too(ready: Ready, north: Vault, member: As, keepers: Any) -> None:
    """Of the same number, and others."""
    mine = take(member, ready())["id"]
    keepers()
    ended(member, mine)
    assert registered(member, north, north.keep(b"data", **MADE))["region"] == "north"


def test_without_its_key_it_says_whose_escrow_would_help(north: Vault, member: As, database: Database) -> None:
    made = north.keep(b"data", **MADE)
    status, key, message = member.refused("POST", "/backups", registering(north, made))
    assert (status, key) == (400, "badRequest")
    assert f"it takes the escrow of master key {north.wrapping.master}" in message
    assert "`argosy keys import`" in message
    give(database, Vault(north.store, os.urandom(32)))
    assert "it takes the escrow of" in member.refused("POST", "/backups", registering(north, made))[2]


@pytest.mark.usefixtures("given")
def test_deleted_it_stays_there(north: Vault, member: As, keepers: Any) -> None:
    made = north.keep(b"data", **MADE)
    seen = registered(member, north, made)["id"]
    before = list(north.store.list(""))
    keepers()
    assert member("DELETE", f"/backups/{seen}").status_code == 202
    eventually(lambda: gone(member, seen))
    assert list(north.store.list("")) == before


@pytest.mark.usefixtures("given")
def test_nobody_names_another_projects(north: Vault, member: As, stranger: As, admin: As, settings: Settings) -> None:
    made = north.keep(b"data", **MADE)
    refused = stranger.refused("POST", "/backups", registering(north, made))
    nothing = stranger.refused("POST", "/backups", registering(north, dataclasses.replace(made, backup="b" * 36)))
    assert refused[:2] == nothing[:2] == (400, "badRequest")
    assert refused[2].replace(made.backup, "b" * 36) == nothing[2]
    assert registered(admin, north, made)["region"] == "north"
    south = vault(settings, "south", "blue")  # where projects are mapped, and this one is not
    assert member.refused("POST", "/backups", registering(south, south.keep(b"data", **MADE)))[0] == 400


def test_a_project_that_has_another_id_there(member: As, stranger: As, settings: Settings, database: Database) -> None:
    south = vault(settings, "south", "violet")
    give(database, south)
    made = south.keep(b"data", **MADE)
    assert registered(member, south, made)["region"] == "south"
    assert stranger.refused("POST", "/backups", registering(south, made))[0] == 400


def test_one_that_is_nowhere(north: Vault, member: As) -> None:
    made = dataclasses.replace(north.keep(b"data", **MADE), backup="b" * 36)
    status, _, message = member.refused("POST", "/backups", registering(north, made))
    assert status == 400
    assert "it is not in the store any more, nor in that of region north" in message


@pytest.mark.usefixtures("given")
def test_a_region_that_is_away(north: Vault, member: As, settings: Settings, database: Database, ready: Ready) -> None:
    """It is told where it matters, and nowhere else."""
    made = north.keep(b"data", **MADE)
    seen = registered(member, north, made)["id"]
    settings.state.joinpath("north").rename(settings.state / "away")
    status, key, message = member.refused("POST", "/backups", registering(north, made))
    assert (status, key) == (503, "serviceUnavailable")
    assert message.startswith("region north: ")
    wanted = order(name="r1", restorePoint={"backupRef": seen})
    assert member.refused("POST", "/instances", wanted)[0] == 503
    here = Vault(deployment.store(settings), os.urandom(32), project="blue")
    give(database, here)
    assert registered(member, here, here.keep(b"data", **MADE))["region"] is None
    south = vault(settings, "south", "violet")
    give(database, south)
    assert registered(member, south, south.keep(b"data", **MADE))["region"] == "south"
    assert take(member, ready())["region"] is None


@pytest.mark.usefixtures("given")
def test_a_region_that_is_not_told_any_more(
    north: Vault, member: As, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = registered(member, north, north.keep(b"data", **MADE))["id"]
    monkeypatch.setattr(Settings, "region", dataclasses.replace(settings, regions={}).region)
    status, _, message = member.refused("POST", "/instances", order(name="r1", restorePoint={"backupRef": seen}))
    assert status == 503
    assert "an operator must look at [regions.north]" in message
    with database.read() as session:
        assert session.get_one(Backup, seen).region == "north"


def test_nothing_is_built_on_what_was_registered(ready: Ready, member: As, keepers: Any) -> None:
    """Its manifest has another name than its row."""
    instance = ready(datastore={"type": "postgresql", "version": "17"})
    full: dict[str, Any] = take(member, instance)
    keepers(data={instance: b"data"})
    kept = ended(member, full["id"])
    told = {"remote_location": kept["locationRef"], "size": 1, "local_datastore_version_id": VERSIONS["17"]}
    again = member("POST", "/backups", {"backup": {"name": "again", "restore_from": told}}).json["backup"]
    wanted = {"backup": {"name": "b", "instance": instance, "parent_id": again["id"]}}
    assert member.refused("POST", "/backups", wanted)[:2] == (400, "badRequest")
    assert take(member, instance, incremental=1)["parent_id"] in {None, full["id"]}


def test_one_that_shares_the_store_and_not_the_key(member: As, settings: Settings, database: Database) -> None:
    here = Vault(deployment.store(settings), os.urandom(32), project="blue")
    made = here.keep(b"data", **MADE)
    assert member.refused("POST", "/backups", registering(here, made))[0] == 400
    give(database, here)
    assert registered(member, here, made)["region"] is None
