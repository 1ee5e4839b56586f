"""One whole Argosy for all tests with the public clients, and its two tenants."""

from __future__ import annotations

import os
from collections.abc import Iterator

import public_clients
import pytest
import stages
from public_clients import Clients
from story import Row

from argosy.testing import servers
from argosy.testing.deployments import Deployment


@pytest.fixture(scope="session")
def argosy() -> Iterator[Deployment]:
    """With PostgreSQL 17 from an engine root beside the host's 15, so that there is something to upgrade to."""
    public_clients.installed()
    level = "root" if os.geteuid() == 0 else "user"
    with (
        servers.engine_roots({"postgresql-17": servers.require("postgresql", "17").root}) as engines,
        Deployment(level=level, provider={"engines": str(engines)}, conductor={"heartbeat_seconds": 1}) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def admin(argosy: Deployment) -> Clients:
    return Clients(argosy.env("admin@admin"))


@pytest.fixture(scope="session")
def demo(argosy: Deployment) -> Clients:
    return Clients(argosy.env("demo@demo"))


@pytest.fixture(scope="session")
def rows(argosy: Deployment) -> dict[str, list[Row]]:
    """Every command and call of every client, as it went."""
    return stages.play_all(argosy)
