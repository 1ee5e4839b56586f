"""What a new backup is to be: on which other one it builds, who takes it, and where it goes. Nothing is done yet."""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Backup, BackupStrategy, Fact, Guest, Instance
from argosy.engines.backups import SNAPSHOT, Strategy
from argosy.engines.base import Capability
from argosy.model.backups import Proof, State
from argosy.model.caller import Caller
from argosy.providers.base import Feature
from argosy.settings import Settings
from argosy.workflows import backup_rows, offers, servers, strategies
from argosy.workflows.offers import Offer
from argosy.workflows.strategies import Wish

SWIFT, CINDER = "swift", "cinder"
"""Trove's storage drivers: our object store, and a copy on the volumes' own disk."""
CONTAINER = "database_backups"
NO_KEY = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class NewBackup:
    """What somebody wants. Empty fields are left to the instance, its project and the deployment."""

    name: str
    instance: Instance
    description: str | None = None
    parent_id: str | None = None
    incremental: bool = False
    """on the last backup that one can build on; where there is none, everything is taken"""
    container: str = ""
    storage_driver: str = SWIFT
    strategy: str = ""
    purpose: str = "manual"
    schedule_id: str | None = None
    bytes_per_second: int | None = None
    """the most that it reads; 0: as much as it can"""
    nice: int | None = None


@dataclass(frozen=True)
class Drawn:
    """A row that nobody has written down yet."""

    backup: Backup
    otherwise: str
    """what takes everything instead, when the guest cannot build on the backup that we chose; empty: nothing"""


def draw(session: Session, settings: Settings, caller: Caller, wanted: NewBackup) -> Drawn:
    """Raises NotFound, BadRequest, Conflict, Busy, NotSupported."""
    instance = wanted.instance
    offer = offers.get(session, instance.version_id)
    _require_able(offer)
    servers.require_running(instance)
    _require_alone(session, instance)
    parent = _parent(session, caller, wanted, offer)
    strategy = _strategy(session, settings, wanted, offer, parent)
    return Drawn(_backup(session, wanted, strategy, parent), _otherwise(wanted, offer, parent))


def _otherwise(wanted: NewBackup, offer: Offer, parent: Backup | None) -> str:
    full = [each.name for each in offer.engine.strategies if not (each.parents or each.offline)]
    return full[0] if full and parent is not None and not wanted.parent_id else ""


def _require_able(offer: Offer) -> None:
    offer.engine.require(Capability.BACKUPS)
    if Capability.BACKUPS not in offer.version.capabilities:
        raise errors.NotSupported(
            f"version {offer.version.name} of {offer.engine.title} cannot be backed up on this deployment"
        )


def _require_alone(session: Session, instance: Instance) -> None:
    """One after another: two at once would only make each other slow. Raises Busy."""
    if session.scalar(select(Backup.id).where(backup_rows.running(instance.id)).limit(1)) is not None:
        raise errors.Busy(
            f"Instance {instance.id} is not currently available for an action to be performed"
            " (instance status was BACKUP)."
        )


def _parent(session: Session, caller: Caller, wanted: NewBackup, offer: Offer) -> Backup | None:
    instance = wanted.instance
    if not wanted.parent_id:
        return _latest(session, instance, offer) if wanted.incremental else None
    parent = backup_rows.find(session, caller, wanted.parent_id)
    _require_parent(session, instance, parent)
    if wanted.container and key_of(wanted.container) != parent.container:
        raise errors.BadRequest(f"backup {parent.id} lies in container {parent.container}: what builds on it does too")
    return parent


def _require_parent(session: Session, instance: Instance, parent: Backup) -> None:
    """Raises BadRequest, Conflict."""
    if parent.state == State.RESTORED:
        raise errors.BadRequest(
            f"backup {parent.id} was registered here and made elsewhere: nothing can be built on it, take a full one"
        )
    if parent.instance_id != instance.id:
        raise errors.BadRequest(
            f"backup {parent.id} is of instance {parent.instance_id}: only one of {instance.id} can be built on"
        )
    if parent.version_id != instance.version_id:
        raise errors.BadRequest(
            f"backup {parent.id} is of another version than the instance is of by now: take a full one"
        )
    backup_rows.require_restorable(session, parent)


def _latest(session: Session, instance: Instance, offer: Offer) -> Backup | None:
    """The newest one, if anything can build on it and it is not known to be broken."""
    building = {parent for each in offer.engine.strategies for parent in each.parents}
    mine = (Backup.instance_id == instance.id) & (Backup.project_id == instance.project_id)
    good = (Backup.state == State.COMPLETED) & (Backup.proof != Proof.BROKEN) & Backup.quarantined_until.is_(None)
    usable = (Backup.version_id == instance.version_id) & Backup.strategy.in_(sorted(building))
    newest = select(Backup).where(mine, good, usable).order_by(Backup.created.desc(), Backup.id).limit(1)
    found = session.scalar(newest)
    return None if found is None or _broken_below(session, found) else found


def _broken_below(session: Session, backup: Backup) -> bool:
    return any(each.proof == Proof.BROKEN for each in backup_rows.chain(session, backup))


def _strategy(session: Session, settings: Settings, wanted: NewBackup, offer: Offer, parent: Backup | None) -> Strategy:
    guest, provider = session.get(Guest, wanted.instance.id), session.get(Fact, "provider")
    least = settings.backups.snapshot_from_megabytes << 20
    wish = Wish(
        asked=wanted.strategy or (SNAPSHOT if wanted.storage_driver == CINDER else ""),
        preferred=offer.version.backup_strategy,
        parent=parent.strategy if parent else "",
        snapshots=provider is not None and Feature.SNAPSHOT in provider.value["features"],
        small=guest is not None and guest.volume_used < least,
    )
    return strategies.choose(offer.engine, wish)


def _backup(session: Session, wanted: NewBackup, strategy: Strategy, parent: Backup | None) -> Backup:
    instance, now = wanted.instance, clock.now()
    return Backup(
        id=str(uuid.uuid4()),
        project_id=instance.project_id,
        instance_id=instance.id,
        name=wanted.name,
        description=wanted.description,
        version_id=instance.version_id,
        parent_id=parent.id if parent else None,
        state=State.NEW,
        storage_driver=wanted.storage_driver,
        container=parent.container if parent else key_of(wanted.container or _container(session, instance)),
        strategy=strategy.name,
        data_key=secrets.token_hex(32),
        gigabytes=instance.gigabytes,
        purpose=wanted.purpose,
        schedule_id=wanted.schedule_id,
        created=now,
        updated=now,
    )


def key_of(container: str) -> str:
    """A container's name as keys of the store begin: those know fewer characters than Trove allows."""
    plain = NO_KEY.sub(lambda found: f"_{ord(found[0]):02x}", container)
    return f"_{plain}" if plain[0] in ".-" else plain


def _container(session: Session, instance: Instance) -> str:
    """The instance's, the project's, or the default."""
    for instance_id in (instance.id, ""):
        chosen = session.get(BackupStrategy, (instance.project_id, instance_id))
        if chosen is not None:
            return chosen.container
    return CONTAINER
