"""Point-in-time recovery: see the moments that there are, look at one, begin a new instance as one."""

from __future__ import annotations

from typing import Any

import click

from argosy.cli import output, waiting
from argosy.cli.db import life
from argosy.cli.db.life import wait
from argosy.cli.place import Place, connect
from argosy.client.resources import Document, Request

at = click.option("--at", default="latest", show_default=True, metavar="TIME", help="As 2026-01-31T12:00:00Z.")


@click.command()
@click.argument("name")
@click.option("--on/--off", "enabled", default=None, help="Have its log archived from now on, or not any more.")
@click.option("--days", type=click.IntRange(min=1), help="How far back any moment can be had.")
@output.option
@click.pass_obj
def recovery(place: Place, name: str, enabled: bool | None, days: int | None, form: str) -> None:
    """Which moments an instance can be restored to, and how late the store is."""
    instances = connect(place).instances
    instance = instances.find(name)["id"]
    wanted = {key: value for key, value in (("enabled", enabled), ("keep_days", days)) if value is not None}
    seen = instances.change_recovery(instance, wanted) if wanted else instances.recovery(instance)
    output.one(seen, {title: value for title, value in _fields(seen).items() if value}, form)


@click.command()
@click.argument("name")
@at
@click.option("--hours", type=click.IntRange(1, 168), default=2, show_default=True, help="It is gone by itself then.")
@click.option("--as", "new", default="", metavar="NEW", help="Its name; NAME-peek when not given.")
@wait
@output.option
@click.pass_obj
def peek(place: Place, /, name: str, new: str, wait: bool, form: str, **told: Any) -> None:
    """Look at a moment of an instance: a read-only one of its own, for a while. `argosy db shell NAME-peek` goes in."""
    make(place, name, new or f"{name}-peek", {"at": told["at"]}, hours=told["hours"], wait=wait, form=form)


@click.command("copy-from")
@click.argument("name")
@click.argument("origin", metavar="FROM")
@click.option("--database", required=True, help="What to take out of FROM.")
@click.option("--table", "tables", multiple=True, help="Only this table; may be repeated.")
@click.option("--into", default="", help="The database to put it into, when not of the same name.")
@wait
@click.pass_obj
def copy_from(place: Place, /, *, name: str, origin: str, wait: bool, **told: Any) -> None:
    """Bring one database, or tables of it, from another instance. Nothing that is there is replaced."""
    client = connect(place)
    instance, other = client.instances.find(name)["id"], client.instances.find(origin)["id"]
    wanted = {"instance": other, **{key: value for key, value in told.items() if value}}
    client.instances.act(instance, {"copy_from": wanted})
    if wait:
        waiting.until_done(client, instance, "copy_excerpt")
    click.echo(
        f"{told['database']} {'is' if wait else 'is being brought'} in {told['into'] or told['database']} of {name}"
    )


def make(  # noqa: PLR0913 - what the commands are given
    place: Place, name: str, new: str, point: dict[str, str], *, hours: int = 0, wait: bool, form: str
) -> None:
    """A new instance that begins as a moment of this one."""
    client = connect(place)
    origin = client.instances.find(name)
    size, flavor = origin["volume"]["size"], origin["flavor"]["id"]
    restore = {"instance": origin["id"], **point}
    made = client.instances.create(Request(new, "", flavor, size, restore=restore, peek=hours))
    if "password" in made:
        place.credentials.keep_password(client.session.login.auth_url, made["id"], made["password"])
    if wait:
        waiting.until_done(client, made["id"], "create_instance")
        made = {**client.instances.get(made["id"]), **{key: made[key] for key in ("password",) if key in made}}
    life.tell(made, form)


def _fields(seen: Document) -> dict[str, Any]:
    windows = [f"{each['earliest']} to {each['latest']}" for each in seen["windows"]]
    return {
        "archived": "on" if seen["enabled"] else "off",
        "restart": "once, before its log is archived" if seen["enabled"] and seen["restart"] else "",
        "any moment": "\n".join(windows) or "none yet",
        "kept": f"{seen['keep_days']:g} days",
        "behind": _late(seen),
        "gap": _gap(seen),
        "position": [f"{key}={value}" for key, value in _position(seen).items()],
        "backups": "\n".join(f"{each['moment']}  {each['proof']:10}  {each['id']}" for each in _backups(seen)),
        "fault": seen["fault"],
    }


def _late(seen: Document) -> str:
    """How far the store is behind the server."""
    backlog = seen["backlog"]
    return f"{backlog['seconds']:g} s, {backlog['bytes']} bytes ({seen['level']})" if backlog else ""


def _gap(seen: Document) -> str:
    """Where no later moment can be had: what is shipped since leads on from no backup."""
    if not (seen["enabled"] and seen["windows"] and seen["windows"][-1]["ended"]):
        return ""
    return f"since {seen['latest']}: the next moment is that of the next backup, which is taken by itself"


def _position(seen: Document) -> Document:
    return dict(seen["windows"][-1]["position"]) if seen["windows"] else {}


def _backups(seen: Document) -> list[Document]:
    return [base for each in seen["windows"] for base in each["backups"]]
