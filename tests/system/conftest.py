"""One deployment for all tests of a module; every instance made in it is deleted at the end of its test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from owners import Owner

from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually


@pytest.fixture(scope="module")
def argosy() -> Iterator[Deployment]:
    if os.geteuid() != 0:
        pytest.skip("the whole product at level root needs root")
    with Deployment(level="root", conductor={"heartbeat_seconds": 1}, backups={"drills": "off"}) as deployment:
        deployment.cli("datastore", "list")
        yield deployment


@pytest.fixture
def owner(argosy: Deployment) -> Iterator[Owner]:
    owner = Owner(argosy, argosy.client(), {})
    yield owner
    eventually(lambda: owner.reaches(owner.client.datastores), within=60)
    for each in list(owner.client.instances.list()):
        owner.delete(each["id"])
