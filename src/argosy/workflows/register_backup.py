"""Register a backup that this control plane does not know: one of another region, whose store is this one or is named
in the settings, or of a deployment that was lost. It is read at once, so that nobody counts on what cannot be restored.

What lies in the store stays whose it was: deleting what was registered only forgets it.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events, quotas
from argosy.db.session import Database
from argosy.db.tables import Backup
from argosy.model.backups import State
from argosy.model.caller import Caller
from argosy.settings import Settings
from argosy.stores.chains import Link
from argosy.workflows import offers, regions, restorable, restoring
from argosy.workflows.create_backup import LOCATION

PLACE = re.compile(r"([\w.-]+)/([\w-]+)/([\w-]+)/manifest\.json", re.ASCII)


@dataclass(frozen=True)
class Elsewhere:
    """What somebody says of a backup that was made elsewhere."""

    name: str
    description: str | None
    location: str
    """as the other side tells it: `locationRef`"""
    version_id: str
    """of this deployment, whose servers could have made it"""
    size: float
    """GB"""


def register(settings: Settings, database: Database, caller: Caller, told: Elsewhere) -> Backup:
    """Raises BadRequest for what cannot be read and restored, OverQuota."""
    key, able = _place(settings, caller, told.location)
    backup = _row(caller, told, key)
    try:
        backup.region = regions.holding(settings, key, able)
        link = restoring.examine(settings, database, backup)[-1]
    except errors.Rejected as error:
        why = error.message.replace(f"The backup {backup.id}", "it")  # an id that nobody will ever see
        raise errors.BadRequest(f"the backup at {told.location} cannot be restored here: {why}") from error
    with database.write() as session:
        _require_engine(session, told, link)
        quotas.reserve(session, settings, caller.project_id, backups=1)
        _fill(backup, told, link)
        session.add(backup)
        facts = {"backup_id": backup.id, "name": backup.name, "location": told.location}
        facts["region"] = backup.region
        events.tell(session, "dbaas.backup_register", subject=backup.id, project_id=backup.project_id, **facts)
    return backup


def _place(settings: Settings, caller: Caller, location: str) -> tuple[str, list[str]]:
    """Key of the manifest, and the regions where it may lie. Another project's is not looked for. Raises BadRequest."""
    key = location.removeprefix(LOCATION)
    found = PLACE.fullmatch(key)
    able = regions.open_to(settings, caller, found[2]) if found else []
    if not able:
        raise errors.BadRequest(
            f"the backup at {location} cannot be read: give the locationRef of one of your project's that lies in this"
            f" deployment's object store, or a region's ({LOCATION}container/project/backup/manifest.json)"
        )
    return key, able


def _row(caller: Caller, told: Elsewhere, key: str) -> Backup:
    now = clock.now()
    return Backup(
        id=str(uuid.uuid4()),
        project_id=caller.project_id,
        instance_id="",
        name=told.name,
        description=told.description,
        version_id=told.version_id,
        state=State.RESTORED,
        storage_driver="swift",
        location=told.location,
        manifest=key,
        created=now,
        updated=now,
    )


def _require_engine(session: Session, told: Elsewhere, link: Link) -> None:
    """Raises BadRequest, NotFound."""
    offer, made = offers.get(session, told.version_id), link.manifest
    strategy = restorable.strategy_of(offer.engine, made.strategy)
    if offer.engine.name != made.engine or strategy is None:
        raise errors.BadRequest(
            f"the backup is of {made.datastore} {made.version}, taken by {made.strategy}: servers of"
            f" {offer.datastore.name} {offer.version.name} cannot restore it"
        )
    if not restorable.takes(offer.engine, strategy, made.version, offer.version.number):
        raise errors.BadRequest(
            f"the backup is of {made.datastore} {made.version}: register it for a version of that series, as new or"
            f" newer, instead of {offer.version.name}"
        )


def _fill(backup: Backup, told: Elsewhere, link: Link) -> None:
    """What its manifest says."""
    made = link.manifest
    backup.instance_id = made.instance
    backup.container = link.place.split("/", 1)[0]
    backup.size, backup.gigabytes = told.size, made.gigabytes
    backup.strategy, backup.mac, backup.data_key = made.strategy, made.mac, link.key.hex()
    backup.raw_bytes, backup.stored_bytes = made.raw_bytes, made.stored_bytes
    backup.position, backup.finished = dict(made.position), made.finished
