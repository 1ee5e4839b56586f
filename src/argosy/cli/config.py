"""`argosy config`: settings under a name, for instances of one datastore version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from argosy.cli import output, waiting
from argosy.cli.place import Place, connect
from argosy.client.configurations import Configurations
from argosy.client.resources import Client, Document

COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("ENGINE", lambda row: f"{row['datastore_name']} {row['datastore_version_name']}"),
    ("UPDATED", lambda row: row["updated"]),
    ("ID", lambda row: row["id"]),
)
INSTANCES: tuple[output.Column, ...] = (("NAME", lambda row: row["name"]), ("ID", lambda row: row["id"]))
PARAMETERS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("TYPE", lambda row: row["type"]),
    ("MIN", lambda row: row.get("min", "")),
    ("MAX", lambda row: row.get("max", "")),
    ("UNIT", lambda row: row.get("unit", "")),
    ("RESTART", lambda row: "yes" if row["restart_required"] else ""),
    ("BASELINE", lambda row: f"{row.get('baseline', '')}{' (locked)' if row.get('locked') else ''}"),
)
wait = click.option("--wait/--no-wait", default=True, help="Wait until the server has it (the default), or not.")


@click.group()
def config() -> None:
    """Settings under a name, for instances of one datastore version."""


@config.command("list")
@output.option
@click.pass_obj
def list_groups(place: Place, form: str) -> None:
    """Every configuration of the project."""
    output.rows(list(_of(connect(place)).list()), COLUMNS, form)


@config.command()
@click.argument("group")
@output.option
@click.pass_obj
def show(place: Place, group: str, form: str) -> None:
    """One configuration with its values."""
    _show(_of(connect(place)).find(group), form)


@config.command()
@click.argument("name")
@click.argument("values", nargs=-1, metavar="[PARAMETER=VALUE]...")
@click.option("--engine", required=True, help="Datastore: postgresql, mariadb, redis … (argosy datastore list).")
@click.option("--version", default="", help="Version of the engine; its default when not given.")
@click.option("--description", default="", help="What it is for.")
@output.option
@click.pass_obj
def create(place: Place, /, name: str, values: Sequence[str], form: str, **told: str) -> None:
    """Make a configuration; `argosy config parameters` tells what may be in it."""
    made = _of(connect(place)).create(name, told["engine"], told["version"], _values(values), told["description"])
    _show(made, form)


@config.command("set")
@click.argument("group")
@click.argument("values", nargs=-1, required=True, metavar="PARAMETER=VALUE...")
@click.pass_obj
def set_values(place: Place, group: str, values: Sequence[str]) -> None:
    """Change some values; instances that have the configuration follow."""
    configurations = _of(connect(place))
    configurations.edit(configurations.find(group)["id"], _values(values))


@config.command()
@click.argument("group")
@click.argument("names", nargs=-1, required=True, metavar="PARAMETER...")
@click.pass_obj
def unset(place: Place, group: str, names: Sequence[str]) -> None:
    """Take values out; instances that have the configuration go back to what they had without them."""
    configurations = _of(connect(place))
    found, gone = configurations.find(group), {name.lower() for name in names}
    left = {name: value for name, value in found["values"].items() if name.lower() not in gone}
    configurations.replace(found["id"], left)


@config.command()
@click.argument("group")
@click.pass_obj
def delete(place: Place, group: str) -> None:
    """Delete a configuration that no instance has."""
    configurations = _of(connect(place))
    configurations.delete(configurations.find(group)["id"])


@config.command()
@click.argument("group")
@output.option
@click.pass_obj
def instances(place: Place, group: str, form: str) -> None:
    """The instances that have a configuration."""
    configurations = _of(connect(place))
    output.rows(configurations.instances(configurations.find(group)["id"]), INSTANCES, form)


@config.command()
@click.argument("group")
@click.argument("instance")
@wait
@click.pass_obj
def attach(place: Place, group: str, instance: str, wait: bool) -> None:
    """Have an instance follow a configuration."""
    client = connect(place)
    _attach(client, instance, _of(client).find(group)["id"], wait=wait)


@config.command()
@click.argument("instance")
@wait
@click.pass_obj
def detach(place: Place, instance: str, wait: bool) -> None:
    """Have an instance follow none."""
    _attach(connect(place), instance, None, wait=wait)


@config.command()
@click.argument("engine")
@click.option("--version", default="", help="Version of the engine; its default when not given.")
@output.option
@click.pass_obj
def parameters(place: Place, engine: str, version: str, form: str) -> None:
    """What may be set in servers of a version."""
    output.rows(_of(connect(place)).parameters(engine, version), PARAMETERS, form)


def _of(client: Client) -> Configurations:
    return Configurations(client.session)


def _attach(client: Client, name: str, configuration_id: str | None, *, wait: bool) -> None:
    instance = client.instances.find(name)
    if configuration_id is None and "configuration" not in instance:
        click.echo(f"{instance['name']} follows no configuration")
        return
    _of(client).attach(instance["id"], configuration_id)
    if wait:
        waiting.until_done(client, instance["id"], "configure_instance")
    seen = client.instances.get(instance["id"])
    click.echo(f"{seen['name']} is {seen['status']}")
    if "fault" in seen:
        click.echo(output.plain(seen["fault"]["message"]), err=True)


def _values(words: Sequence[str]) -> dict[str, Any]:
    """Numbers, true and false as JSON has them, everything else as it stands."""
    pairs = [word.partition("=") for word in words]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise click.UsageError(f"{name!r} is not of the form PARAMETER=VALUE")
    return {name: _value(value) for name, _, value in pairs}


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | bool) else text


def _show(group: Document, form: str) -> None:
    fields = {
        "name": group["name"],
        "id": group["id"],
        "engine": f"{group['datastore_name']} {group['datastore_version_name']}",
        "instances": group["instance_count"],
        **group["values"],
    }
    output.one(group, fields, form)
