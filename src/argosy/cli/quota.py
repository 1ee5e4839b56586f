"""`argosy quota`: how much a project may hold, and holds."""

from __future__ import annotations

import click

from argosy.cli import output
from argosy.cli.place import Place, connect

COLUMNS: tuple[output.Column, ...] = (
    ("RESOURCE", lambda row: row["resource"]),
    ("IN USE", lambda row: row["in_use"]),
    ("LIMIT", lambda row: "unlimited" if row["limit"] < 0 else row["limit"]),
    ("UNIT", lambda row: {"volumes": "GB", "ram": "MiB"}.get(row["resource"], "")),
)
RESOURCES = ("instances", "volumes", "ram", "backups")
limit = click.IntRange(min=-1)


@click.group()
def quota() -> None:
    """How much a project may hold, and holds."""


@quota.command()
@click.argument("project", default="")
@output.option
@click.pass_obj
def show(place: Place, project: str, form: str) -> None:
    """Quotas of your project; of another one, by its id, for administrators."""
    output.rows(connect(place).quotas(project), COLUMNS, form)


@quota.command("set")
@click.argument("project")
@click.option("--instances", type=limit, help="Instances; -1 for as many as there is room for.")
@click.option("--volumes", type=limit, help="GB of volumes.")
@click.option("--ram", type=limit, help="MiB of memory.")
@click.option("--backups", type=limit, help="Backups.")
@output.option
@click.pass_obj
def set_quotas(place: Place, /, project: str, form: str, **limits: int | None) -> None:
    """Change quotas of a project, by its id, for administrators. What it holds already stays."""
    given = {name: value for name, value in limits.items() if value is not None}
    if not given:
        raise click.UsageError(f"give one of {', '.join(f'--{name}' for name in RESOURCES)}")
    client = connect(place)
    client.set_quotas(project, given)
    output.rows(client.quotas(project), COLUMNS, form)
