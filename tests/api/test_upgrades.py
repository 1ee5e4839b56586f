"""Another version of an instance's datastore, by PUT and PATCH: what is admitted, and what is refused beforehand."""

from __future__ import annotations

import pytest
from calling import As, Create, Ready
from seeding import POSTGRESQL, VERSIONS

from argosy.db.session import Database
from argosy.db.tables import Configuration, Datastore, DatastoreVersion, Event, Fact, Instance, Run

NOWHERE = "99999999-9999-4999-8999-999999999999"
LATEST = "11111111-1111-4111-8111-000000001520"


@pytest.fixture(autouse=True)
def able(database: Database) -> None:
    """Builds that convert, snapshots to go back to, and a later minor version."""
    with database.write() as session:
        session.get_one(Fact, "provider").value = {"name": "local", "features": ["snapshot"]}
        for version in session.query(DatastoreVersion):
            version.capabilities = [*version.capabilities, "upgrades"]
        later = DatastoreVersion(id=LATEST, datastore_id=POSTGRESQL, name="15.20", number="15.20")
        later.capabilities = ["accounts", "databases", "tls"]
        session.add(later)


def without(database: Database, version: str, capability: str) -> None:
    with database.write() as session:
        row = session.get_one(DatastoreVersion, VERSIONS[version])
        row.capabilities = [each for each in row.capabilities if each != capability]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("version", ["17", VERSIONS["17"], "15.20"])
def test_it_shows_before_it_is_answered(
    ready: Ready, member: As, database: Database, method: str, version: str
) -> None:
    instance_id = ready()
    answer = member(method, f"/instances/{instance_id}", {"instance": {"datastore_version": version}})
    assert (answer.status_code, answer.content) == (202, b"")
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert (seen["status"], seen["datastore"]["version"]) == ("UPGRADE", "15")
    with database.read() as session:
        assert session.query(Run).filter_by(workflow="upgrade_instance").one().subject == instance_id
        assert session.query(Event).filter_by(kind="dbaas.instance_upgrade.start").count() == 1
    busy = member.refused(method, f"/instances/{instance_id}", {"instance": {"datastore_version": version}})
    assert busy[0] == 422
    assert "instance status was UPGRADE" in busy[2]


@pytest.mark.parametrize(
    ("version", "status", "words"),
    [
        ("14", 400, "cannot be found"),
        (NOWHERE, 404, "cannot be found"),
        ("15.18", 400, "it can go to 15.20, 17"),
        (VERSIONS["10.11"], 400, "cannot be upgraded to mariadb 10.11: it can go to 15.20, 17"),
        ("", 400, "datastore_version"),
    ],
)
def test_what_is_no_later_version_is_refused(ready: Ready, member: As, version: str, status: int, words: str) -> None:
    instance_id = ready()
    refusal = member.refused("PATCH", f"/instances/{instance_id}", {"instance": {"datastore_version": version}})
    assert refusal[0] == status
    assert words in refusal[2]
    assert member.get(f"/instances/{instance_id}")["instance"]["status"] == "ACTIVE"


def test_while_it_is_built_or_stopped_it_is_busy(create: Create, ready: Ready, member: As, database: Database) -> None:
    building, stopped = create()["id"], ready("m2", "127.9.0.2")
    with database.write() as session:
        session.get_one(Instance, stopped).wanted = "stopped"
    for instance_id in (building, stopped):
        body = {"instance": {"datastore_version": "17"}}
        assert member.refused("PUT", f"/instances/{instance_id}", body)[0] == 422


def test_a_major_version_needs_programs_that_convert(ready: Ready, member: As, database: Database) -> None:
    without(database, "17", "upgrades")
    refusal = member.refused("PUT", f"/instances/{ready()}", {"instance": {"datastore_version": "17"}})
    assert refusal[0] == 400
    assert "it can go to 15.20." in refusal[2]


def test_a_major_version_needs_something_to_go_back_to(ready: Ready, member: As, database: Database) -> None:
    with database.write() as session:
        session.get_one(Fact, "provider").value = {"name": "local", "features": []}
    assert member.refused("PUT", f"/instances/{ready()}", {"instance": {"datastore_version": "17"}})[0] == 400
    assert (
        member(
            "PUT", f"/instances/{ready('m2', '127.9.0.2')}", {"instance": {"datastore_version": "15.20"}}
        ).status_code
        == 202
    )


def test_nobody_loses_tls(ready: Ready, member: As, database: Database) -> None:
    without(database, "17", "tls")
    refusal = member.refused("PUT", f"/instances/{ready()}", {"instance": {"datastore_version": "17"}})
    assert refusal[0] == 422
    assert "TLS" in refusal[2]


def test_settings_that_the_version_does_not_know_are_named(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        values = {"old_snapshot_threshold": 60, "work_mem": 8192}
        group = Configuration(id=NOWHERE, project_id="blue", name="g", version_id=VERSIONS["15"], settings=values)
        group.created = group.updated = 0.0
        session.add(group)
        session.get_one(Instance, instance_id).configuration_id = NOWHERE
    refusal = member.refused("PUT", f"/instances/{instance_id}", {"instance": {"datastore_version": "17"}})
    assert refusal[0] == 422
    assert "old_snapshot_threshold" in refusal[2]
    assert "work_mem" not in refusal[2]
    assert member("PUT", f"/instances/{instance_id}", {"instance": {"datastore_version": "15.20"}}).status_code == 202


def test_a_version_tells_where_its_instances_can_go(member: As) -> None:
    for version, later in (("15", ["15.20", "17"]), ("17", []), ("15.20", ["17"])):
        told = member.get(f"/datastores/postgresql/versions/{version if version != '15' else VERSIONS['15']}")
        assert told["version"]["upgrades_to"] == later


def test_a_name_may_come_along(ready: Ready, member: As) -> None:
    instance_id = ready()
    body = {"instance": {"datastore_version": "17", "name": "renamed"}}
    assert member("PUT", f"/instances/{instance_id}", body).status_code == 202
    assert member.get(f"/instances/{instance_id}")["instance"]["name"] == "renamed"


VALKEY = "44444444-4444-4444-8444-444444444444"


@pytest.fixture
def valkey(database: Database) -> None:
    """A build without TLS."""
    with database.write() as session:
        session.add(Datastore(id=VALKEY, name="valkey", engine="redis"))
        session.flush()
        version = DatastoreVersion(id=VALKEY, datastore_id=VALKEY, name="9.1.2", number="9.1.2-valkey")
        version.capabilities = ["accounts", "upgrades"]
        session.add(version)


@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("called", ["valkey 9.1.2", "valkey 9.1", VALKEY])
def test_from_redis_to_valkey_without_tls(ready: Ready, member: As, database: Database, called: str) -> None:
    """Refused as long as the instance speaks it, and what would do is told."""
    told = member.get(f"/datastores/redis/versions/{VERSIONS['7.0']}")
    assert told["version"]["upgrades_to"] == ["valkey 9.1.2"]
    instance_id = ready(datastore={"type": "redis"})
    wanted = {"instance": {"datastore_version": called}}
    status, _, message = member.refused("PUT", f"/instances/{instance_id}", wanted)
    assert (status, "TLS mode is off" in message) == (422, True)
    with database.write() as session:
        session.get_one(Instance, instance_id).tls_mode = "off"
    assert member("PUT", f"/instances/{instance_id}", wanted).status_code == 202


@pytest.mark.usefixtures("valkey")
def test_nobody_goes_back_to_redis(member: As) -> None:
    assert member.get(f"/datastores/valkey/versions/{VALKEY}")["version"]["upgrades_to"] == []
