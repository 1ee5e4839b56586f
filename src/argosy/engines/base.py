"""What an engine is: a declaration (data, for every process) and a driver with facets (hands, for the agent)."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from argosy import errors
from argosy.engines import roots, versions
from argosy.engines.accounts import Accounts
from argosy.engines.archiving import PointInTime
from argosy.engines.backups import Backups, Strategy
from argosy.engines.excerpts import Excerpts
from argosy.engines.logfiles import Log
from argosy.engines.upgrades import Jump, Upgrades, jump
from argosy.model.guest import Identity, Probe, ServiceSpec, Site


class Capability(StrEnum):
    ACCOUNTS = "accounts"
    DATABASES = "databases"
    TLS = "tls"
    UPGRADES = "upgrades"
    """data of older versions can be made its own"""
    BACKUPS = "backups"
    POINT_IN_TIME = "point-in-time"
    """its log can be shipped and replayed"""
    EXCERPTS = "excerpts"
    """single databases and tables can be brought from one server into another"""


@dataclass(frozen=True)
class Datastore:
    """One name under which the engine is offered, with fixed ids so that they are the same on every deployment."""

    name: str
    id: str
    title: str
    """as its makers write it"""
    own: bool = False
    """not the engine's first, and yet with servers of its own, that are found: no other answers to its name"""
    takes: frozenset[str] = frozenset()
    """series of the engine's first datastore, as `7.2`, whose data its own servers make theirs"""


@dataclass(frozen=True)
class Found:
    """One exact version of an engine on this machine."""

    version: str
    """exact, as the server tells it: `15.18`, `10.11.19`, `7.0.15`; of a datastore that is not the engine's first, its
    name follows (engines/versions.py)
    """
    root: Path
    """bound read-only into the sandbox"""
    capabilities: frozenset[Capability]
    """what this build can: a build without OpenSSL lacks TLS"""
    note: str = ""
    """what users should know of this build, e.g. that TLS is not to be had"""


TROVE_FORBIDS = "'\";`,/\\"
"""What Trove allows neither in names of users nor in passwords of MySQL."""


@dataclass(frozen=True)
class Names:
    """Rules for names, checked before a request is admitted."""

    database_length: int = 64
    """bytes, as of users"""
    user_length: int = 32
    reserved_databases: frozenset[str] = frozenset()
    """whatever their case, as of users"""
    reserved_users: frozenset[str] = frozenset()
    reserved_prefixes: tuple[str, ...] = ()
    """of users"""
    forbidden_in_users: str = TROVE_FORBIDS
    """single characters"""
    forbidden_in_passwords: str = ""
    hosts: bool = False
    """users of one name from different hosts are different users"""
    character_sets: frozenset[str] = frozenset()
    """that a database may ask for, each the beginning of the names of its collations; empty: the server is asked"""


@dataclass(frozen=True)
class Engine:
    name: str
    title: str
    datastores: tuple[Datastore, ...]
    """the first is what its servers are, the others are names that they also answer to"""
    port: int
    scheme: str
    """of connection URLs: `postgresql`, `mysql`, `rediss`"""
    capabilities: frozenset[Capability]
    smallest_ram: int
    """MiB below which a flavor is refused"""
    names: Names
    driver: str
    """`module:Class`, loaded by the agent and by nobody else"""
    finder: str
    """`module:function` that takes a directory (an engine root, or / for the host's packages) and returns what it
    holds, as a sequence of `Found`"""
    plain_scheme: str = ""
    """of connection URLs without TLS; empty: the same"""
    plain_offset: int = 0
    """where plain connections go in TLS mode `basic`, from the port on"""
    master: str = "root"
    """the master user that every instance has"""
    own: str = ""
    """`module:function` that takes a site and returns what Argosy itself says there, as the engine's files have it"""
    logs: tuple[Log, ...] = ()
    """those that the driver tells of, if it has the facet Logs (engines/logfiles.py)"""
    strategies: tuple[Strategy, ...] = ()
    """of backups, if the driver has the facet Backups; the first full one that a build and a provider can is the
    default"""
    series: int = 2
    """how many numbers of a version name a series, within which servers take each other's data"""
    crosses_series: bool = False
    """data can be taken from one series to a later one"""
    read_only: Mapping[str, object] = field(default_factory=dict)
    """overrides with which tenants only read, as far as the engine has such a thing"""
    start_bytes: int = 0
    """what a server that has filled its volume needs of it to start again, beyond what it has"""
    serves_root: bool = False
    """its servers run for root too, who is otherwise refused by them"""

    def require(self, capability: Capability) -> None:
        """Raises NotSupported (501) before anything is written."""
        if capability not in self.capabilities:
            raise errors.NotSupported(f"{self.title} does not support {capability}")

    def jump(self, before: str, after: str) -> Jump:
        """What it would be to go from one exact version to the other."""
        old, new = self.native(before), self.native(after)
        if old is new:
            return jump(before, after, series=self.series, crossing=self.crosses_series)
        series = ".".join(map(str, roots.order(before)[: self.series]))
        return Jump.MAJOR if old is self.datastores[0] and series in new.takes else Jump.NONE

    def native(self, number: str) -> Datastore:
        """What the servers of an exact version are, whatever names they answer to."""
        own = (each for each in self.datastores if each.own and versions.is_of(each.name, number))
        return next(own, self.datastores[0])

    def load_driver(self) -> type[Driver]:
        driver: type[Driver] = _load(self.driver)
        return driver

    def own_settings(self, site: Site) -> Mapping[str, str]:
        settings: Mapping[str, str] = _load(self.own)(site) if self.own else {}
        return settings

    def find(self, root: Path) -> Sequence[Found]:
        found: Sequence[Found] = _load(self.finder)(root)
        return found


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


@runtime_checkable
class Driver(Protocol):
    """The part every engine has: bring one server to life and keep it configured. Runs as the guest's own user.

    Nothing here waits for long, retries, compresses, uploads, or knows of Argosy's settings. Errors are
    `errors.GuestFailed` with the server's own words.
    """

    def __init__(self, site: Site) -> None: ...

    def install(self) -> None:
        """Make an empty data directory into a template: initialised, cleanly shut down, without any secret or
        password, loginless except for the guest's own Unix user. Safe to call again after a crash in it.
        """

    def adopt(self, identity: Identity) -> None:
        """Before the first start of a clone: give it an identity of its own (system identifier, server id, own
        administrative secrets). Safe to call again.
        """

    def configure(self, overrides: Mapping[str, object]) -> bool:
        """Write the whole configuration (memory from `site.memory`, TLS from `site`), reload a running server;
        true when only a restart applies all of it. A value of None: a running server is to have its own again.

        Raises Rejected, in the server's words, for values that it refuses.
        """

    def service(self) -> ServiceSpec:
        """The process that the guest's init must keep running."""

    def probe(self) -> Probe:
        """Ask the server how it is, by the local socket. Never raises, never blocks longer than two seconds. It
        cannot see whether the process should run: DOWN, STOPPED and FAILED are the agent's to say; a refused
        connection is STARTING.
        """

    def reload_certificates(self) -> None:
        """Serve the files under `site.state / "tls"` to new connections, without a restart. A stopped server will
        when it starts.
        """


FACETS: Mapping[Capability, type] = {
    Capability.ACCOUNTS: Accounts,
    Capability.UPGRADES: Upgrades,
    Capability.BACKUPS: Backups,
    Capability.POINT_IN_TIME: PointInTime,
    Capability.EXCERPTS: Excerpts,
}
