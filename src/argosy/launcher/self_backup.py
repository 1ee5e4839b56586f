"""`argosy backup-self` and `argosy restore-self`: the control plane's own state in one sealed file.

`argosy --help` names them too, and loads nothing of the control plane.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

import click

from argosy import clock, errors, settings
from argosy.cli import passphrases
from argosy.cli.place import Place
from argosy.launcher import forks
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.db.envelope import Key


class NotSaved(errors.Broken):
    """the backup could not be made"""


@click.command("backup-self")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, resolve_path=True))
@passphrases.option
@click.pass_obj
def backup_self(place: Place, file: Path, passphrase_file: Path | None) -> None:
    """Keep the control database, the keys, the authority and the settings in FILE, sealed by a passphrase.

    Argosy may run meanwhile. The databases' data are not in it.
    """
    from argosy.db.envelope import Key

    deployment = settings.load(place.state)
    key = Key("passphrase", passphrases.ask(passphrase_file, confirm=True).encode())
    told = _saved(deployment, file, key)
    click.echo(f"{file}: schema {told}, {file.stat().st_size} bytes. Without the passphrase nobody can read it")


@click.command("restore-self")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True))
@passphrases.option
@click.option(
    "--master-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="keys/master.key of the deployment: opens what it backed up by itself.",
)
@click.option("--force", is_flag=True, help="Put it in the place of a deployment that is there, which is kept aside.")
@click.pass_obj
def restore_self(
    place: Place, file: Path, passphrase_file: Path | None, master_key: Path | None, *, force: bool
) -> None:
    """Put back what `backup-self` kept in FILE. Databases that run are adopted by the next `argosy up`."""
    from argosy.db.envelope import Key
    from argosy.launcher import restoring

    restoring.require_vacant(place.state, force=force)
    key = (
        Key("master", master_key.read_bytes())
        if master_key
        else Key("passphrase", passphrases.ask(passphrase_file).encode())
    )
    told = restoring.restore(place.state, file, key, force=force)
    click.echo(f"restored what was kept on {clock.timestamp(told.manifest.made)}: schema {told.manifest.revision}")
    if told.aside is not None:
        click.echo(f"what stood in its place is in {told.aside}")
    click.echo("argosy up starts it, and adopts the databases that run")


def _saved(deployment: Settings, file: Path, key: Key) -> str:
    """The schema's revision. Raises NotSaved.

    The deployment's own user reads it: even root may not open the files of SQLite where the kernel protects sticky
    directories (proc_sys_fs(5)). The file is the caller's.
    """
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        answer = forks.ask(lambda: _told(deployment, out.fileno(), key), owner(deployment))
        os.fsync(out.fileno())
    good, _, told = answer.partition(" ")
    if good != "made":
        fresh.unlink()
        raise NotSaved(told)
    fresh.replace(file)
    return told


def _told(deployment: Settings, descriptor: int, key: Key) -> str:
    from argosy.db import self_backup
    from argosy.db.session import Database

    try:
        with os.fdopen(os.dup(descriptor), "wb") as out:
            return f"made {self_backup.write(deployment, Database(deployment.database_url), out, key).revision}"
    except errors.ArgosyError as error:
        return f"failed {error.message}"


def owner(deployment: Settings) -> pwd.struct_passwd | None:
    """Raises Forbidden."""
    if not deployment.keys.exists():
        raise errors.NotFound(f"there is no deployment in {deployment.state}")
    owner = deployment.keys.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise errors.Forbidden(f"the deployment in {deployment.state} belongs to another user: do this as that user")
    return None if os.geteuid() == owner else pwd.getpwuid(owner)
