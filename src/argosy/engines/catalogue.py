"""Under which names the servers found on a machine are offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from argosy.engines import versions
from argosy.engines.base import Capability, Datastore, Engine, Found


@dataclass(frozen=True)
class Version:
    """One line of the catalogue: a version of a datastore."""

    datastore: str
    name: str
    number: str
    """exact, as the finder tells it: with the engine's name it names an engine root and a template"""
    capabilities: frozenset[Capability]
    note: str = ""


Offers = Sequence[Version]


def offers(engine: Engine, found: Sequence[Found]) -> Offers:
    """Every server as the datastore that it is; those of the engine's first also under the engine's names that have no
    servers of their own, with a version name that says who answers (`10.11.19-MariaDB`).
    """
    first, *others = engine.datastores
    as_it_is = [_as_it_is(engine.native(each.version), each) for each in found]
    natives = [each for each in found if engine.native(each.version) is first]
    stand_ins = [_stand_in(other, first, each) for other in others if not other.own for each in natives]
    return (*as_it_is, *stand_ins)


def _as_it_is(datastore: Datastore, found: Found) -> Version:
    return _version(datastore.name, versions.told(datastore.name, found.version), found, found.note)


def _stand_in(wanted: Datastore, native: Datastore, found: Found) -> Version:
    note = f"{native.title} answers to the name {wanted.title}: no server of {wanted.title} itself is on this machine"
    return _version(wanted.name, f"{found.version}-{native.title}", found, "; ".join(filter(None, (note, found.note))))


def _version(datastore: str, name: str, found: Found, note: str) -> Version:
    return Version(datastore, name, found.version, found.capabilities, note)
