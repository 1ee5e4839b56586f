"""Who can have a backup: servers of its engine and series, on a volume that holds it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Backup, Datastore, DatastoreVersion
from argosy.engines import roots
from argosy.engines.backups import Strategy
from argosy.engines.base import Capability, Engine
from argosy.engines.upgrades import Jump
from argosy.workflows import backup_rows, offers
from argosy.workflows.offers import Offer


def require(session: Session, backup: Backup, offer: Offer, gigabytes: int) -> list[Backup]:
    """Its chain, if a volume of that size can hold it and servers of that version can read it.

    Raises Conflict, Forbidden or BadRequest, which say what would work.
    """
    found = backup_rows.require_restorable(session, backup)
    origin = offers.get(session, backup.version_id)
    _require_engine(origin, offer)
    _require_version(session, backup, origin, offer)
    if not _restores(offer):
        raise errors.NotSupported(
            f"version {offer.version.name} of {offer.engine.title} cannot restore backups here:"
            f" {_cure(_able(session, backup, origin), origin)}"
        )
    if gigabytes < needed(backup):
        raise errors.Forbidden(
            f"The backup {backup.id} was taken from a volume of {needed(backup)} GB and does not fit into one of"
            f" {gigabytes} GB: ask for {needed(backup)} GB or more."
        )
    return found


def needed(backup: Backup) -> int:
    """GiB that a volume must have for it."""
    return backup.gigabytes or int(-(-(backup.size or 1) // 1))


def _require_engine(origin: Offer, wanted: Offer) -> None:
    if origin.engine.name != wanted.engine.name:
        raise errors.BadRequest(
            f"a backup of {origin.engine.title} cannot be restored into {wanted.engine.title}: ask for datastore"
            f" {origin.datastore.name}, version {origin.version.name}"
        )


def _require_version(session: Session, backup: Backup, origin: Offer, wanted: Offer) -> None:
    engine, strategy = origin.engine, strategy_of(origin.engine, backup.strategy)
    if takes(engine, strategy, origin.version.number, wanted.version.number):
        return
    able = _able(session, backup, origin)
    later = engine.jump(origin.version.number, wanted.version.number) is Jump.MAJOR
    then = ", and upgrade the new instance then" if later and able else ""
    raise errors.BadRequest(
        f"a backup of {engine.title} {origin.version.number} taken by {backup.strategy} cannot be restored into"
        f" {wanted.version.number}: {_cure(able, origin)}{then}"
    )


def _able(session: Session, backup: Backup, origin: Offer) -> Sequence[Offer]:
    """What is on offer that can have it."""
    engine, strategy = origin.engine, strategy_of(origin.engine, backup.strategy)
    before, offered = origin.version.number, _offered(session, engine)
    return [each for each in offered if _restores(each) and takes(engine, strategy, before, each.version.number)]


def _restores(offer: Offer) -> bool:
    return Capability.BACKUPS in offer.version.capabilities


def _cure(able: Sequence[Offer], origin: Offer) -> str:
    choice = ", ".join(f"{each.datastore.name} {each.version.name}" for each in able)
    return f"restore it into {choice}" if able else f"have version {origin.version.number} installed"


def takes(engine: Engine, strategy: Strategy | None, before: str, after: str) -> bool:
    """Whether servers of version `after` can have what was backed up from one of `before`: files within a series,
    statements also across.
    """
    if before == after or engine.jump(before, after) is Jump.MINOR:
        return True
    logical = strategy is not None and strategy.logical
    return logical and engine.native(before) is engine.native(after) and roots.order(before) < roots.order(after)


def strategy_of(engine: Engine, name: str) -> Strategy | None:
    return next((each for each in engine.strategies if each.name == name), None)


def _offered(session: Session, engine: Engine) -> Sequence[Offer]:
    rows = (
        select(DatastoreVersion, Datastore)
        .join(Datastore, Datastore.id == DatastoreVersion.datastore_id)
        .where(Datastore.engine == engine.name, DatastoreVersion.active)
        .order_by(Datastore.name, DatastoreVersion.name)
    )
    return [Offer(version, datastore, engine) for version, datastore in session.execute(rows)]
