"""Servers of the MySQL family, a farm of them for each file."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from stock import STOCK

from argosy.testing import hands, mysql, servers
from argosy.testing.mysql import Shelf, fresh, master
from argosy.testing.servers import Farm, Server


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with servers.farm() as farm:
        yield farm


@pytest.fixture(scope="module")
def template(farm: Farm) -> Server:
    return mysql.template(farm)


@pytest.fixture(scope="module")
def primary(farm: Farm, template: Server) -> Server:
    return fresh(farm, template)


@pytest.fixture(scope="module")
def stocked(primary: Server) -> Server:
    """With something of everything that a backup may forget."""
    tenant = master(primary)
    for statement in STOCK:
        tenant.run(statement)
    tenant.write("first", "yes")
    tenant.close()
    return primary


@pytest.fixture
def tapes(farm: Farm) -> Path:
    directory = farm.home / f"tapes-{uuid.uuid4().hex[:6]}"
    directory.mkdir()
    hands.give(directory)
    return directory


@pytest.fixture
def shelf(farm: Farm) -> Shelf:
    return Shelf(farm.home / f"shelf-{uuid.uuid4().hex[:6]}")
