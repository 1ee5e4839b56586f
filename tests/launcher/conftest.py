"""Whole deployments, one of each level for all tests of a file that do not break it."""

import os
from collections.abc import Iterator

import pytest

from argosy.testing.deployments import Deployment


@pytest.fixture(scope="module")
def rooted() -> Iterator[Deployment]:
    if os.geteuid() != 0:
        pytest.skip("level root needs root")
    with Deployment(level="root") as running:
        yield running


@pytest.fixture(scope="module")
def own() -> Iterator[Deployment]:
    """Of an ordinary user."""
    with Deployment(level="user") as running:
        yield running


@pytest.fixture(params=["rooted", "own"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    found: Deployment = request.getfixturevalue(request.param)
    return found
