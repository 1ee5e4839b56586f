"""Swift as a cloud has it: found and opened by Keystone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import keystone_server
import pytest
import urllib3
from keystone_server import PASSWORD, Keystone

from argosy.stores import probe
from argosy.stores.base import StoreRefused, StoreUnreachable
from argosy.stores.swift import SwiftStore
from argosy.stores.swift_requests import Place
from argosy.testing import swift_server
from argosy.testing.swift_server import Swift


@pytest.fixture(scope="module")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    keystone_server.installed()
    with keystone_server.running(tmp_path_factory.mktemp("keystone")) as running:
        yield running


@pytest.fixture(scope="module")
def place(keystone: Keystone) -> Iterator[Place]:
    with swift_server.running(keystone.url, PASSWORD) as swift:
        offer(keystone, swift)
        yield Place(keystone.url, "backups", "", "RegionOne", "admin", "Default", "", "admin", PASSWORD)


def offer(keystone: Keystone, swift: Swift) -> None:
    """In the catalog."""
    user = {"name": "admin", "password": PASSWORD, "domain": {"id": "default"}}
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}
    token = ask(keystone, "", "/auth/tokens", {"auth": auth}).headers["X-Subject-Token"]
    service = ask(keystone, token, "/services", {"service": {"type": "object-store", "name": "swift"}})
    endpoint = {
        "service_id": json.loads(service.data)["service"]["id"],
        "interface": "public",
        "region_id": "RegionOne",
        "url": f"{swift.url}/v1/AUTH_%(tenant_id)s",
    }
    ask(keystone, token, "/endpoints", {"endpoint": endpoint})


def ask(keystone: Keystone, token: str, path: str, body: Any) -> urllib3.BaseHTTPResponse:
    headers = {"Content-Type": "application/json", "X-Auth-Token": token}
    answer = urllib3.request("POST", keystone.url + path, body=json.dumps(body), headers=headers, retries=False)
    assert answer.status == 201, answer.data
    return answer


def test_what_was_written_is_read(place: Place) -> None:
    assert set(probe.probe(SwiftStore(place, 10.0))) == {"write", "list", "read", "delete"}


def test_a_wrong_password_is_told(place: Place) -> None:
    with pytest.raises(StoreRefused, match="Keystone does not let us"):
        list(SwiftStore(dataclasses.replace(place, password="other"), 1.0).list(""))


def test_a_region_that_is_not_in_the_catalog_is_told(place: Place) -> None:
    with pytest.raises(StoreRefused):
        list(SwiftStore(dataclasses.replace(place, region="Nowhere"), 1.0).list(""))


def test_a_keystone_that_is_away_is_told(place: Place) -> None:
    with pytest.raises(StoreUnreachable):
        list(SwiftStore(dataclasses.replace(place, auth_url="http://127.0.0.1:9/v3"), 1.0).list(""))
