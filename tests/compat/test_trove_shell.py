"""The legacy `trove` shell, logging in as today (version 3) and as in 2015 (version 2.0)."""

from __future__ import annotations

import pytest
from public_clients import Clients

from argosy.testing.waiting import eventually


@pytest.fixture(params=["v3", "v2.0"])
def shell(demo: Clients, request: pytest.FixtureRequest) -> Clients:
    told = {**demo.environment, "OS_AUTH_URL": demo.environment["OS_AUTH_URL"].replace("/v3", f"/{request.param}")}
    if request.param == "v2.0":
        told = {
            name: value for name, value in told.items() if "DOMAIN" not in name and name != "OS_IDENTITY_API_VERSION"
        }
        told["OS_TENANT_NAME"] = told.pop("OS_PROJECT_NAME")
    return Clients(told)


def test_flavors_and_datastores(shell: Clients) -> None:
    assert {"1", "6.1"} <= {row[0] for row in shell.trove("flavor-list")}
    assert {"postgresql", "redis"} <= {row[1] for row in shell.trove("datastore-list")}
    versions = shell.trove("datastore-version-list", "postgresql")
    assert any(row[1].startswith("15") for row in versions[1:])


def test_an_instance_from_create_to_delete(shell: Clients, request: pytest.FixtureRequest) -> None:
    name = "shell-" + request.node.callspec.params["shell"].replace(".", "-")
    made = _pairs(shell.trove("create", name, "1", "--size", "1", "--datastore", "redis"))
    assert made["name"] == name
    eventually(lambda: _shown(shell, name)["status"] in ("ACTIVE", "HEALTHY"), within=90, every=0.5)
    assert _shown(shell, name)["id"] == made["id"]
    assert name in {row[1] for row in shell.trove("list")}
    shell.trove("delete", name)
    eventually(lambda: name not in {row[1] for row in shell.trove("list")[1:]}, within=60, every=0.5)


def _shown(shell: Clients, name: str) -> dict[str, str]:
    shown = _pairs(shell.trove("show", name))
    assert shown["status"] != "ERROR", shown
    return shown


def _pairs(rows: list[list[str]]) -> dict[str, str]:
    return {row[0]: row[1] for row in rows}
