"""Which datastore versions there are: what the provider found, written down for the API."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.session import Database
from argosy.db.tables import Datastore, DatastoreVersion, Fact
from argosy.engines import catalogue, registry
from argosy.engines.base import Engine, Found
from argosy.providers.base import Provider

SPACE = uuid.UUID("6b0c7b1e-3f43-4f4c-9d0d-5a1c1f7f2d11")
"""Of the ids of versions: the same version has the same id on every deployment."""


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


def refresh(database: Database, provider: Provider) -> None:
    """Look what the provider has, and write it down."""
    found = provider.catalog()
    with database.write() as session:
        write_down(session, provider, found)


def write_down(session: Session, provider: Provider, found: Mapping[str, Sequence[Found]]) -> None:
    """Bring the catalogue's rows up to what the provider has found; a version that is gone becomes inactive."""
    session.execute(update(DatastoreVersion).values(active=False))
    for engine in registry.engines().values():
        _write_engine(session, engine, catalogue.offers(engine, found.get(engine.name, ())))
    session.merge(Fact(name="provider", value={"name": provider.name, "features": sorted(provider.features)}))


def _write_engine(session: Session, engine: Engine, offered: catalogue.Offers) -> None:
    ids = {each.name: each.id for each in engine.datastores}
    for each in offered:
        version_id = str(uuid.uuid5(SPACE, f"{each.datastore}/{each.name}"))
        session.merge(Datastore(id=ids[each.datastore], name=each.datastore, engine=engine.name))
        session.merge(
            DatastoreVersion(
                id=version_id,
                datastore_id=ids[each.datastore],
                name=each.name,
                number=each.number,
                capabilities=sorted(each.capabilities),
                note=each.note,
                active=True,
            )
        )
    session.flush()
    for datastore_id in ids.values():
        _choose_default(session, datastore_id)


def _choose_default(session: Session, datastore_id: str) -> None:
    """Keep an active default; else the newest version that has TLS, else the newest."""
    rows = select(DatastoreVersion).where(DatastoreVersion.datastore_id == datastore_id, DatastoreVersion.active)
    versions = session.scalars(rows).all()
    datastore = session.get(Datastore, datastore_id)
    if datastore is None or datastore.default_version_id in {each.id for each in versions}:
        return
    best = max(versions, key=lambda each: ("tls" in each.capabilities, _ordinal(each.number)), default=None)
    datastore.default_version_id = best.id if best else None


def _ordinal(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.partition("-")[0].split(".") if part.isdigit())
