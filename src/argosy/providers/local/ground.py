"""What guests of a deployment stand on: volumes and addresses, on each level and in each network mode."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Protocol

from argosy.providers.base import Feature
from argosy.providers.local import addresses, faces
from argosy.providers.local.copies import ImageCopies
from argosy.providers.local.directories import DirectoryVolumes
from argosy.providers.local.layout import Layout
from argosy.providers.local.namespaces import NamespaceNetworks
from argosy.providers.local.neighbours import LocalNetworks, LocalVolumes
from argosy.providers.local.networks import LoopbackNetworks
from argosy.providers.local.outlets import Inside, OpenNetworks
from argosy.providers.local.pool import Pool
from argosy.providers.local.publishing import Publishing
from argosy.providers.local.templates import ImageTemplates
from argosy.providers.local.users import Users
from argosy.providers.local.volumes import ImageVolumes
from argosy.settings import BadSetting, Settings


class Preparable(Protocol):
    def prepare(self) -> None:
        """Make what is shared by all: once at the start, as often as one likes."""


class GroundVolumes(LocalVolumes, Preparable, Protocol): ...


class GroundNetworks(LocalNetworks, Preparable, Protocol): ...


@dataclass(frozen=True)
class Ground:
    layout: Layout
    volumes: GroundVolumes
    networks: GroundNetworks

    def prepare(self) -> None:
        self.volumes.prepare()
        self.networks.prepare()


def as_root(settings: Settings) -> Ground:
    layout = Layout(settings.state.resolve())
    pool = Pool(layout, settings.provider.pool_gigabytes)
    publishing = Publishing(layout, faces.face(settings.provider), Users(layout))
    networks = OpenNetworks(_inside(settings, layout), publishing)
    return Ground(layout, ImageVolumes(layout, pool, ImageTemplates(layout, pool), ImageCopies(layout, pool)), networks)


def as_user(settings: Settings) -> Ground:
    """Raises BadSetting where the settings ask for what only root can give."""
    layout = Layout(settings.state.resolve())
    if settings.provider.network == "namespace":
        raise BadSetting("provider.network `namespace` needs root: choose `loopback`")
    publishing = Publishing(layout, faces.face(settings.provider))
    return Ground(layout, DirectoryVolumes(layout), OpenNetworks(_loopback(settings), publishing))


ROOT_FEATURES = frozenset({Feature.VOLUME_SIZE, Feature.GROW_ONLINE, Feature.SNAPSHOT, Feature.TEMPLATE})
USER_FEATURES = frozenset({Feature.TEMPLATE})


def network_features(settings: Settings) -> frozenset[Feature]:
    return frozenset({Feature.NETWORK_ISOLATION} if settings.provider.network == "namespace" else ())


def doorstep(settings: Settings) -> str:
    """The address of this host at which guests reach it: in mode `namespace` the only one, so the conductor must
    listen there too; otherwise where the conductor listens in any case.
    """
    if settings.provider.network == "namespace":
        return _addresses(settings, addresses.PRIVATE).gateway
    return settings.conductor.host


def network(settings: Settings) -> str:
    """What guests' addresses are taken from."""
    within = addresses.PRIVATE if settings.provider.network == "namespace" else addresses.LOOPBACK
    return str(_addresses(settings, within).network)


def _inside(settings: Settings, layout: Layout) -> Inside:
    if settings.provider.network == "loopback":
        return _loopback(settings)
    if settings.provider.network == "namespace":
        return NamespaceNetworks(layout, _addresses(settings, addresses.PRIVATE))
    raise BadSetting(f"provider.network {settings.provider.network!r} is not known: `loopback` or `namespace`")


def _loopback(settings: Settings) -> LoopbackNetworks:
    return LoopbackNetworks(_addresses(settings, addresses.LOOPBACK))


def _addresses(settings: Settings, inside: IPv4Network) -> addresses.Addresses:
    layout = Layout(settings.state.resolve())
    within = addresses.network(settings.provider.addresses, inside, layout.deployment)
    return addresses.Addresses(layout.addresses, within)
