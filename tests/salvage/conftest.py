"""What the tests of argosy-restore share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from salvors import Salvor

from argosy.testing import servers
from argosy.testing.servers import Farm


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with servers.farm() as farm:
        yield farm


@pytest.fixture
def salvor(farm: Farm) -> Salvor:
    home = farm.home / f"salvor-{uuid.uuid4().hex[:6]}"
    home.mkdir()
    return Salvor(home)
