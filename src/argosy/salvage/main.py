"""The command `argosy-restore`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from argosy import __version__, clock, errors
from argosy.cli import output, passphrases
from argosy.cli.main import guarded
from argosy.engines import registry
from argosy.engines.archiving import Moment, Target
from argosy.model.backups import Manifest
from argosy.model.guest import Secret
from argosy.salvage import exporting, history, restoring, serving, verifying
from argosy.salvage.access import Access
from argosy.salvage.progress import shown
from argosy.salvage.reading import Reader
from argosy.salvage.restoring import Further, Restored
from argosy.salvage.shelf import Shelf
from argosy.stores.chains import Link

PORT = 7999
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
DIRECTORY = click.Path(path_type=Path, file_okay=False, resolve_path=True)
COLUMNS: tuple[output.Column, ...] = (
    ("BACKUP", lambda row: row["backup"]),
    ("FINISHED", lambda row: row["finished"]),
    ("DATASTORE", lambda row: f"{row['datastore']} {row['version']}"),
    ("STRATEGY", lambda row: row["strategy"]),
    ("BYTES", lambda row: row["raw_bytes"]),
    ("PARENT", lambda row: row["parent"]),
    ("INSTANCE", lambda row: row["instance"]),
    ("NAME", lambda row: row["name"]),
    ("FAULT", lambda row: row["fault"]),
)
TOLD = ("backup", "project", "instance", "name", "datastore", "version", "strategy", "parent", "raw_bytes")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--store", type=DIRECTORY, help="Directory that is the object store.")
@click.option("--settings", type=FILE, help="File whose section [store] says where the object store is: argosy.toml.")
@click.option("--within", default="", metavar="PREFIX", help="Look only at CONTAINER/ or CONTAINER/PROJECT/.")
@click.option("--escrow", type=FILE, help="What `argosy keys export` kept.")
@click.option("--master-key", type=FILE, help="The master key itself, keys/master.key of the deployment.")
@passphrases.option
@click.version_option(__version__, prog_name="argosy-restore")
@click.pass_context
def argosy_restore(ctx: click.Context, /, **told: Any) -> None:
    """Restore backups from the object store and the master key alone: no control database, no running Argosy."""
    ctx.obj = Access(**told)


@argosy_restore.command("list")
@output.option
@click.pass_obj
def list_backups(access: Access, form: str) -> None:
    """Backups in the store, the oldest first. What is shown is proven when the key is told."""
    shelf = access.shelf()
    found = sorted(
        (_row(shelf, place) for place in shelf.places()), key=lambda row: (str(row["finished"]), row["backup"])
    )
    output.rows(found, COLUMNS, form)


@argosy_restore.command()
@click.argument("backups", nargs=-1)
@click.option("--quick", is_flag=True, help="Manifests, keys, and that all parts are there; not what is in them.")
@output.option
@click.pass_obj
def verify(access: Access, backups: Sequence[str], form: str, *, quick: bool) -> int:
    """Read BACKUPS with everything that they build on, and say which are damaged. Exit code 1 if any is.

    Without BACKUPS all of them, and the archived log.
    """
    shelf = access.shelf()
    places = [shelf.find(each) for each in backups] or list(shelf.places())
    reader = Reader(shelf.store)
    verdicts = list(verifying.verify(shelf, places, reader, quick=quick))
    if not (backups or quick):
        verdicts += verifying.verify_logs(shelf, reader)
    rows = [{"backup": each.backup, "verdict": each.fault or "good"} for each in verdicts]
    output.rows(rows, (("BACKUP", lambda row: row["backup"]), ("VERDICT", lambda row: row["verdict"])), form)
    return 1 if any(each.fault for each in verdicts) else 0


@argosy_restore.command()
@click.argument("backup")
@click.option("--to", "place", type=DIRECTORY, required=True, help="Directory that is empty or not there.")
@click.option("--engine-root", type=DIRECTORY, default=Path("/"), help="Where the engine's programs are, if not here.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="For `serve`.")
@click.option("--at", metavar="TIME", help="Go on along the archived log, to this moment (ISO 8601, UTC).")
@click.option("--latest", is_flag=True, help="Go on along the archived log, as far as it goes.")
@click.pass_obj
def restore(access: Access, /, backup: str, place: Path, engine_root: Path, port: int, **onward: Any) -> None:
    """Make a data directory of BACKUP and all that it builds on.

    Do it as the user that the server is to run as. Most servers do not run as root.
    """
    shelf = access.shelf()
    links = shelf.chain(shelf.find(backup))
    manifest = links[-1].manifest
    _require_served(manifest.engine)
    found = restoring.choose(manifest, engine_root)
    restored = Restored(manifest.engine, found.version, str(found.root), backup, port, datastore=manifest.datastore)
    reader = Reader(shelf.store)
    further = _further(shelf, manifest, **onward)
    with shown(reader, _bytes(links)):
        ended = restoring.restore(reader, links, place, restored, further)
    click.echo(f"{place / 'data' / restoring.DATABASE} is backup {backup} ({manifest.datastore} {manifest.version})")
    if ended is not None:
        click.echo(f"and what came after it, {_until(ended)}")
    click.echo(f"argosy-restore serve {place} runs {found.version} on it")


def _require_served(name: str) -> None:
    """Raises Forbidden for root where servers refuse it, some of them after all has been read."""
    engine = registry.get(name)
    if os.geteuid() == 0 and not engine.serves_root:
        raise errors.Forbidden(f"{engine.title} does not run as root: do this as the user that it is to run as")


def _further(shelf: Shelf, manifest: Manifest, at: str | None, *, latest: bool) -> Further | None:
    """Raises BadRequest, NoHistory."""
    if at is None and not latest:
        return None
    target = Target(time=_moment(at, manifest) if at else None)
    return Further(history.find(shelf, manifest), target)


def _moment(at: str, manifest: Manifest) -> float:
    """Raises BadRequest, also where the backup was begun later: before anything of it is read."""
    try:
        found = clock.moment(at)
    except ValueError as error:
        raise errors.BadRequest(f"--at {at}: a moment is told as 2026-01-31T12:00:00") from error
    if found < manifest.created:
        begun = clock.timestamp(manifest.created)
        raise errors.BadRequest(f"--at {at}: the backup was begun later, at {begun} UTC: choose an older backup")
    return found


def _until(ended: Moment) -> str:
    return f"until {clock.timestamp(ended.at)} UTC" if ended.at else f"until {dict(ended.position)}"


@argosy_restore.command()
@click.argument("place", type=DIRECTORY)
@click.option("--password-file", type=FILE, help="Its first line becomes the password of the master user.")
def serve(place: Path, password_file: Path | None) -> int:
    """Run the restored server in PLACE, for this machine only, until Ctrl-C. Do it as the user who restored it."""
    password = Secret((password_file.read_text().splitlines() or [""])[0]) if password_file else None
    restored = restoring.told(place)
    _require_served(restored.engine)

    def ready() -> None:
        name = restored.datastore or restored.engine
        click.echo(f"{name} {restored.version} answers on {restoring.LOOPBACK}:{restored.port}")

    return serving.serve(place, password, ready)


@argosy_restore.command()
@click.argument("backup")
@click.option("--to", "place", type=DIRECTORY, required=True, help="Directory that is empty or not there.")
@click.pass_obj
def export(access: Access, backup: str, place: Path) -> None:
    """Write BACKUP and all that it builds on as the engine's own tools wrote them."""
    exported(access.shelf(), backup, place)


def exported(shelf: Shelf, backup: str, place: Path) -> None:
    links = shelf.chain(shelf.find(backup))
    reader = Reader(shelf.store)
    with shown(reader, _bytes(links)):
        files = list(exporting.export(reader, links, place))
    for link, file in zip(links, files, strict=True):
        click.echo(f"{file}  {link.manifest.strategy}, {link.manifest.datastore} {link.manifest.version}")


def main(arguments: Sequence[str] | None = None) -> int:
    return guarded(argosy_restore, arguments, "argosy-restore")


def _row(shelf: Shelf, place: str) -> dict[str, Any]:
    try:
        told: Manifest | None = shelf.claim(place)
        fault = ""
    except (errors.Broken, errors.Rejected) as error:
        told, fault = None, error.message
    row = {name: getattr(told, name, "") for name in TOLD}
    finished = clock.timestamp(told.finished) if told else ""
    return {**row, "backup": place.split("/")[2], "finished": finished, "place": place, "fault": fault}


def _bytes(links: Sequence[Link]) -> int:
    return sum(each.manifest.raw_bytes for each in links)


if __name__ == "__main__":
    sys.exit(main())
