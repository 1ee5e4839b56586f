"""What may be set, as tenants see it and as operators change it."""

from __future__ import annotations

from typing import Any

import pytest
from calling import As, Ready
from seeding import VERSIONS

from argosy.api.bell import Bell
from argosy.db.session import Database
from argosy.db.tables import Instance
from argosy.workflows import overrides

V15 = VERSIONS["15"]
NOWHERE = "99999999-9999-4999-8999-999999999999"
RULES = f"/mgmt/datastores/versions/{V15}/parameters"


@pytest.fixture(autouse=True)
def nobody_waits(bell: Bell) -> None:
    """For servers that are not there."""
    bell.close()


def rule(name: str = "work_mem", **more: Any) -> dict[str, Any]:
    plain = {"name": name, "data_type": "integer", "restart_required": 0, "min_size": 64, "max_size": 9000}
    return {"configuration-parameter": {**plain, **more}}


def said(name: str = "work_mem", **more: Any) -> dict[str, Any]:
    return {"configuration-parameter": {"name": name, **more}}


def group(values: dict[str, Any]) -> dict[str, Any]:
    datastore = {"type": "postgresql", "version": "15"}
    return {"configuration": {"name": "g", "values": values, "datastore": datastore}}


@pytest.mark.parametrize(
    "where", ["/datastores/postgresql/versions/15/parameters", f"/datastores/versions/{V15}/parameters"]
)
def test_tenants_read_them(member: As, where: str) -> None:
    many = member.get(where)["configuration-parameters"]
    assert len(many) >= 80
    assert [each["name"].lower() for each in many] == sorted(each["name"].lower() for each in many)
    one = member.get(f"{where}/MAX_connections")
    assert one in many
    assert one == {
        "name": "max_connections",
        "datastore_version_id": V15,
        "restart_required": True,
        "type": "integer",
        "min": 10,
        "max": 262143,
        "default": 100,
    }
    assert "min" not in member.get(f"{where}/commit_siblings")
    assert member.refused("GET", f"{where}/nonsense")[:2] == (404, "itemNotFound")


@pytest.mark.parametrize(("datastore", "version", "least"), [("mariadb", "10.11", 80), ("redis", "7.0", 40)])
def test_every_engine_has_many(member: As, datastore: str, version: str, least: int) -> None:
    many = member.get(f"/datastores/{datastore}/versions/{version}/parameters")["configuration-parameters"]
    assert len(many) >= least


@pytest.mark.parametrize(
    ("where", "status"),
    [
        ("/datastores/nothing/versions/15/parameters", 404),
        ("/datastores/postgresql/versions/3/parameters", 400),
        (f"/datastores/versions/{NOWHERE}/parameters", 400),
        (f"/datastores/versions/{NOWHERE}/parameters/work_mem", 400),
    ],
)
def test_of_an_unknown_version(member: As, where: str, status: int) -> None:
    assert member.refused("GET", where)[0] == status


@pytest.mark.parametrize(
    ("method", "where", "body"),
    [
        ("GET", RULES, None),
        ("POST", RULES, rule("new")),
        ("GET", f"{RULES}/work_mem", None),
        ("PUT", f"{RULES}/work_mem", rule()),
        ("DELETE", f"{RULES}/work_mem", None),
    ],
)
def test_for_operators_only(member: As, method: str, where: str, body: object) -> None:
    assert member.refused(method, where, body)[:2] == (401, "unauthorized")


def test_other_bounds(admin: As, member: As) -> None:
    answer = admin("PUT", f"{RULES}/work_mem", rule())
    assert answer.status_code == 200, answer.text
    assert answer.json == {
        **answer.json,
        "name": "work_mem",
        "type": "integer",
        "min_size": 64,
        "max_size": 9000,
        "restart_required": False,
        "baseline": None,
        "locked": False,
    }
    assert answer.json == admin.get(f"{RULES}/work_mem")
    assert answer.json in admin.get(RULES)["configuration-parameters"]
    assert member.get(f"/datastores/versions/{V15}/parameters/work_mem")["max"] == 9000
    assert member.refused("POST", "/configurations", group({"work_mem": 9001}))[0] == 422


def test_a_baseline_is_what_instances_have(admin: As, member: As, ready: Ready, database: Database) -> None:
    admin("PUT", f"{RULES}/work_mem", said(baseline=5000))
    admin("PUT", f"{RULES}/jit", said("jit", baseline=True))
    assert member.get(f"/datastores/versions/{V15}/parameters/work_mem")["baseline"] == 5000
    made = member("POST", "/configurations", group({"work_mem": 6000})).json["configuration"]["id"]
    instance_id = ready(datastore={"type": "postgresql", "version": "15"})
    with database.read() as session:
        assert overrides.effective(session, session.get_one(Instance, instance_id)) == {"work_mem": 5000, "jit": True}
    member("PUT", f"/instances/{instance_id}", {"instance": {"configuration": made}})
    with database.read() as session:
        assert overrides.effective(session, session.get_one(Instance, instance_id)) == {"work_mem": 6000, "jit": True}


def test_a_lock_is_seen_and_cannot_be_overridden(admin: As, member: As, ready: Ready, database: Database) -> None:
    made = member("POST", "/configurations", group({"work_mem": 6000})).json["configuration"]["id"]
    assert admin("PUT", f"{RULES}/work_mem", said(baseline=5000, locked=True)).status_code == 200
    assert member.get(f"/datastores/versions/{V15}/parameters/work_mem")["locked"] is True
    status, _, message = member.refused("POST", "/configurations", group({"work_mem": 6000}))
    assert (status, "operator" in message) == (422, True)
    assert (
        member.refused("PATCH", f"/configurations/{made}", {"configuration": {"values": {"Work_Mem": 1000}}})[0] == 422
    )
    instance_id = ready(datastore={"type": "postgresql", "version": "15"}, configuration=made)
    with database.read() as session:
        assert overrides.effective(session, session.get_one(Instance, instance_id)) == {"work_mem": 5000}
    admin("PUT", f"{RULES}/work_mem", said(locked=False))
    with database.read() as session:
        assert overrides.effective(session, session.get_one(Instance, instance_id)) == {"work_mem": 6000}


def test_one_that_is_not_offered_any_more(admin: As, member: As) -> None:
    assert admin("DELETE", f"{RULES}/WORK_mem").status_code == 204
    assert admin.refused("GET", f"{RULES}/work_mem")[0] == 404
    assert admin.refused("DELETE", f"{RULES}/work_mem")[:2] == (400, "badRequest")
    assert member.refused("POST", "/configurations", group({"work_mem": 6000}))[0] == 422
    assert admin("POST", RULES, rule()).status_code == 200
    assert member("POST", "/configurations", group({"work_mem": 6000})).status_code == 200


def test_one_of_the_operators_own(admin: As, member: As) -> None:
    assert admin("POST", RULES, rule("vacuum_defer_cleanup_age", min_size=0, max_size=10)).status_code == 200
    assert member("POST", "/configurations", group({"vacuum_defer_cleanup_age": 5})).status_code == 200
    assert admin("DELETE", f"{RULES}/vacuum_defer_cleanup_age").status_code == 204
    assert admin.refused("GET", f"{RULES}/vacuum_defer_cleanup_age")[0] == 404


@pytest.mark.parametrize(
    ("method", "where", "body"),
    [
        ("POST", RULES, rule()),
        ("POST", RULES, said("new", restart_required=0)),
        ("POST", RULES, rule("new", max_size=None)),
        ("POST", RULES, rule("new", min_size=9, max_size=8)),
        ("POST", RULES, rule("new", restart_required=True)),
        ("POST", RULES, rule("new", data_type="list")),
        ("POST", RULES, rule("")),
        ("PUT", f"{RULES}/work_mem", said(baseline="much")),
        ("PUT", f"{RULES}/work_mem", said(baseline=1)),
        ("PUT", f"{RULES}/work_mem", said(locked=True)),
        ("PUT", f"{RULES}/work_mem", said(locked="maybe")),
        ("PUT", f"{RULES}/work_mem", {}),
    ],
)
def test_rules_that_are_none(admin: As, method: str, where: str, body: object) -> None:
    before = admin.get(RULES)
    assert admin.refused(method, where, body)[:2] == (400, "badRequest")
    assert admin.get(RULES) == before


def test_an_unknown_one_cannot_be_changed(admin: As) -> None:
    assert admin.refused("PUT", f"{RULES}/nonsense", rule("nonsense"))[0] == 404
