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
def argosy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """With PostgreSQL 17 from an engine root beside the host's 15, so that there is something to upgrade to."""
    public_clients.installed()
    engines = tmp_path_factory.mktemp("engines")
    for place in (engines, *engines.parents[:2]):
        place.chmod(0o755)
    (engines / "postgresql-17").symlink_to(servers.require("postgresql", "17").root)
    level = "root" if os.geteuid() == 0 else "user"
    with Deployment(level=level, provider={"engines": str(engines)}, conductor={"heartbeat_seconds": 1}) as running:
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
