"""What every call refuses before it looks at what is wanted: too often, too large, in a foreign language, nonsense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import falcon.testing
import pytest
from calling import As, order
from judging import OPERATIONS, Client, Operation

from argosy.api import main
from argosy.db.session import Database
from argosy.identity.local.identity import LocalIdentity
from argosy.settings import Api, Limits, Settings

TENANTS = [each for each in OPERATIONS if each.built and "{project}" in each.path]
SENDING = [each for each in TENANTS if each.method in ("POST", "PUT", "PATCH") and "415" in each.told["responses"]]


@pytest.fixture
def serve(settings: Settings, database: Database, admin: As) -> Callable[..., As]:
    """An administrator at an API with other settings."""

    def serve(**changed: Any) -> As:
        app = main.make_app(replace(settings, **changed), database, LocalIdentity(database))
        return replace(admin, client=Client(app))

    return serve


def path(operation: Operation, name: str = "x") -> str:
    """Below the project, with this name for whatever is named."""
    parts = operation.path.removeprefix("/v1.0/{project}").split("/")
    return "/".join(name if part.startswith("{") else part for part in parts)


def statuses(who: As, operations: list[Operation], *, name: str = "x", **sent: Any) -> dict[str, int]:
    return {str(each): who(each.method, path(each, name), **sent).status_code for each in operations}


def test_too_often(serve: Callable[..., As]) -> None:
    who = serve(limits=Limits(requests_per_minute=1))
    limited = [each for each in TENANTS if each.method != "PATCH"]
    for each in {each.method: each for each in limited}.values():
        who(each.method, path(each))
    assert set(statuses(who, limited).values()) == {413}


def test_too_large(serve: Callable[..., As]) -> None:
    who = serve(api=Api(max_body=10))
    large = [each for each in SENDING if each.method == "PATCH"]
    assert set(statuses(who, large, body={"a": "b" * 10}).values()) == {413}


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [("text/plain", b"hello", 415), ("application/json", b"{", 400), ("application/xml", b"<a>", 400)],
)
def test_foreign_or_malformed(serve: Callable[..., As], content_type: str, body: bytes, status: int) -> None:
    told = statuses(serve(), SENDING, body=body, headers={"Content-Type": content_type})
    assert told == {str(each): status for each in SENDING}


def test_a_name_that_nothing_can_have(serve: Callable[..., As]) -> None:
    """A control character in the path is no name of anything, and never reaches the database."""
    named = [each for each in TENANTS if "{" in each.path.removeprefix("/v1.0/{project}")]
    assert {each: status for each, status in statuses(serve(), named, name="%00").items() if status != 404} == {}


def test_a_version_that_is_not_spoken(client: falcon.testing.TestClient) -> None:
    accept = {"Accept": "application/vnd.openstack.trove+json;version=9.9"}
    assert client.simulate_get("/v1.0/blue/instances", headers=accept).status_code == 406


@pytest.mark.parametrize("path", ["/instances/detail", "/configurations", "/modules", "/mgmt/instances", "/events"])
def test_a_page_that_is_none(admin: As, path: str) -> None:
    assert admin.refused("GET", f"{path}?limit=x")[:2] == (400, "badRequest")


def test_administrators_see_whose_it_is_in_lists(admin: As) -> None:
    assert admin("POST", "/instances", order()).status_code == 200
    assert [each["tenant_id"] for each in admin.get("/instances")["instances"]] == ["red"]
