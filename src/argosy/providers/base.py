"""What a place to run guests must offer.

Every name is chosen by the caller (the instance's uuid), so `ensure` may be repeated and a crash between "made" and
"written down" loses nothing. `ensure` returns at once with a state and never waits: waiting is the step's business.
Deleting what is absent is success. Foreign errors leave a provider only as CloudBusy (retried), CloudFailed (broken)
or a Rejected (the caller's). What only some can do is a Feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from argosy.engines.base import Found
from argosy.model.guest import Secret


class State(StrEnum):
    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    FAILED = "failed"
    ABSENT = "absent"


class Feature(StrEnum):
    """A guarantee that holds for instances of this provider, or an ability."""

    VOLUME_SIZE = "volume-size"
    """a volume's size is enforced"""
    MEMORY_LIMIT = "memory-limit"
    CPU_LIMIT = "cpu-limit"
    ISOLATION = "isolation"
    """own Unix user and sandbox per guest"""
    NETWORK_ISOLATION = "network-isolation"
    """guests cannot reach each other's ports"""
    GROW_ONLINE = "grow-online"
    SNAPSHOT = "snapshot"
    TEMPLATE = "template"


class Fence(StrEnum):
    FENCED = "fenced"
    """nothing of this server runs any more, for certain"""
    UNPROVEN = "unproven"


@dataclass(frozen=True)
class ServerSpec:
    name: str
    """the instance's uuid"""
    generation: int
    """raised by a rebuild: another generation is another guest with another identity"""
    engine: str
    version: str
    """exact; together they name an engine root (or an image)"""
    ram: int
    """MiB"""
    vcpus: float
    volume: str
    port: str
    tls: str
    """model.guest.TlsMode"""
    boot: Secret
    """the boot document (JSON) that the agent reads: conductors, authority, one-time token, site"""
    before: str = ""
    """exact version that the data have been of, when the guest is to make them this one's: it sees that version's
    programs too"""


@dataclass(frozen=True)
class Server:
    name: str
    state: State
    fault: str = ""
    """why it FAILED, and what would help"""
    words: str = ""
    """the last that the agent in it said, or what was to start it, where the provider sees that"""


@dataclass(frozen=True)
class Source:
    """What a new volume starts from. Empty fields: blank."""

    template: str = ""
    snapshot: str = ""


@dataclass(frozen=True)
class Volume:
    name: str
    state: State
    bytes: int = 0
    fault: str = ""


@dataclass(frozen=True)
class Usage:
    """Bytes."""

    used: int
    total: int


@dataclass(frozen=True)
class PortSpec:
    name: str
    project: str
    service_port: int
    """what the engine listens on"""
    public: bool = False
    """to be reached from outside too"""
    allowed: tuple[str, ...] = ()
    """networks whose clients may come from outside; none: everybody may"""
    requested: Mapping[str, str] = field(default_factory=dict)
    """the request's `nics` item, as it came: told back, used where the provider can"""


@dataclass(frozen=True)
class Outside:
    """Where clients from outside connect."""

    hosts: tuple[str, ...]
    """addresses or names, each of them good; certificates have to name them"""
    port: int


@dataclass(frozen=True)
class Port:
    name: str
    state: State
    address: str = ""
    network: str = ""
    """uuid of the network, for the API's `addresses`"""
    fault: str = ""
    outside: Outside | None = None
    """None: it is not public"""


class Compute(Protocol):
    def ensure(self, spec: ServerSpec) -> Server:
        """The server of this name and generation, started if it is not there or not running; an older generation
        of the name is removed first.
        """

    def look(self, name: str) -> Server:
        """As it is now; state ABSENT when there is none."""

    def stop(self, name: str) -> Server: ...

    def announce(self, name: str, ram: int, vcpus: float) -> None:
        """Tell the guest the limits that it is to fit into, and the size that its volume has by now; what is enforced
        stays. So a server can make itself smaller before it has to be.
        """

    def resize(self, name: str, ram: int, vcpus: float) -> Server:
        """New limits, at once, told to the guest too. Raises CloudBusy while the guest does not fit into them."""

    def renew_agent(self, name: str) -> None:
        """Have the guest's agent replaced by one of the installed code; its server runs on. Nothing where none runs.
        Raises CloudFailed for a guest that cannot see that code before its server is started anew.
        """

    def delete(self, name: str) -> None: ...

    def fence(self, name: str) -> Fence:
        """Make sure that nothing of this server runs or will run until `ensure` is called again."""

    def owned(self) -> Sequence[str]:
        """Names of every server there is, running or not: sweeps compare it with the rows."""


class Volumes(Protocol):
    def ensure(self, name: str, gigabytes: int, source: Source) -> Volume: ...

    def grow(self, name: str, gigabytes: int) -> Volume:
        """Online where GROW_ONLINE; never smaller."""

    def gather(self, name: str) -> None:
        """Bring together what earlier snapshots have scattered, while the volume is written to, as far as half a minute
        goes: later ones hold writers up for less. It may be left out.
        """

    def begin_snapshot(self, name: str, snapshot: str) -> None:
        """What can be done of a snapshot before the moment that it is to be of, so that taking it holds writers up for
        less. It may be repeated, and left out; `delete_snapshot` takes it back.
        """

    def snapshot(self, name: str, snapshot: str) -> None:
        """An atomic copy of the volume as it is this moment, under a name of its own."""

    def revert(self, name: str, snapshot: str) -> Volume:
        """Have in a volume that no server uses what the snapshot holds, of the size it has by now. Done once for each
        snapshot: asked for again it changes nothing, whatever was written meanwhile. The snapshot stays.
        """

    def remake(self, name: str, source: Source, mark: str) -> Volume:
        """Have in a volume that no server uses what the source holds, of the size it has by now. Done once for each
        mark (a uuid): asked for again it changes nothing.
        """

    def snapshots(self) -> Sequence[str]:
        """Names of every snapshot there is: sweeps compare it with the rows."""

    def delete_snapshot(self, snapshot: str) -> None: ...

    def delete(self, name: str) -> None: ...

    def usage(self, name: str) -> Usage: ...

    def owned(self) -> Sequence[str]: ...

    def templates(self) -> Sequence[str]:
        """Names of complete, undamaged templates."""

    def make_template(self, name: str, volume: str) -> None:
        """Seal a volume that no server uses as a template, visible whole or not at all."""

    def delete_template(self, name: str) -> None: ...


class Networks(Protocol):
    def ensure(self, spec: PortSpec) -> Port:
        """The port, public or not as the spec says, BUILDING until that is so. Where it is public, `outside` stays the
        same for its life. Connections of clients that are not allowed any more are closed. Raises BadRequest for a
        requested address that cannot be had.
        """

    def look(self, name: str) -> Port:
        """As it is now: ABSENT when there is none, STOPPED when it should be public and nobody gets through."""

    def delete(self, name: str) -> None: ...

    def owned(self) -> Sequence[str]: ...


class Provider(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def features(self) -> frozenset[Feature]: ...

    @property
    def compute(self) -> Compute: ...

    @property
    def volumes(self) -> Volumes: ...

    @property
    def networks(self) -> Networks: ...

    @property
    def doorstep(self) -> str:
        """Address of the control plane's host at which guests reach the conductor."""

    @property
    def network(self) -> str:
        """What addresses can be requested from, as a network; empty where nobody here knows."""

    def catalog(self) -> Mapping[str, Sequence[Found]]:
        """Engine name -> exact versions that guests can be made of here."""

    def rooms(self) -> Mapping[str, Usage]:
        """How full each place is that volumes share: `pool`, and `disk` where that lies below it."""
