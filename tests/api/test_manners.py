"""What holds for every request: paths, formats, bodies, ids, errors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import falcon.testing
import pytest
from calling import As, Ready, order

from argosy.api import main
from argosy.db.session import Database
from argosy.identity.local.identity import LocalIdentity
from argosy.settings import Api, Settings


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/nothing", "/instances/x/nothing", "//nothing", "//v2.0/x"])
def test_an_unknown_path(member: As, method: str, path: str) -> None:
    assert member(method, path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/instances"), ("PATCH", "/flavors"), ("OPTIONS", "/instances"), ("HEAD", "/limits")],
)
def test_an_unknown_method_is_404_and_not_405(member: As, method: str, path: str) -> None:
    answer = member(method, path)
    assert answer.status_code == 404
    assert "allow" not in answer.headers


def test_every_answer_has_an_id_of_its_own(member: As) -> None:
    ids = [
        member(method, path).headers["x-openstack-request-id"]
        for method, path in [
            ("GET", "/instances"),
            ("GET", "/nothing"),
            ("POST", "/instances"),
            ("GET", "//healthcheck"),
        ]
    ]
    assert len(set(ids)) == 4
    assert all(re.fullmatch(r"req-[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", each) for each in ids)


@pytest.mark.parametrize("path", ["/instances", "/instances/", "//v1.0//blue//instances", "/instances.json"])
def test_slashes_and_suffix(member: As, path: str) -> None:
    assert member.get(path) == {"instances": []}


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "", "text/html", "application/*;q=0.5", "nonsense", "xml;q=x"]
)
def test_json_for_whatever_else_is_asked_for(member: As, accept: str) -> None:
    answer = member("GET", "/instances", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"instances": []}


@pytest.mark.parametrize("path", ["//v1.0/blue/instances", "//blue/instances"])
def test_accept_may_select_the_version(member: As, path: str) -> None:
    accept = "application/vnd.openstack.trove+json;version=1.0"
    assert member.get(path, headers={"Accept": accept}) == {"instances": []}


def test_an_unknown_version(member: As) -> None:
    accept = {"Accept": "application/vnd.openstack.trove+json;version=3.0"}
    assert member.refused("GET", "/instances", headers=accept)[:2] == (406, "notAcceptable")


@pytest.mark.parametrize(
    ("content_type", "body", "status", "key"),
    [
        ("text/plain", b"{}", 415, "badMediaType"),
        ("application/x-www-form-urlencoded", b"a=b", 415, "badMediaType"),
        ("application/json", b"{", 400, "badRequest"),
        ("application/json", b'{"instance": NaN}', 400, "badRequest"),
        ("application/json", b'{"instance": {"name": "\\ud800"}}', 400, "badRequest"),
        ("application/json", b"\xff\xfe", 400, "badRequest"),
        ("application/json", b"[]", 400, "badRequest"),
        ("application/json", b"7", 400, "badRequest"),
        ("application/json", b"[" * 100_000, 400, "badRequest"),
        ("application/json", b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, "badRequest"),
        ("application/json", b"", 400, "badRequest"),
        ("application/json", b" " * 1_048_577, 413, "overLimit"),
        ("application/xml", b"<instance", 400, "badRequest"),
        ("application/xml", b"<a>" * 100 + b"</a>" * 100, 400, "badRequest"),
        ("application/xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 400, "badRequest"),
        (None, b'{"instance": {}}', 400, "badRequest"),
    ],
)
def test_bodies_that_cannot_be_read(member: As, content_type: str | None, body: bytes, status: int, key: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    assert member.refused("POST", "/instances", body, headers=headers)[:2] == (status, key)


@pytest.mark.parametrize("query", ["kind=%00", "instance=%00", "limit=%0a", "unknown=%1b"])
def test_control_characters_in_a_query(member: As, query: str) -> None:
    """A PostgreSQL server would refuse to look for them."""
    assert member.refused("GET", f"/events?{query}")[:2] == (400, "badRequest")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/backup_strategies"),
        ("DELETE", "/backup_strategies"),
        ("GET", "/clusters"),
        ("DELETE", "/instances/00000000-0000-0000-0000-000000000000"),
        ("GET", "/instances/00000000-0000-0000-0000-000000000000/ssl"),
    ],
)
def test_control_characters_wherever_there_is_a_query(member: As, method: str, path: str) -> None:
    assert member.refused(method, f"{path}?unknown=%00")[:2] == (400, "badRequest")


def test_a_charset_does_not_matter(member: As) -> None:
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    assert member("POST", "/instances", json.dumps(order()).encode(), headers=headers).status_code == 200


def test_a_body_where_none_belongs_is_ignored(ready: Ready, member: As) -> None:
    answer = member("DELETE", f"/instances/{ready()}", b"x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 202


def serve(database: Database, **options: Any) -> falcon.testing.TestClient:
    settings = Settings(Path("/nowhere"), api=Api(**options))
    return falcon.testing.TestClient(main.make_app(settings, database, LocalIdentity(database)))


def test_links_carry_the_real_scheme_and_host(member: As, database: Database) -> None:
    def href(client: falcon.testing.TestClient, protocol: str) -> str:
        headers = {"X-Auth-Token": member.token}
        answer = client.simulate_get("/v1.0/blue/flavors/1", headers=headers, host="db.example:8779", protocol=protocol)
        return str(answer.json["flavor"]["links"][0]["href"])

    assert href(serve(database), "http") == "http://db.example:8779/v1.0/blue/flavors/1"
    assert href(serve(database), "https") == "https://db.example:8779/v1.0/blue/flavors/1"
    fixed = serve(database, public_endpoint="https://cloud.example/db/")
    assert href(fixed, "http") == "https://cloud.example/db/v1.0/blue/flavors/1"


def test_what_nobody_foresaw_stays_inside(settings: Settings, database: Database) -> None:
    class Surprising(LocalIdentity):
        def authenticate(self, token: str) -> Any:
            raise ZeroDivisionError(f"secret {token}")

    client = falcon.testing.TestClient(main.make_app(settings, database, Surprising(database)))
    answer = client.simulate_get("/v1.0/blue/instances", headers={"X-Auth-Token": "xyz"})
    ((key, fault),) = answer.json.items()
    assert (answer.status_code, key, fault["code"]) == (500, "instanceFault", 500)
    assert re.search(r"\([0-9a-f-]{36}\)", fault["message"])
    assert "secret" not in answer.text


def test_a_database_that_is_away_is_503(settings: Settings, tmp_path: Path) -> None:
    away = Database(f"sqlite:///{tmp_path}/no/such/directory.db")
    client = falcon.testing.TestClient(main.make_app(settings, away, LocalIdentity(away)))
    answer = client.simulate_get("/v1.0/blue/instances", headers={"X-Auth-Token": "xyz"})
    assert (answer.status_code, next(iter(answer.json))) == (503, "serviceUnavailable")
    assert client.simulate_get("/healthcheck").status_code == 503
    assert client.simulate_head("/healthcheck").status_code == 503


@pytest.mark.parametrize("path", ["/datastores/a%00b", "/instances/a%00b", "/flavors/%0A", "/datastores/versions/%00"])
def test_what_no_name_can_hold_is_not_found(member: As, path: str) -> None:
    """A database server would refuse to be asked for it."""
    assert member.refused("GET", path)[:2] == (404, "itemNotFound")
