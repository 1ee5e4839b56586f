"""Datastores, versions, flavors, limits, versions of the API, health, the authority."""

from __future__ import annotations

from dataclasses import replace

import falcon.testing
import pytest
from calling import As, Ready, order
from judging import Client
from seeding import MARIADB, POSTGRESQL, VERSIONS

from argosy.api import main
from argosy.db.session import Database
from argosy.db.tables import DatastoreVersion
from argosy.guest import authority
from argosy.identity.local.identity import LocalIdentity
from argosy.settings import Api, Limits, Settings


def retire(database: Database, *names: str) -> None:
    with database.write() as session:
        for name in names:
            session.get_one(DatastoreVersion, VERSIONS[name]).active = False


def test_datastores(member: As) -> None:
    mariadb, postgresql, redis = member.get("/datastores")["datastores"]
    assert (mariadb["name"], mariadb["id"]) == ("mariadb", MARIADB)
    assert redis["name"] == "redis"
    assert postgresql["default_version"] == VERSIONS["15"]
    assert [each["name"] for each in postgresql["versions"]] == ["15", "17"]
    first = postgresql["versions"][0]
    assert (first["version"], first["capabilities"]) == ("15.18", ["accounts", "backups", "databases", "tls"])
    assert first["links"][0]["href"].endswith(f"/v1.0/blue/datastores/versions/{VERSIONS['15']}")
    assert "active" not in first
    assert "note" not in first


@pytest.mark.parametrize("name", ["postgresql", POSTGRESQL])
def test_a_datastore_by_name_and_id(member: As, name: str) -> None:
    assert member.get(f"/datastores/{name}")["datastore"]["name"] == "postgresql"
    assert [each["datastore"] for each in member.get(f"/datastores/{name}/versions")["versions"]] == [POSTGRESQL] * 2


@pytest.mark.parametrize("version", ["17", "17.10", VERSIONS["17"]])
def test_a_version_by_many_names(member: As, version: str) -> None:
    assert member.get(f"/datastores/postgresql/versions/{version}")["version"]["id"] == VERSIONS["17"]
    assert len(member.get(f"/datastores/postgresql/versions/{version}/flavors")["flavors"]) == 7


def test_a_version_by_its_id_alone(member: As) -> None:
    seen = member.get(f"/datastores/versions/{VERSIONS['17']}")["version"]
    assert (seen["name"], seen["datastore"]) == ("17", POSTGRESQL)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/datastores/oracle", 404),
        ("/datastores/oracle/versions", 404),
        ("/datastores/postgresql/versions/9", 400),
        ("/datastores/postgresql/versions/1", 400),
        ("/datastores/postgresql/versions/00000000-0000-4000-8000-000000000000", 404),
        ("/datastores/postgresql/versions/9/flavors", 400),
        ("/datastores/versions/00000000-0000-4000-8000-000000000000", 400),
        ("/flavors/99", 404),
        ("/flavors/tiny", 404),
    ],
)
def test_unknown(member: As, path: str, status: int) -> None:
    assert member.refused("GET", path)[0] == status


def test_what_is_retired_is_shown_to_admins_only(member: As, admin: As, database: Database) -> None:
    retire(database, "15", "10.11", "7.0")
    assert [each["name"] for each in member.get("/datastores")["datastores"]] == ["postgresql"]
    assert "default_version" not in member.get("/datastores/postgresql")["datastore"]
    shown = admin.get("/datastores")["datastores"]
    assert [[each["active"] for each in one["versions"]] for one in shown] == [[False], [False, True], [False]]
    assert member.refused("POST", "/instances", order())[0] == 400
    assert member.refused("POST", "/instances", order(datastore={"type": "mariadb"}))[0] == 400
    assert member.refused("POST", "/instances", order(datastore={"type": "postgresql", "version": "15"}))[0] == 400


def test_an_ambiguous_version_names_the_choice(member: As, database: Database) -> None:
    with database.write() as session:
        session.get_one(DatastoreVersion, VERSIONS["17"]).number = "15.4"
        session.get_one(DatastoreVersion, VERSIONS["17"]).name = "15.4"
        session.get_one(DatastoreVersion, VERSIONS["15"]).name = "15.18"
    message = member.refused("GET", "/datastores/postgresql/versions/15")[2]
    assert message == "Datastore version '15' is ambiguous: choose one of 15.18, 15.4."


def test_a_version_may_have_a_note(member: As, database: Database) -> None:
    with database.write() as session:
        session.get_one(DatastoreVersion, VERSIONS["15"]).note = "without TLS"
    assert member.get("/datastores/postgresql/versions/15")["version"]["note"] == "without TLS"


def test_flavors(member: As) -> None:
    flavors = {each["str_id"]: each for each in member.get("/flavors")["flavors"]}
    assert flavors["2"]["id"] == 2
    assert flavors["6.1"]["id"] is None
    assert member.get("/flavors/6.1")["flavor"] == flavors["6.1"]
    assert set(flavors["2"]) == {"id", "str_id", "name", "ram", "vcpus", "disk", "ephemeral", "links"}


def test_limits(member: As) -> None:
    absolute, *rates = member.get("/limits")["limits"]
    assert absolute == {
        "verb": "ABSOLUTE",
        "max_instances": 200,
        "max_backups": 1000,
        "max_volumes": 2000,
        "max_ram": -1,
    }
    assert [each["verb"] for each in rates] == ["POST", "PUT", "DELETE", "GET"]
    assert set(rates[0]) == {"verb", "uri", "regex", "value", "unit", "remaining", "nextAvailable"}
    assert rates[0]["nextAvailable"].endswith("Z")


def serve(settings: Settings, database: Database, member: As, **changed: object) -> As:
    app = main.make_app(replace(settings, **changed), database, LocalIdentity(database))  # type: ignore[arg-type]
    return As(Client(app), member.project, member.token)


def test_quota(settings: Settings, database: Database, member: As) -> None:
    who = serve(settings, database, member, limits=Limits(instances=1, volumes=100))
    instance_id = who("POST", "/instances", order()).json["instance"]["id"]
    assert who.refused("POST", "/instances", order()) == (
        413,
        "overLimit",
        "Quota exceeded for resources: ['instances'].",
    )
    who("DELETE", f"/instances/{instance_id}")
    assert who("POST", "/instances", order()).status_code == 200


def test_rate_limits_count_verbs_apart(settings: Settings, database: Database, member: As) -> None:
    who = serve(settings, database, member, limits=Limits(requests_per_minute=2))
    assert [who("GET", "/instances").status_code for _ in range(3)] == [200, 200, 413]
    answer = who("GET", "/instances")
    fault = answer.json["overLimit"]
    assert (fault["code"], fault["message"]) == (413, "This request was rate-limited.")
    assert 1 <= int(answer.headers["retry-after"]) <= 30
    assert fault["retryAfter"] == answer.headers["retry-after"]
    assert who("POST", "/instances", order()).status_code == 200
    assert [who("PATCH", "/instances/x").status_code for _ in range(3)] == [400] * 3


def test_a_default_datastore(settings: Settings, database: Database, member: As) -> None:
    who = serve(settings, database, member, api=Api(default_datastore="mariadb"))
    made = who("POST", "/instances", order(datastore=None)).json["instance"]
    assert made["datastore"]["type"] == "mariadb"


def test_versions_of_the_api(client: falcon.testing.TestClient) -> None:
    version = {
        "id": "v1.0",
        "status": "CURRENT",
        "updated": "2012-08-01T00:00:00Z",
        "links": [{"rel": "self", "href": "http://falconframework.org/v1.0/"}],
    }
    assert client.simulate_get("/").json == {"versions": [version]}
    for path in ("/v1.0/", "/v1.0"):
        assert client.simulate_get(path).json == {"version": version}


def test_health(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/healthcheck").text == "OK"
    assert client.simulate_head("/healthcheck").status_code == 204


def test_the_authority(client: falcon.testing.TestClient, settings: Settings) -> None:
    assert client.simulate_get("/v1/ca").status_code == 404
    authority.make(settings.keys)
    answer = client.simulate_get("/v1/ca")
    assert answer.text == (settings.keys / "ca.crt").read_text()
    assert answer.headers["content-type"] == "application/x-pem-file"


def test_the_instance_of_a_version_that_is_gone(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        session.delete(session.get_one(DatastoreVersion, VERSIONS["15"]))
    seen = member.get(f"/instances/{instance_id}")["instance"]
    assert seen["datastore"] == {"type": None, "version": None}
