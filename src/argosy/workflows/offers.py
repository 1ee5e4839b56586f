"""Which datastore versions there are: what the provider found and what operators made of it, for the API."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.session import Database
from argosy.db.tables import Datastore, DatastoreVersion, Fact, VersionFlavor
from argosy.engines import catalogue, registry, roots
from argosy.engines.base import Engine, Found
from argosy.engines.catalogue import Version
from argosy.providers.base import Provider

SPACE = uuid.UUID("6b0c7b1e-3f43-4f4c-9d0d-5a1c1f7f2d11")
"""Of the ids of versions: the same version has the same id on every deployment."""
BUILDS = "builds"
"""Name of the fact that keeps what the provider found: engine -> exact version -> capabilities and note."""


@dataclass(frozen=True)
class Offer:
    """A version of a datastore with the engine behind it."""

    version: DatastoreVersion
    datastore: Datastore
    engine: Engine

    @property
    def template(self) -> str:
        """Name of the template that its volumes are cloned from."""
        return f"{self.engine.name}-{self.version.number}"


def get(session: Session, version_id: str) -> Offer:
    """Raises NotFound."""
    version = session.get(DatastoreVersion, version_id)
    datastore = session.get(Datastore, version.datastore_id) if version else None
    if version is None or datastore is None:
        raise errors.NotFound(f"datastore version {version_id} cannot be found")
    return Offer(version, datastore, registry.get(datastore.engine))


def menu(session: Session, version_id: str) -> frozenset[str]:
    """The only flavors that the version may be asked for with; empty: any."""
    return frozenset(session.scalars(select(VersionFlavor.flavor_id).where(VersionFlavor.version_id == version_id)))


def require_flavor(session: Session, version: DatastoreVersion, flavor_id: str) -> None:
    """Raises BadRequest when the version has a menu of flavors and this one is not on it."""
    vetted = menu(session, version.id)
    if vetted and flavor_id not in vetted:
        choice = ", ".join(sorted(vetted))
        raise errors.BadRequest(
            f"flavor {flavor_id} is not offered with version {version.name}: choose one of {choice}"
        )


def refresh(database: Database, provider: Provider) -> None:
    """Look what the provider has, and write it down."""
    found = provider.catalog()
    with database.write() as session:
        write_down(session, provider, found)


def write_down(session: Session, provider: Provider, found: Mapping[str, Sequence[Found]]) -> None:
    """Bring the catalogue's rows up to what the provider has found.

    A version whose build is gone becomes inactive. One that an operator withdrew stays inactive, and one that an
    operator registered stays, with the abilities of its build.
    """
    told = {"name": provider.name, "features": sorted(provider.features), "network": provider.network}
    session.merge(Fact(name="provider", value=told))
    session.merge(Fact(name=BUILDS, value={name: _builds(each) for name, each in found.items()}))
    session.execute(update(DatastoreVersion).values(active=False))
    for engine in registry.engines().values():
        _write_engine(session, engine, catalogue.offers(engine, found.get(engine.name, ())))
    session.flush()
    for version in session.scalars(select(DatastoreVersion).where(DatastoreVersion.registered)):
        settle(session, version)
    for datastore_id in session.scalars(select(Datastore.id)).all():
        choose_default(session, datastore_id)


def build(session: Session, engine: str, number: str) -> dict[str, Any] | None:
    """Capabilities and note of what the provider found of exactly this version; None when it found none."""
    fact = session.get(Fact, BUILDS)
    found: dict[str, Any] | None = fact.value.get(engine, {}).get(number) if fact else None
    return found


def settle(session: Session, version: DatastoreVersion) -> None:
    """Active as far as its build is there and no operator withdrew it."""
    datastore = session.get_one(Datastore, version.datastore_id)
    found = build(session, datastore.engine, version.number)
    version.active = found is not None and not version.withdrawn
    if found is not None and version.registered:
        version.capabilities, version.note = found["capabilities"], found["note"]


def choose_default(session: Session, datastore_id: str) -> None:
    """Keep an active default; else the newest active version that has TLS, else the newest."""
    session.flush()
    rows = select(DatastoreVersion).where(DatastoreVersion.datastore_id == datastore_id, DatastoreVersion.active)
    versions = session.scalars(rows).all()
    datastore = session.get_one(Datastore, datastore_id)
    if datastore.default_version_id in {each.id for each in versions}:
        return
    best = max(versions, key=lambda each: ("tls" in each.capabilities, roots.order(each.number)), default=None)
    datastore.default_version_id = best.id if best else None


def _builds(found: Sequence[Found]) -> dict[str, Any]:
    return {each.version: {"capabilities": sorted(each.capabilities), "note": each.note} for each in found}


def _write_engine(session: Session, engine: Engine, offered: catalogue.Offers) -> None:
    ids = {each.name: each.id for each in engine.datastores}
    for each in offered:
        session.merge(Datastore(id=ids[each.datastore], name=each.datastore, engine=engine.name))
        session.flush()
        _write_version(session, ids[each.datastore], each)


def _write_version(session: Session, datastore_id: str, offered: Version) -> None:
    """What an operator registered under the same name stands in for what was found; what they renamed stays so."""
    version_id = str(uuid.uuid5(SPACE, f"{offered.datastore}/{offered.name}"))
    named = (DatastoreVersion.datastore_id == datastore_id) & (DatastoreVersion.name == offered.name)
    version = session.scalar(select(DatastoreVersion).where(named)) or session.get(DatastoreVersion, version_id)
    if version is None:
        version = DatastoreVersion(id=version_id, datastore_id=datastore_id, name=offered.name, withdrawn=False)
        session.add(version)
    if not version.registered:
        version.number, version.note = offered.number, offered.note
        version.capabilities, version.active = sorted(offered.capabilities), not version.withdrawn
