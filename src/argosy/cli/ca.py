"""`argosy ca`: the deployment's certificate authority."""

from __future__ import annotations

import time

import click

from argosy import errors
from argosy.cli import output
from argosy.cli.place import Place, connect
from argosy.client.resources import Client, Document

PAUSE = 1.0
"""Seconds between two looks."""


class RotationFailed(errors.Broken):
    """the rotation failed"""


@click.group()
def ca() -> None:
    """The deployment's certificate authority."""


@ca.command()
@click.pass_obj
def certificate(place: Place) -> None:
    """Its certificate (PEM), for clients; while it is being rotated both."""
    click.echo(connect(place).session.authority(), nl=False)


@ca.command()
@output.option
@click.pass_obj
def show(place: Place, form: str) -> None:
    """Which authorities are trusted, which one signs, and how the last rotation is. For administrators."""
    _show(connect(place).authority(), form)


@ca.command()
@click.option("--overlap-days", type=click.IntRange(0, 365), default=30, show_default=True, help="Time for clients.")
@click.option("--wait/--no-wait", default=False, help="Wait for the end, or not (the default).")
@output.option
@click.pass_obj
def rotate(place: Place, *, overlap_days: int, wait: bool, form: str) -> None:
    """Replace it by a new one, while everything runs. For administrators.

    Both are trusted at once; the new one signs after the overlap, in which clients fetch it. If a rotation has failed,
    the same command goes on with it.
    """
    client = connect(place)
    begun = client.rotate_authority(overlap_days)
    _show(_ended(client) if wait else begun, form)


def _ended(client: Client) -> Document:
    while (told := client.authority())["rotation"]["state"] == "active":
        time.sleep(PAUSE)
    if told["rotation"]["state"] != "done":
        raise RotationFailed(f"the rotation failed: {told['rotation'].get('message', '')}")
    return told


def _show(told: Document, form: str) -> None:
    rotation = told.get("rotation", {})
    fields = {
        "stage": told["stage"],
        "signing": told["signing"],
        "trusted": [f"{each['fingerprint'][:16]}… until {each['expire_at']}" for each in told["trusted"]],
        "rotation": f"{rotation['state']} in {rotation['step']}" if rotation else "never",
        "": rotation.get("message"),
    }
    output.one(told, {title: value for title, value in fields.items() if value}, form)
