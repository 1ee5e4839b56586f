"""The OpenAPI document and the API say the same."""

from __future__ import annotations

import re
from typing import Any

import falcon.testing
import pytest
import schemathesis
from calling import As, Create, order
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from argosy.api import openapi
from argosy.api.routes import ROUTES

DOCUMENT = openapi.document()
METHODS = ("get", "head", "post", "put", "patch", "delete")
PROMISES = (
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


def test_every_route_is_in_the_document_and_every_entry_is_a_route() -> None:
    written = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item
    }
    assert written == {(route.method, route.path) for route in ROUTES}


def test_the_document_names_the_policy_rules() -> None:
    for route in ROUTES:
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert operation.get("x-policy", "") == route.rule


def test_every_call_of_a_project_tells_who_is_turned_away() -> None:
    """No token; another project's URL, also below /mgmt; too often, or too large a body."""
    told = {
        f"{method} {path}": {"401", "403", "413"} - set(item[method]["responses"])
        for path, item in DOCUMENT["paths"].items()
        for method in METHODS
        if method in item and "{project}" in path
    }
    assert {call: missing for call, missing in told.items() if missing} == {}


def test_every_call_with_a_query_tells_that_nonsense_in_it_is_refused() -> None:
    """Control characters are, whatever the name."""
    told = {
        f"{method} {path}": "400" in item[method]["responses"]
        for path, item in DOCUMENT["paths"].items()
        for method in METHODS
        if method in item and "query" in map(_place, (*item.get("parameters", ()), *item[method].get("parameters", ())))
    }
    assert len(told) > 9
    assert [call for call, is_told in told.items() if not is_told] == []


def _place(parameter: dict[str, Any]) -> str:
    shared = DOCUMENT["components"]["parameters"].get(parameter.get("$ref", "").rpartition("/")[2], parameter)
    return str(shared["in"])


def test_names_of_operations_are_unique() -> None:
    names = [item[method]["operationId"] for item in DOCUMENT["paths"].values() for method in METHODS if method in item]
    assert len(names) == len(set(names))


def test_the_document_is_served(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/openapi.json").json == DOCUMENT


def test_the_page_needs_no_other_host_and_links_to_what_is_there(client: falcon.testing.TestClient) -> None:
    answer = client.simulate_get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", answer.text)
    assert "<script" not in answer.text
    links, ids = re.findall(r'href="#(\w+)"', answer.text), re.findall(r'id="(\w+)"', answer.text)
    assert set(links) <= set(ids) == set(DOCUMENT["components"]["schemas"])
    assert answer.text.count("<summary><span") == sum(
        method in item for item in DOCUMENT["paths"].values() for method in METHODS
    )


BUILT = [
    (method.upper(), path)
    for path, item in DOCUMENT["paths"].items()
    for method in METHODS
    if method in item and "later" not in item[method].get("tags", [])
]


def wanted(body: Any) -> Any:
    """The instance that a body of a create request asks for, so that some of them ask for one that can be had."""
    instance = body.get("instance") if isinstance(body, dict) else None
    return instance if isinstance(instance, dict) else None


@pytest.mark.parametrize(("method", "path"), BUILT, ids=lambda text: text.removeprefix("/v1.0/{project}") or "-")
def test_nothing_that_is_sent_breaks_a_promise(
    client: falcon.testing.TestClient, member: As, create: Create, method: str, path: str
) -> None:
    """Good and bad requests at random, some about an instance that exists: no 5xx but a documented 501."""
    operation = schemathesis.openapi.from_wsgi("/openapi.json", client.app)[path][method]
    good, bad = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @settings(max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=good | bad, known=booleans())
    def check(case: Any, known: bool) -> None:
        if "project" in case.path_parameters:
            case.path_parameters["project"] = member.project
            case.headers = {**(case.headers or {}), "X-Auth-Token": member.token}
        if known and "/instances/{id}" in path:
            case.path_parameters["id"] = create()["id"]
        if known and path.endswith("/instances") and wanted(case.body) is not None:
            wanted(case.body).update(order()["instance"])
        answer = case.call()
        assert answer.status_code < 500 or answer.status_code == 501
        case.validate_response(answer, checks=PROMISES)

    check()
