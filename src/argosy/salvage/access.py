"""Where backups are, and what opens them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from argosy import errors, settings
from argosy.cli import passphrases
from argosy.db import escrow
from argosy.salvage.shelf import Shelf
from argosy.settings import Settings
from argosy.stores import deployment, keys
from argosy.stores.base import Store
from argosy.stores.filesystem import FilesystemStore
from argosy.stores.keys import Wrapping


@dataclass(frozen=True)
class Access:
    store: Path | None
    """a directory that is the store"""
    settings: Path | None
    """a file whose section [store] says where it is"""
    within: str
    escrow: Path | None
    master_key: Path | None
    passphrase_file: Path | None

    def shelf(self) -> Shelf:
        """Without a key where none is told. Raises BadRequest, WrongKey, NotAnEscrow."""
        return Shelf(self._store(), self.within, self._wrapping())

    def _store(self) -> Store:
        if self.store is not None:
            return FilesystemStore(self.store)
        if self.settings is None:
            raise errors.BadRequest("where the backups are is not told: give --store DIRECTORY or --settings FILE")
        told = tomllib.loads(self.settings.read_text()).get("store", {})
        return deployment.store(settings.from_tables(self.settings.parent.absolute(), {"store": told}))

    def _wrapping(self) -> Wrapping | None:
        if self.master_key is not None:
            return _by(self.master_key.read_bytes())
        if self.escrow is None:
            return None
        with self.escrow.open("rb") as source:
            return _by(escrow.read(source, passphrases.ask(self.passphrase_file)).master)


def of_deployment(told: Settings) -> Shelf:
    """What a deployment's own user has without being asked. Raises NotFound, Forbidden."""
    file = told.keys / "master.key"
    try:
        master = file.read_bytes()
    except FileNotFoundError as error:
        lost = f"{file} is gone: put back the copy of this deployment, or use argosy-restore with an escrow of its key"
        known = (told.state / "argosy.toml").exists()
        raise errors.NotFound(lost if known else f"there is no deployment in {told.state}") from error
    except PermissionError as error:
        raise errors.Forbidden(f"{file} cannot be read: do this as the deployment's user, or as root") from error
    return Shelf(deployment.store(told), wrapping=_by(master))


def _by(master: bytes) -> Wrapping:
    return keys.wrapping(keys.deriving(master))
