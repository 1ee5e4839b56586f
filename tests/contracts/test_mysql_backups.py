"""Backups of the MySQL family with the real server: each strategy taken, restored, and compared."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.engines import registry
from argosy.engines.mysql.driver import MysqlDriver
from argosy.model.guest import Identity, Secret
from argosy.testing import hands, servers
from argosy.testing.clients import Tenant
from argosy.testing.hands import Hands
from argosy.testing.servers import Farm, Server
from argosy.testing.tapes import Recorder, Tape


class Handy(Recorder, MysqlDriver):  # type: ignore[misc]
    """A driver with tapes."""


def handy(server: Server) -> Server:
    server.hands.close()
    server.hands = Hands(Handy, server.site)
    return server


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with servers.farm() as farm:
        yield farm


@pytest.fixture(scope="module")
def template(farm: Farm) -> Server:
    return farm.template(registry.get("mysql"), servers.require("mysql"))


def identity() -> Identity:
    return Identity(str(uuid.uuid4()), 1)


def fresh(farm: Farm, template: Server) -> Server:
    server = handy(farm.clone(template, identity()))
    server.start()
    return server


@pytest.fixture(scope="module")
def primary(farm: Farm, template: Server) -> Server:
    return fresh(farm, template)


@pytest.fixture
def tapes(farm: Farm) -> Path:
    directory = farm.home / f"tapes-{uuid.uuid4().hex[:6]}"
    directory.mkdir()
    hands.give(directory)
    return directory


def master(server: Server) -> Tenant:
    password = Secret.generate()
    server.hands.call("put_master", password)
    return server.connect(server.login("root", password))


def restored(farm: Farm, template: Server, tapes: list[Tape]) -> Server:
    server = handy(farm.bare(template.engine, template.found))
    server.hands.call("play", tapes)
    server.hands.call("adopt", identity())
    server.issue_certificate()
    server.hands.call("configure", {})
    server.start()
    return server


def test_a_full_backup_is_restored(farm: Farm, template: Server, primary: Server, tapes: Path) -> None:
    tenant = master(primary)
    tenant.write("one", "1")
    tape = primary.hands.call("record", "mariabackup", tapes / "full")
    tenant.write("two", "2")
    tenant.close()
    copy = restored(farm, template, [tape])
    tenant = master(copy)
    assert tenant.read("one") == "1"
    assert tenant.read("two") is None
    tenant.close()
    assert copy.stop() == 0
