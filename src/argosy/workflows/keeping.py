"""What the control plane itself writes of a backup: its project's key, wrapped, and at the end its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import project_keys
from argosy.db.tables import Backup
from argosy.durable.workflow import Context
from argosy.model.backups import Key, Manifest, Part, is_begun
from argosy.stores import archive, chains, keys
from argosy.stores.base import NoSuchObject, Store
from argosy.workflows import backup_rows, offers
from argosy.workflows.world import World


@dataclass(frozen=True)
class Taken:
    """What the guest says to have written."""

    attempt: str
    parts_sha256: str
    raw_bytes: int
    position: Mapping[str, Any]
    canaries: Mapping[str, Any]


def taken(attempt: str, answer: Mapping[str, Any]) -> Taken:
    """Raises GuestFailed for an answer that cannot be."""
    try:
        return Taken(
            attempt=_begun(attempt, str(answer.get("attempt", attempt))),
            parts_sha256=str(answer["parts_sha256"]),
            raw_bytes=int(answer["raw_bytes"]),
            position=dict(answer.get("position") or {}),
            canaries=dict(answer.get("canaries") or {}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise errors.GuestFailed("the guest does not say what it has written") from error


def _begun(attempt: str, told: str) -> str:
    """Raises ValueError for a name that is not of this attempt."""
    if not is_begun(told, attempt):
        raise ValueError(told)
    return told


def keep(ctx: Context[World], told: Taken) -> Manifest:
    """Write the manifest, once everything that it names is in the store, and take away what other attempts have left.
    Safe to repeat. Raises GuestFailed or Damaged when something is not there.
    """
    store = ctx.world.store
    with ctx.database.read() as session:
        backup = session.get_one(Backup, ctx.subject)
    manifest = _written(store, backup) or _write(ctx, store, backup, told)
    _clear(store, backup_rows.place(backup), manifest.attempt)
    return manifest


def _written(store: Store, backup: Backup) -> Manifest | None:
    """By a worker that was lost before it could say so."""
    try:
        return chains.read(store, backup_rows.place(backup), lambda _manifest: _key(backup)).manifest
    except NoSuchObject:
        return None


def _write(ctx: Context[World], store: Store, backup: Backup, told: Taken) -> Manifest:
    place = backup_rows.place(backup)
    parts = _parts(store, place, told)
    with ctx.database.write() as session:
        newest = project_keys.newest(session, backup.project_id)
    keys.publish(store, backup.container, newest, project_keys.wrapping())
    with ctx.database.read() as session:
        manifest = _manifest(session, backup, told, parts, newest.seal(backup.id, _key(backup)))
    signed = chains.signed(manifest, _key(backup))
    chains.write(store, place, signed)
    return signed


def _parts(store: Store, place: str, told: Taken) -> tuple[Part, ...]:
    """All of them, seen in the store by name and size."""
    try:
        with store.open(f"{place}{told.attempt}/{archive.PARTS}") as source:
            parts = archive.read_parts(source.read(), told.parts_sha256)
    except NoSuchObject as error:
        raise errors.GuestFailed("the guest says that the backup is written, and its list of parts is not") from error
    wrong = list(chains.missing(store, place, told.attempt, parts))
    if wrong:
        raise errors.GuestFailed(f"the guest says that the backup is written: {'; '.join(wrong[:3])}")
    return parts


def _manifest(session: Session, backup: Backup, told: Taken, parts: tuple[Part, ...], key: Key) -> Manifest:
    offer = offers.get(session, backup.version_id)
    parent = session.get_one(Backup, backup.parent_id) if backup.parent_id else None
    return Manifest(
        backup=backup.id,
        project=backup.project_id,
        instance=backup.instance_id,
        name=backup.name,
        engine=offer.engine.name,
        datastore=offer.datastore.name,
        version=offer.version.number,
        strategy=backup.strategy,
        parent=parent.id if parent else "",
        parent_mac=parent.mac if parent else "",
        gigabytes=backup.gigabytes,
        created=backup.created,
        finished=clock.now(),
        attempt=told.attempt,
        parts=parts,
        raw_bytes=told.raw_bytes,
        stored_bytes=sum(each.bytes for each in parts),
        position=told.position,
        canaries=told.canaries,
        key=key,
    )


def _key(backup: Backup) -> bytes:
    return bytes.fromhex(backup.data_key or "")


def _clear(store: Store, place: str, attempt: str) -> None:
    for key in list(store.list(place)):
        if key != place + chains.MANIFEST and not key.startswith(f"{place}{attempt}/"):
            store.delete(key)
