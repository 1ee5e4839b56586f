"""What the tests of argosy-restore share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from salvors import Archive, Salvor

from argosy.testing import claims, servers
from argosy.testing.servers import Farm


@pytest.fixture(scope="session")
def farm() -> Iterator[Farm]:
    with servers.farm() as farm:
        yield farm


@pytest.fixture(scope="session")
def salvor(farm: Farm) -> Salvor:
    home = farm.home / "salvor"
    home.mkdir()
    return Salvor(home)


@pytest.fixture(scope="session")
def archive(farm: Farm, salvor: Salvor) -> Archive:
    return Archive(farm, salvor)


@pytest.fixture
def port() -> int:
    return claims.port()
