"""`argosy keys`: what opens the backups of this deployment, kept for the day when it is gone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy import errors, settings
from argosy.cli import passphrases
from argosy.cli.place import Place
from argosy.launcher import forks
from argosy.launcher.self_backup import owner
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.db.session import Database
    from argosy.stores.keys import Wrapping


class NotRotated(errors.Broken):
    """the keys could not be rotated"""


class NotImported(errors.Broken):
    """what opens another deployment's backups could not be kept"""


@click.group()
def keys() -> None:
    """Keys of backups: keep what opens them, change what seals them, open what another deployment has sealed."""


@keys.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, resolve_path=True))
@passphrases.option
@click.pass_obj
def export(place: Place, file: Path, passphrase_file: Path | None) -> None:
    """Keep the master key in FILE, sealed by a passphrase. With it and the store, `argosy-restore` needs nothing else.

    It is the same key for as long as the deployment lives, so once is enough. Keep the file away from the store.
    """
    from argosy.db import escrow

    deployment = settings.load(place.state)
    master = _master(deployment)
    passphrase = passphrases.ask(passphrase_file, confirm=True)
    with os.fdopen(_new(file), "wb") as out:
        told = escrow.write(out, master, passphrase)
        out.flush()
        os.fsync(out.fileno())
    click.echo(f"{file}: master key {told.name}. Without the passphrase nobody can read it")


@keys.command()
@click.option("--project", default="", help="Id of the project whose key is changed; else every project's.")
@click.option("--yes", is_flag=True, help="Do not ask before every project's key is changed.")
@click.pass_obj
def rotate(place: Place, project: str, *, yes: bool) -> None:
    """Seal backups by another key of their project from now on. Those that are there stay readable."""
    deployment = settings.load(place.state)
    if not (project or yes):
        click.confirm("Change the keys of all projects?", abort=True)
    good, _, told = forks.ask(lambda: _rotated(deployment, project), owner(deployment)).partition(" ")
    if good != "rotated":
        raise NotRotated(told)
    click.echo(told or "no project has a key yet: nothing has changed")


@keys.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True))
@passphrases.option
@click.pass_obj
def import_(place: Place, file: Path, passphrase_file: Path | None) -> None:
    """Open backups of another deployment, by what its `argosy keys export` kept in FILE.

    Of its master key only that is kept, sealed, which opens the keys of projects. This deployment's own key stays.
    """
    from argosy.db import escrow
    from argosy.stores.keys import deriving, wrapping

    deployment = settings.load(place.state)
    user, own = owner(deployment), _master(deployment)
    with file.open("rb") as source:
        by = wrapping(deriving(escrow.read(source, passphrases.ask(passphrase_file)).master))
    if by == wrapping(deriving(own)):
        raise errors.Conflict(f"{file} is the escrow of this deployment's own master key: nothing is to be done")
    good, _, told = forks.ask(lambda: _imported(deployment, by), user).partition(" ")
    if good != "kept":
        raise NotImported(told)
    click.echo(told)


def _master(deployment: Settings) -> bytes:
    """Raises NotFound, Forbidden."""
    owner(deployment)
    file = deployment.keys / "master.key"
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise errors.NotFound(f"{file} is gone: put back the copy of this deployment") from error


def _new(file: Path) -> int:
    """Raises Conflict: what is there may be the only copy of another deployment's key."""
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise errors.Conflict(f"{file} is there already: name a file that is not") from error


def _rotated(deployment: Settings, project: str) -> str:
    """What was done, in the deployment's own process and as its user, who owns the control database."""
    try:
        told = _rotate(_database(deployment), project)
    except errors.ArgosyError as error:
        return f"failed {error.message}"
    return "rotated " + "\n".join(f"project {name}: key {number}" for name, number in told.items())


def _imported(deployment: Settings, by: Wrapping) -> str:
    """Likewise."""
    from argosy.db import events, keys_from_elsewhere

    try:
        with _database(deployment).write() as session:
            if not keys_from_elsewhere.keep(session, by):
                return f"kept what master key {by.master} has sealed can be opened already: nothing has changed"
            events.tell(session, "dbaas.keys_import", master=by.master)
    except errors.ArgosyError as error:
        return f"failed {error.message}"
    return f"kept what master key {by.master} has sealed can be opened from now on"


def _database(deployment: Settings) -> Database:
    """With the key in use that seals columns of it. Raises BadKey, OldSchema, NewerSchema, Unavailable."""
    from sqlalchemy.exc import SQLAlchemyError

    from argosy.db import migrate, sealed
    from argosy.db.session import Database

    sealed.use(deployment.keys / "master.key")
    database = Database(deployment.database_url)
    try:
        migrate.require_current(database)
    except SQLAlchemyError as error:
        raise errors.Unavailable(f"the control database does not answer: {str(error).partition(chr(10))[0]}") from error
    return database


def _rotate(database: Database, project: str) -> dict[str, int]:
    """All of them or none."""
    from argosy.db import events, project_keys

    told = {}
    with database.write() as session:
        known = project_keys.projects(session)
        if project and project not in known:
            raise errors.NotFound(f"project {project} has no key: it gets its first one with its first backup")
        for name in [project] if project else known:
            told[name] = project_keys.rotate(session, name)
            events.tell(session, "dbaas.project_key_rotate", subject=name, project_id=name, number=told[name])
    return told
