"""From `argosy db create` to `argosy db delete`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from argosy import clock, errors
from argosy.cli import output, waiting
from argosy.cli.db.tags import pairs
from argosy.cli.place import Place, connect
from argosy.client.configurations import Configurations
from argosy.client.modules import Modules
from argosy.client.resources import Client, Document, Request

COLUMNS: tuple[output.Column, ...] = (
    ("NAME", lambda row: row["name"]),
    ("STATUS", lambda row: row["status"]),
    ("HEALTH", lambda row: row.get("operating_status", "")),
    ("ENGINE", lambda row: f"{row['datastore']['type']} {row['datastore']['version']}"),
    ("FLAVOR", lambda row: row["flavor"]["id"]),
    ("SIZE", lambda row: f"{row['volume']['size']} GB" if "volume" in row else ""),
    ("ADDRESS", lambda row: [each["address"] for each in row.get("addresses", ())]),
    ("ID", lambda row: row["id"]),
)
wait = click.option("--wait/--no-wait", default=True, help="Wait for the end and show the steps (the default), or not.")


@click.command("list")
@output.option
@click.pass_obj
def list_instances(place: Place, form: str) -> None:
    """Every instance of the project."""
    output.rows(list(connect(place).instances.list()), COLUMNS, form)


@click.command()
@click.argument("name")
@output.option
@click.pass_obj
def show(place: Place, name: str, form: str) -> None:
    """One instance."""
    tell(connect(place).instances.find(name), form)


@click.command()
@click.argument("name")
@click.option("--engine", required=True, help="Datastore: postgresql, mariadb, redis … (argosy datastore list).")
@click.option("--version", default="", help="Version of the engine; its default when not given.")
@click.option("--flavor", default="1", show_default=True, help="Memory and processor (argosy flavor list).")
@click.option("--size", type=click.IntRange(min=1), default=1, show_default=True, help="Volume in GB.")
@click.option("--database", default="", help="A database to make in it.")
@click.option("--user", default="", help="A user to make in it, beside the master user, with rights in that database.")
@click.option("--password-file", type=click.File(), help="The password of that user, or - for standard input.")
@click.option(
    "--tls",
    type=click.Choice(["basic", "enforced", "mtls", "off"]),
    help="How to speak TLS; as the deployment has it when not given.",
)
@click.option("--public", is_flag=True, help="Reached at the host's own addresses too.")
@click.option("--allow", multiple=True, metavar="CIDR", help="From outside only from this network; may be repeated.")
@click.option("--configuration", default="", help="The group of settings to follow (argosy config list).")
@click.option("--module", "modules", multiple=True, help="A module to be given (argosy module list); may be repeated.")
@click.option("--tag", "tags", multiple=True, metavar="TAG=VALUE", help="A tag; may be repeated.")
@click.option("--protect", is_flag=True, help="Deleted, it gets a last backup and can be brought back.")
@click.option("--recovery", is_flag=True, help="Its log is archived from the first (argosy db recovery).")
@click.option("--client-token", default="", help="Names this request: who sends it again makes nothing twice.")
@wait
@output.option
@click.pass_obj
def create(place: Place, /, name: str, wait: bool, form: str, **told: Any) -> None:
    """Make an instance. Its master password goes to your credential file; `argosy db url NAME` shows it."""
    client = connect(place)
    made = client.instances.create(replace(_request(name, told), **_named(client, told)))
    if "password" in made:
        place.credentials.keep_password(client.session.login.auth_url, made["id"], made["password"])
    if wait:
        waiting.until_done(client, made["id"], "create_instance")
        made = {**client.instances.get(made["id"]), **{key: made[key] for key in ("password",) if key in made}}
    tell(made, form)


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--skip-final-backup", is_flag=True, help="A protected one gets no last backup.")
@click.option("--delete-backups", is_flag=True, help="Their backups go too; otherwise those stay.")
@wait
@click.pass_obj
def delete(place: Place, /, *, names: tuple[str, ...], yes: bool, wait: bool, **how: bool) -> None:
    """Delete instances with all their data; protected ones can be brought back for some time (argosy db deleted)."""
    client = connect(place)
    found = [client.instances.find(name) for name in names]
    for instance in found:
        if not yes:
            click.confirm(f"Delete {instance['name']} ({instance['id']}) with all its data?", abort=True, err=True)
        client.instances.delete(instance["id"], **how)
    for instance in found:
        protected = bool(instance.get("deletion_protection"))
        if wait:
            waiting.until_gone(client, instance["id"], "quarantine_instance" if protected else "delete_instance")
        if not protected:
            place.credentials.drop_password(client.session.login.auth_url, instance["id"])
        back = f": `argosy db bring-back {instance['name']}` brings it back" if protected else ""
        click.echo(f"{instance['name']} is {'deleted' if wait else 'being deleted'}{back}")


@click.command()
@click.argument("name")
@wait
@click.pass_obj
def restart(place: Place, name: str, wait: bool) -> None:
    """Restart the database process."""
    client = connect(place)
    instance = client.instances.find(name)
    client.instances.restart(instance["id"])
    if wait:
        waiting.until_done(client, instance["id"], "restart_instance")
    click.echo(f"{instance['name']} {'has been restarted' if wait else 'is being restarted'}")


@click.command()
@click.argument("name")
@output.option
@click.pass_obj
def operations(place: Place, name: str, form: str) -> None:
    """Everything that was done to an instance, newest first, step by step."""
    client = connect(place)
    waiting.tell(client.instances.operations(client.instances.find(name)["id"])["operations"], form)


@click.command()
@click.argument("name")
@click.pass_obj
def cancel(place: Place, name: str) -> None:
    """Stop what is being done to an instance: a new one that is being restored, a restore in place, …"""
    client = connect(place)
    instance = client.instances.find(name)
    told = client.instances.operations(instance["id"])["operations"]
    under_way = [each for each in told if each["state"] == "active"]
    if not under_way:
        raise errors.Conflict(f"nothing is being done to {instance['name']}")
    for each in under_way:
        client.instances.cancel(instance["id"], each["id"])
        click.echo(f"{each['operation']} is being cancelled")


def _request(name: str, told: dict[str, Any]) -> Request:
    password = told["password_file"].readline().rstrip("\n") if told["password_file"] else ""
    if told["user"] and not password:
        password = click.prompt(f"Password of {told['user']}", hide_input=True, confirmation_prompt=True, err=True)
    return Request(
        name=name,
        engine=told["engine"],
        flavor=told["flavor"],
        gigabytes=told["size"],
        version=told["version"],
        database=told["database"],
        user=told["user"],
        tls=told["tls"] or "",
        public=told["public"],
        allow=told["allow"],
        password=password,
    )


def _named(client: Client, told: dict[str, Any]) -> dict[str, Any]:
    """What is asked for by the names of other things."""
    group, known = told["configuration"], Modules(client.session)
    return {
        "configuration": Configurations(client.session).find(group)["id"] if group else "",
        "modules": tuple(known.find(each)["id"] for each in told["modules"]),
        "tags": pairs(told["tags"]),
        "client_token": told["client_token"],
        "protect": told["protect"],
        "recovery": told["recovery"],
    }


def tell(instance: Document, form: str) -> None:
    fields = {
        "name": instance["name"],
        "id": instance["id"],
        "status": f"{instance['status']} {instance.get('operating_status', '')}",
        "engine": f"{instance['datastore']['type']} {instance['datastore'].get('version_number', '')}",
        "flavor": instance["flavor"]["id"],
        "volume": _volume(instance.get("volume", {})),
        "address": [f"{each['host']}:{each['port']}" for each in instance.get("endpoints", ())],
        "tls": [each["tls"] for each in instance.get("endpoints", ()) if "tls" in each],
        "guarantees": instance.get("guarantees", ()),
        "created": instance["created"],
        "any moment": _window(instance.get("recovery", {})),
        "protected": "deleted, it can be brought back" if instance.get("deletion_protection") else None,
        "ends": f"{instance['ends_at']}: a peek, read-only" if "ends_at" in instance else None,
        "restored from": _origin(instance.get("restored_from", {})),
        "fault": instance.get("fault", {}).get("message"),
    }
    output.one(instance, {title: value for title, value in fields.items() if value}, form)


def _origin(restored: Document) -> str:
    """The backup, and how far from there along the archived log."""
    name, target = str(restored.get("name", "")), restored.get("target")
    if target is None:
        return name
    meant = {key: value for key, value in target.items() if value}
    if "time" in meant:
        return f"{name}, then on to {clock.timestamp(meant['time'])}"
    return f"{name}, then on to {', '.join(map(str, meant.values())) or 'the end of the log'}"


def _window(recovery: Document) -> str:
    """That it can be restored to."""
    if not recovery.get("latest"):
        return "soon" if recovery.get("enabled") else ""
    level = f" ({recovery['level']})" if recovery["level"] != "fine" else ""
    return f"{recovery['earliest']} to {recovery['latest']}{level}"


def _volume(volume: Document) -> str:
    used = f", {volume['used_percent']} % used" if "used_percent" in volume else ""
    return f"{volume['size']} GB{used}" if volume else ""
