"""Whole deployments, one of each level for all tests of this folder that do not break it."""

import os
from collections.abc import Iterator

import pytest

from argosy.testing.deployments import Deployment

LEVELS = ("root", "user")


@pytest.fixture(scope="module", params=LEVELS)
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("level root needs root")
    with Deployment(level=request.param) as running:
        yield running
