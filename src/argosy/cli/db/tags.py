"""`argosy db tag`, and tags as words of a command line."""

from __future__ import annotations

from collections.abc import Sequence

import click

from argosy.cli import output
from argosy.cli.place import Place, connect


@click.command()
@click.argument("name")
@click.argument("tags", nargs=-1, metavar="[TAG=VALUE]...")
@click.option("--remove", multiple=True, help="A tag to take away. May be repeated.")
@output.option
@click.pass_obj
def tag(place: Place, *, name: str, tags: tuple[str, ...], remove: tuple[str, ...], form: str) -> None:
    """Show the tags of an instance, or change them: the others stay."""
    instances = connect(place).instances
    instance = instances.find(name)["id"]
    had = instances.tags(instance)
    wanted = {each: value for each, value in {**had, **pairs(tags)}.items() if each not in remove}
    told = instances.set_tags(instance, wanted) if wanted != had else had
    output.one(told, told, form) if told or form != "table" else click.echo(f"{name} has no tags")


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Raises UsageError."""
    split = [word.partition("=") for word in words]
    for tag_name, sign, _ in split:
        if not (tag_name and sign):
            raise click.UsageError(f"{tag_name!r} is not of the form TAG=VALUE")
    return {tag_name: value for tag_name, _, value in split}
