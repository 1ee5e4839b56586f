"""What opens a backup: keys that the database knows, and those beside it in the store that a master key here opens."""

from __future__ import annotations

from contextlib import suppress

from argosy.db import keys_from_elsewhere, project_keys
from argosy.db.session import Database
from argosy.db.tables import Backup
from argosy.model.backups import Manifest
from argosy.stores import chains
from argosy.stores.base import Store
from argosy.stores.chains import KeyOf
from argosy.stores.frames import WrongKey
from argosy.stores.keys import LostKey
from argosy.workflows import backup_rows


def opener(store: Store, database: Database, backup: Backup) -> KeyOf:
    """Raises BadKey. What it answers raises what the deployment's own master key says of a key that nothing opens."""
    ours = _ours(store, database, backup)
    with database.read() as session:
        given = keys_from_elsewhere.wrappings(session)
    others = [chains.by_wrapping(store, _container(backup), each) for each in given]

    def key_of(manifest: Manifest) -> bytes:
        try:
            return ours(manifest)
        except (LostKey, WrongKey):
            for other in others:
                with suppress(LostKey, WrongKey):
                    return other(manifest)
            raise

    return key_of


def _ours(store: Store, database: Database, backup: Backup) -> KeyOf:
    """A region's project may have the same id, and has keys of its own: the database knows none of them."""
    wrapped = chains.by_wrapping(store, _container(backup), project_keys.wrapping())
    return wrapped if backup.region else lambda manifest: _known(database, manifest, wrapped)


def _known(database: Database, manifest: Manifest, otherwise: KeyOf) -> bytes:
    with suppress(LostKey, WrongKey), database.read() as session:
        return project_keys.get(session, manifest.project, manifest.key.number).open(manifest.backup, manifest.key)
    return otherwise(manifest)


def _container(backup: Backup) -> str:
    """Where its project's keys lie."""
    return backup_rows.place(backup).split("/", 1)[0]
