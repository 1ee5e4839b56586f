"""`argosy schedule`: backups that are taken by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from argosy.cli import output
from argosy.cli.place import Place, connect
from argosy.client.resources import Document
from argosy.client.schedules import Schedules


def _kept(row: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={number}" for name, number in row["retention"].items()) or "all"


COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("CRON", lambda row: f"{row['cron']} ({row['timezone']})"),
    ("KEEPS", _kept),
    ("NEXT", lambda row: row["next_at"] or "paused"),
    ("MISSED", lambda row: row["missed"]),
    ("ID", lambda row: row["id"]),
)


@click.group()
def schedule() -> None:
    """Backups that are taken by themselves."""


@schedule.command("list")
@click.argument("instance", default="")
@output.option
@click.pass_obj
def list_schedules(place: Place, instance: str, form: str) -> None:
    """Every schedule of the project, or of one INSTANCE."""
    client = connect(place)
    instance_id = client.instances.find(instance)["id"] if instance else ""
    output.rows(Schedules(client.session).list(instance_id), COLUMNS, form)


@schedule.command()
@click.argument("name", metavar="SCHEDULE")
@output.option
@click.pass_obj
def show(place: Place, name: str, form: str) -> None:
    """One schedule, and why its last run could not begin if it could not."""
    _show(_of(place).find(name), form)


@schedule.command()
@click.argument("instance")
@click.argument("name", metavar="SCHEDULE")
@click.argument("cron")
@click.option("--timezone", default="UTC", show_default=True, help="Of the IANA database, as Europe/Berlin.")
@click.option(
    "--full-every", type=int, default=1, show_default=True, help="One in so many is full; others build on it."
)
@click.option("--strategy", help="How the full ones are taken; the default of the datastore when not given.")
@click.option("--keep", multiple=True, metavar="RULE=N", help="count, days, hourly, daily, weekly, monthly, yearly.")
@output.option
@click.pass_obj
def create(place: Place, /, *, instance: str, keep: tuple[str, ...], form: str, **told: Any) -> None:
    """Take backups of INSTANCE by CRON, five fields in quotes: '30 2 * * *'."""
    client = connect(place)
    wanted = {name: value for name, value in told.items() if value is not None}
    wanted |= {"instance_id": client.instances.find(instance)["id"], "retention": _rule(keep)}
    _show(Schedules(client.session).create(wanted), form)


@schedule.command()
@click.argument("name", metavar="SCHEDULE")
@click.option("--cron")
@click.option("--timezone")
@click.option("--full-every", type=int)
@click.option("--strategy")
@click.option("--keep", multiple=True, metavar="RULE=N", help="Instead of what it keeps now.")
@output.option
@click.pass_obj
def change(place: Place, /, *, name: str, keep: tuple[str, ...], form: str, **told: Any) -> None:
    """Change what is named; the rest stays."""
    schedules = _of(place)
    wanted = {name: value for name, value in told.items() if value is not None}
    wanted |= {"retention": _rule(keep)} if keep else {}
    _show(schedules.change(schedules.find(name)["id"], wanted), form)


@schedule.command()
@click.argument("name", metavar="SCHEDULE")
@click.pass_obj
def pause(place: Place, name: str) -> None:
    """Take no more until it is resumed; what it has taken is pruned as before."""
    schedules = _of(place)
    schedules.change(schedules.find(name)["id"], {"paused": True})
    click.echo(f"{name} is paused")


@schedule.command()
@click.argument("name", metavar="SCHEDULE")
@click.pass_obj
def resume(place: Place, name: str) -> None:
    """Go on with the next run that is due."""
    schedules = _of(place)
    changed = schedules.change(schedules.find(name)["id"], {"paused": False})
    click.echo(f"{name} goes on: next {changed['next_at']}")


@schedule.command()
@click.argument("name", metavar="SCHEDULE")
@click.pass_obj
def run(place: Place, name: str) -> None:
    """Take a backup now; prints its id."""
    schedules = _of(place)
    click.echo(schedules.run(schedules.find(name)["id"]))


@schedule.command()
@click.argument("name", metavar="SCHEDULE")
@click.pass_obj
def delete(place: Place, name: str) -> None:
    """Take no more. The backups stay, and nothing prunes them."""
    schedules = _of(place)
    schedules.delete(schedules.find(name)["id"])
    click.echo(f"{name} is deleted; its backups stay")


def _of(place: Place) -> Schedules:
    return Schedules(connect(place).session)


def _rule(keep: tuple[str, ...]) -> dict[str, int]:
    try:
        return {name: int(number) for name, _, number in (each.partition("=") for each in keep)}
    except ValueError as error:
        raise click.UsageError("--keep takes RULE=N, as daily=7") from error


def _show(found: Document, form: str) -> None:
    fields = {
        "name": found["name"],
        "id": found["id"],
        "instance": found["instance_id"],
        "cron": f"{found['cron']} ({found['timezone']})",
        "full": f"one in {found['full_every']}",
        "strategy": found["strategy"] or "default",
        "keeps": _kept(found),
        "next": found["next_at"] or "paused",
        "last": found["last_at"],
        "last backup": found["last_backup_id"],
        "missed": found["missed"],
        "fault": found["fault"],
    }
    output.one(found, {title: value for title, value in fields.items() if value is not None}, form)
