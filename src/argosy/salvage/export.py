"""`argosy backup export`: a backup of the deployment on this machine, in the format of the engine's own tools."""

from __future__ import annotations

from pathlib import Path

import click

from argosy import settings
from argosy.cli.place import Place
from argosy.salvage import access, main


@click.command()
@click.argument("backup")
@click.option("--to", "directory", type=main.DIRECTORY, required=True, help="Directory that is empty or not there.")
@click.pass_obj
def export(place: Place, backup: str, directory: Path) -> None:
    """Write a backup, by its id, and all that it builds on as the engine's own tools wrote them.

    On the deployment's machine, as root or its user: docs/operate/restore-by-hand.md says what to do with the files.
    """
    main.exported(access.of_deployment(settings.load(place.state)), backup, directory)
