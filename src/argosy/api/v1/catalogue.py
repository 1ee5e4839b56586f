"""Finds datastores and versions by the names that people use: id, name, or the beginning of a version."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, true
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Datastore, DatastoreVersion, Instance
from argosy.engines import roots


@dataclass(frozen=True)
class Offered:
    datastore: Datastore
    versions: Sequence[DatastoreVersion]


def everything(session: Session, *, inactive: bool) -> list[Offered]:
    """Every datastore by name, with its versions, newest last."""
    versions = _versions(session, inactive=inactive)
    datastores = session.scalars(select(Datastore).order_by(Datastore.name)).all()
    return [Offered(each, [one for one in versions if one.datastore_id == each.id]) for each in datastores]


def datastore(session: Session, name: str, *, inactive: bool = False) -> Offered:
    """By id or name. Raises NotFound."""
    found = session.scalar(select(Datastore).where(or_(Datastore.id == name, Datastore.name == name)).limit(1))
    if found is None:
        raise errors.NotFound(f"Datastore '{name}' cannot be found.")
    versions = _versions(session, inactive=inactive)
    return Offered(found, [each for each in versions if each.datastore_id == found.id])


def version(offered: Offered, name: str, number: str = "") -> DatastoreVersion:
    """By id, name, number, or the beginning of one that no other shares (`15` for 15.18).

    Raises NotFound for an unknown uuid, and BadRequest for an unknown or ambiguous name, as Trove does.
    """
    named = [each for each in offered.versions if name in (each.id, each.name)]
    found = named or [each for each in offered.versions if _begins(each.number, name) or _begins(each.name, name)]
    if number:
        found = [each for each in found if each.number == number]
    if len(found) > 1:
        choice = ", ".join(sorted(each.name for each in found))
        raise errors.BadRequest(f"Datastore version '{name}' is ambiguous: choose one of {choice}.")
    if not found:
        raise _unknown(name)
    return found[0]


def version_by_id(session: Session, version_id: str) -> DatastoreVersion:
    """Raises BadRequest, as Trove does."""
    found = session.get(DatastoreVersion, version_id)
    if found is None:
        raise errors.BadRequest(f"Datastore version '{version_id}' cannot be found.")
    return found


def later(session: Session, instance: Instance, name: str) -> DatastoreVersion:
    """What an instance's owner calls another version of it: an id of any, a name of one of its datastore, or a
    datastore's and a version's with a space between (`valkey 9.1.2`).
    """
    if found := session.get(DatastoreVersion, name):
        return found
    now = version_by_id(session, instance.version_id)
    store, _, number = name.rpartition(" ")
    other = session.scalar(select(Datastore.id).where(Datastore.name == store))
    return version(datastore(session, other or now.datastore_id), number if other else name)


def default(offered: Offered) -> DatastoreVersion:
    """Raises BadRequest."""
    for each in offered.versions:
        if each.id == offered.datastore.default_version_id:
            return each
    raise errors.BadRequest(f"Default version for datastore '{offered.datastore.name}' not found.")


def _unknown(name: str) -> errors.Rejected:
    message = f"Datastore version '{name}' cannot be found."
    try:
        uuid.UUID(name)
    except ValueError:
        return errors.BadRequest(message)
    return errors.NotFound(message)


def _begins(whole: str, name: str) -> bool:
    """By whole parts: 10 begins 10.11 and not 100."""
    return whole == name or whole.startswith(f"{name}.")


def _versions(session: Session, *, inactive: bool) -> Sequence[DatastoreVersion]:
    rows = select(DatastoreVersion).where(true() if inactive else DatastoreVersion.active)
    return sorted(session.scalars(rows), key=lambda each: roots.order(each.number))
