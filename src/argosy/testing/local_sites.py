"""Real guests on this machine for tests: our own init, with a child that sleeps in the place of the agent."""

from __future__ import annotations

import dataclasses
import json
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.engines import registry
from argosy.engines.base import Found
from argosy.providers.base import Feature
from argosy.providers.local import addresses, cgroups, ownership, runtime
from argosy.providers.local.addresses import LOOPBACK, Addresses
from argosy.providers.local.compute import LocalCompute
from argosy.providers.local.directories import DirectoryVolumes
from argosy.providers.local.enclosures import Enclosure
from argosy.providers.local.guests import Records
from argosy.providers.local.layout import Layout
from argosy.providers.local.networks import LoopbackNetworks
from argosy.providers.local.places import Places
from argosy.providers.local.plain import Plain
from argosy.providers.local.roots import Roots
from argosy.providers.local.runtime import Runtime
from argosy.providers.local.sandbox import Jail
from argosy.providers.local.users import Users

SLEEPER = ("-c", "import time; print('agent is here', flush=True); time.sleep(3600)")


@dataclass(frozen=True)
class OwnedDirectories(DirectoryVolumes):
    """Directories that change hands as images do: the pool is the volumes' own test's business."""

    def own(self, name: str, uid: int, gid: int) -> None:
        ownership.give(self.layout.volumes / name, uid, gid)


@dataclass(frozen=True)
class Site:
    """A provider of which only the servers are under test."""

    layout: Layout
    compute: LocalCompute
    volumes: DirectoryVolumes
    networks: LoopbackNetworks
    roots: Roots
    walled: bool
    name: str = "local"

    @property
    def features(self) -> frozenset[Feature]:
        return self.compute.enclosure.features

    def catalog(self) -> Mapping[str, Sequence[Found]]:
        return self.roots.catalog()

    def state(self, name: str, generation: int = 1) -> Path:
        return self.layout.guest(name, generation)

    def ask(self, name: str, **request: Any) -> dict[str, Any]:
        """What the guest's init answers."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(str(self.state(name) / "init.sock"))
            line.sendall(json.dumps(request).encode() + b"\n")
            reply: dict[str, Any] = json.loads(line.makefile().readline())
            return reply

    def run(self, name: str, *argv: str) -> int:
        reply = self.ask(name, do="start", service={"argv": argv})
        assert reply["ok"], reply
        return int(reply["pid"])


@contextmanager
def site(*, walled: bool) -> Iterator[Site]:
    directory = Path(tempfile.mkdtemp(prefix="ag-"))
    layout = Layout(directory)
    layout.guests.mkdir(mode=0o711)
    made = assembled(layout, walled=walled)
    yield made
    for name in made.compute.owned():
        made.compute.delete(name)
    cgroups.here(layout.cgroup).teardown()
    shutil.rmtree(directory)


def assembled(layout: Layout, *, walled: bool, runs: Runtime | None = None) -> Site:
    """`runs`: what guests execute; without it our own init and a sleeping agent."""
    runs = runs or dataclasses.replace(runtime.here(), agent=SLEEPER)
    volumes = (OwnedDirectories if walled else DirectoryVolumes)(layout)
    networks = LoopbackNetworks(Addresses(layout.addresses, addresses.network("", LOOPBACK, layout.deployment)))
    enclosure: Enclosure = Plain(layout, runs)
    if walled:
        enclosure = Jail(Users(layout), cgroups.here(layout.cgroup), runs)
    roots = Roots(layout.engines, registry.engines())
    compute = LocalCompute(Records(layout), Places(Records(layout), volumes, networks, roots), enclosure)
    return Site(layout, compute, volumes, networks, roots, walled)


def fresh() -> str:
    return str(uuid.uuid4())
