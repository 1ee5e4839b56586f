"""One whole Argosy for all tests with the public clients, and its two tenants."""

from __future__ import annotations

import os
from collections.abc import Iterator

import public_clients
import pytest
from public_clients import Clients

from argosy.testing.deployments import Deployment


@pytest.fixture(scope="session")
def argosy() -> Iterator[Deployment]:
    public_clients.installed()
    with Deployment(level="root" if os.geteuid() == 0 else "user") as running:
        yield running


@pytest.fixture(scope="session")
def admin(argosy: Deployment) -> Clients:
    return Clients(argosy.env("admin@admin"))


@pytest.fixture(scope="session")
def demo(argosy: Deployment) -> Clients:
    return Clients(argosy.env("demo@demo"))
