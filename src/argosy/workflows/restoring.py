"""A new instance whose data begin as those of a backup: what lies in the store of it, and what the guest is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from argosy import errors
from argosy.db import sealed
from argosy.db.session import Database
from argosy.db.tables import Backup, Instance
from argosy.durable.workflow import Context, Outcome
from argosy.engines.backups import to_restore
from argosy.model.caller import Caller
from argosy.providers.base import Source
from argosy.settings import Settings
from argosy.stores import archive, chains, deployment
from argosy.stores.base import NoSuchObject, Store
from argosy.stores.chains import Link
from argosy.stores.frames import Damaged, WrongKey
from argosy.stores.keys import LostKey
from argosy.workflows import (
    backup_keys,
    backup_rows,
    offers,
    progress,
    regions,
    replaying,
    restorable,
    servers,
    snapshots,
    starting,
)
from argosy.workflows.world import World

LONGEST_MINUTES = 7 * 24 * 60
COPY = "copy"
"""key of a run's memory: the snapshot that the volume begins as; empty: none"""


@dataclass(frozen=True)
class Restore:
    """What a new instance is to begin as."""

    backup_id: str
    target: Mapping[str, Any] | None = None
    """the fields of engines.archiving.Target: to go on from the backup along the archived log; None: the backup"""
    log: Mapping[str, Any] | None = None
    """which log that is: its `instance` and the number of its `stream`"""


@dataclass(frozen=True)
class Admitted:
    chain: Sequence[Backup]
    """all that it takes, to be held until the data are there"""
    described: Mapping[str, Any]
    """what `restored_from` of an instance tells"""


def admit(session: Session, caller: Caller, instance: Instance, restore: Restore) -> Admitted:
    """Raises NotFound, Conflict, Forbidden, BadRequest."""
    backup = backup_rows.find(session, caller, restore.backup_id)
    chain = restorable.require(session, backup, offers.get(session, instance.version_id), instance.gigabytes)
    told = {"backup_id": backup.id, "name": backup.name, "moment": backup.moment, "proof": backup.proof}
    return Admitted(chain, {**told, "target": restore.target})


# --- what lies in the store ---


def examine(settings: Settings, database: Database, backup: Backup) -> tuple[Link, ...]:
    """Its chain as its region's store has it, by manifests, names and sizes: enough to say what would fail, quickly.

    Raises NotFound for what is not there, Conflict for what is damaged or sealed by a key that nobody here has.
    """
    links = opened(settings, database, backup)
    with regions.naming(backup.region), _judging(backup):
        wrong = _missing(deployment.store(settings, backup.region), links)
    if wrong:
        raise errors.NotFound(f"Parts of the backup {backup.id} are not in the store any more: {'; '.join(wrong[:3])}.")
    return links


def opened(settings: Settings, database: Database, backup: Backup) -> tuple[Link, ...]:
    """Likewise, by manifests alone: one is read of each link."""
    if backup.snapshot and not backup.manifest:
        return ()  # the store has nothing of a copy on the pool
    with regions.naming(backup.region), _judging(backup):
        store = deployment.store(settings, backup.region)
        return chains.chain(store, backup_rows.place(backup), backup_keys.opener(store, database, backup))


@contextmanager
def _judging(backup: Backup) -> Iterator[None]:
    """What is wrong with it, in words for whoever wants it."""
    try:
        yield
    except NoSuchObject as error:
        raise errors.NotFound(f"The backup {backup.id} is not in the store any more: {error.message}.") from error
    except LostKey as error:  # nobody else has it either
        raise errors.Conflict(f"The backup {backup.id} cannot be opened: {error.message}.") from error
    except (WrongKey, sealed.BadKey) as error:
        raise errors.Conflict(
            f"The backup {backup.id} cannot be opened: {error.message}. Whoever has the master key that it was made"
            " with can restore it by argosy-restore; `argosy keys import` of its escrow lets this deployment do so."
        ) from error
    except Damaged as error:
        raise errors.Conflict(f"The backup {backup.id} is damaged: {error.message}. Restore an older one.") from error


def _missing(store: Store, links: Sequence[Link]) -> Sequence[str]:
    told = (chains.missing(store, each.place, each.manifest.attempt, each.manifest.parts) for each in links)
    return [name for names in told for name in names]


def layers(links: Sequence[Link], region: str) -> list[dict[str, Any]]:
    """What a guest has to know of each backup of a chain, and the conductor of where it lies."""
    return [
        {
            "region": region,
            "backup": link.manifest.backup,
            "place": link.place,
            "attempt": link.manifest.attempt,
            "key": link.key.hex(),
            "strategy": link.manifest.strategy,
            "position": to_restore(link.manifest.position),
            "raw_bytes": link.manifest.raw_bytes,
            "parts_sha256": hashlib.sha256(archive.parts_text(link.manifest.parts)).hexdigest(),
        }
        for link in links
    ]


# --- the steps ---


def look(ctx: Context[World]) -> None:
    """Raises NotFound or Conflict for what is not all there, or cannot be opened."""
    source(ctx)
    _chain(ctx)


def source(ctx: Context[World]) -> Source:
    """What the volume of a restore begins as: a copy that the pool still has of the backup, else nothing."""
    if COPY not in ctx.memory:
        with ctx.database.read() as session:
            backup = session.get_one(Backup, ctx.memory["restore"]["backup_id"])
        # A replay is begun anew by an agent that was killed in it, which takes the data as the backup has them.
        ctx.memory[COPY] = "" if ctx.memory["restore"].get("log") else snapshots.of(ctx, backup)
    return Source(snapshot=ctx.memory[COPY])


def load(ctx: Context[World]) -> Outcome:
    """Have the guest make its data of a backup, and come up with them as `prepare` would."""
    servers.check(ctx)
    order: dict[str, Any] = {"chain": _chain(ctx), "logs": _logs(ctx), "identity": True, "run": True}
    outcome = starting.ask(ctx, "restore", "the backup is being restored", **order, **ctx.memory["accounts"])
    if outcome is not None:
        progress.require(ctx)
    return outcome


def _logs(ctx: Context[World]) -> dict[str, Any] | None:
    with ctx.database.read() as session:
        return replaying.order(session, ctx.memory["restore"])


def _chain(ctx: Context[World]) -> list[dict[str, Any]]:
    """Looked up for the question only; the answer needs it no more. A volume that began as a copy needs none."""
    if progress.SEEN in ctx.memory or ctx.memory.get(COPY):
        return []
    with ctx.database.read() as session:
        backup = session.get_one(Backup, ctx.memory["restore"]["backup_id"])
    return layers(examine(ctx.world.settings, ctx.database, backup), backup.region)
