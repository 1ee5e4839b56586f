"""What a local provider is made of, on either level."""

from __future__ import annotations

from dataclasses import dataclass

from argosy.engines import registry
from argosy.providers.base import Feature
from argosy.providers.local import cgroups, ground, roots, runtime
from argosy.providers.local.compute import LocalCompute
from argosy.providers.local.enclosures import Enclosure
from argosy.providers.local.ground import Ground
from argosy.providers.local.guests import Records
from argosy.providers.local.layout import Layout
from argosy.providers.local.neighbours import LocalNetworks, LocalVolumes
from argosy.providers.local.places import Places
from argosy.providers.local.plain import Plain
from argosy.providers.local.roots import Roots
from argosy.providers.local.sandbox import Jail
from argosy.providers.local.users import Users
from argosy.settings import Settings


@dataclass(frozen=True)
class Parts:
    ground: Ground
    compute: LocalCompute
    features: frozenset[Feature]

    @property
    def volumes(self) -> LocalVolumes:
        return self.ground.volumes

    @property
    def networks(self) -> LocalNetworks:
        return self.ground.networks

    def prepare(self) -> None:
        """What is shared by all guests: once at the start of a process that serves them."""
        self.ground.prepare()


def as_root(settings: Settings) -> Parts:
    layout = Layout(settings.state.resolve())
    jail = Jail(Users(layout), cgroups.here(layout.cgroup), runtime.here())
    features = jail.features | ground.ROOT_FEATURES | ground.network_features(settings)
    return _joined(settings, ground.as_root(settings), jail, features)


def as_user(settings: Settings) -> Parts:
    plain = Plain(Layout(settings.state.resolve()), runtime.here())
    return _joined(settings, ground.as_user(settings), plain, plain.features | ground.USER_FEATURES)


def engine_roots(settings: Settings) -> Roots:
    return Roots(roots.directory(settings), registry.engines())


def _joined(settings: Settings, stand: Ground, enclosure: Enclosure, features: frozenset[Feature]) -> Parts:
    records = Records(stand.layout)
    places = Places(records, stand.volumes, stand.networks, engine_roots(settings))
    return Parts(stand, LocalCompute(records, places, enclosure), features)
