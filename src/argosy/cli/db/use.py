"""Connecting to a database: its URL, a shell in it, its master password."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import click

from argosy import errors
from argosy.cli.place import Place, connect
from argosy.client import connections
from argosy.client.connections import Command, Target
from argosy.client.resources import Client, Document


class PasswordUnknown(errors.Rejected):
    """the password is not known to you: argosy db password NAME --reset makes a new one"""


class NoProgram(errors.Broken):
    """the engine's own client is not installed"""


outside = click.option("--public", is_flag=True, help="At its public address, which other machines reach.")


@click.command()
@click.argument("name")
@click.option("--no-password", is_flag=True, help="Leave the password out.")
@click.option("--database", default="", help="The database that the URL opens.")
@outside
@click.pass_obj
def url(place: Place, name: str, *, no_password: bool, database: str, public: bool) -> None:
    """The connection URL, with verified TLS, and with the password where your credential file has it."""
    to = target(place, connect(place), name, database, public=public)
    click.echo(connections.url(dataclasses.replace(to, password="") if no_password else to))


@click.command()
@click.argument("name")
@click.option("-c", "--command", "statement", default="", help="Run this and end.")
@click.option("--database", default="", help="The database to open.")
@click.pass_obj
def shell(place: Place, name: str, statement: str, database: str) -> None:
    """The engine's own client (psql, mariadb, redis-cli) with verified TLS. Standard input is its own."""
    to = target(place, connect(place), name, database)
    if not to.password:
        raise PasswordUnknown(f"the password of {name} is not known to you: argosy db password {name} --reset")
    command = connections.shell(to, statement)
    program = _program(command)
    environment = {**os.environ, **command.environment}
    os.execve(program, [program, *command.arguments], environment)  # noqa: S606 - no shell of the system is wanted


@click.command()
@click.argument("name")
@click.option("--reset", is_flag=True, help="Make a new one.")
@click.option("--disable", is_flag=True, help="Let nobody log in as the master until the next --reset.")
@click.pass_obj
def password(place: Place, name: str, *, reset: bool, disable: bool) -> None:
    """The master password, where your credential file has it."""
    client = connect(place)
    instance, deployment = client.instances.find(name), client.session.login.auth_url
    if disable:
        client.instances.disable_master(instance["id"])
        place.credentials.drop_password(deployment, instance["id"])
        click.echo(f"nobody can log in to {instance['name']} as the master")
        return
    if reset:
        place.credentials.keep_password(deployment, instance["id"], client.instances.reset_password(instance["id"]))
    known = place.credentials.password(deployment, instance["id"])
    if known is None:
        raise PasswordUnknown(f"the password of {name} is not known to you: argosy db password {name} --reset")
    click.echo(known)


def target(place: Place, client: Client, name: str, database: str, *, public: bool = False) -> Target:
    """The database, as far as this user knows it; `public`: at its public address."""
    instance, deployment = client.instances.find(name), client.session.login.auth_url
    authority = _authority(place, client, instance)
    known = place.credentials.password(deployment, instance["id"]) or ""
    return connections.target(instance, authority, known, database, public=public)


def _authority(place: Place, client: Client, instance: Document) -> Path:
    """Of what the database shows: the deployment's, or what its owner brought; without an authority the certificate
    itself, which is its own where it is self-signed.
    """
    shown, deployment = client.instances.tls(instance["id"]).get("certificate", {}), client.session.login.auth_url
    if shown.get("brought"):
        return place.credentials.keep_authority(deployment, shown["authority"] or shown["payload"], instance["id"])
    return place.credentials.keep_authority(deployment, client.session.authority())


def _program(command: Command) -> str:
    for name in command.programs:
        found = shutil.which(name)
        if found:
            return found
    raise NoProgram(f"{command.programs[0]} is not installed: apt-get install {command.package}")
