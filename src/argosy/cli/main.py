"""The command `argosy`: commands are loaded when they are called, so that it starts at once.

Exit codes: 0 done, 1 it failed, 2 the command line is wrong, 3 no such thing, 4 refused (the message says why),
5 not available just now, 130 interrupted.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from argosy import __version__, errors
from argosy.cli import output
from argosy.cli.place import Place

COMMANDS = {
    "db": "argosy.cli.db:db",
    "backup": "argosy.cli.backup:backup",
    "ca": "argosy.cli.ca:ca",
    "config": "argosy.cli.config:config",
    "datastore": "argosy.cli.datastore:datastore",
    "flavor": "argosy.cli.flavor:flavor",
    "quota": "argosy.cli.quota:quota",
    "schedule": "argosy.cli.schedule:schedule",
    "webhook": "argosy.cli.webhook:webhook",
    "module": "argosy.cli.module:module",
    "env": "argosy.cli.env:env",
    "events": "argosy.cli.events:events",
    "completion": "argosy.cli.completion:completion",
}


class Lazy(click.Group):
    """A group whose commands are named by `module:attribute`."""

    def __init__(self, *arguments: Any, lazy: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lazy = dict(lazy)
        self._deeper: dict[str, dict[str, str]] = {}

    def extend(self, more: Mapping[str, str]) -> None:
        """By commands of floors above this one; `backup export` goes into the group `backup`."""
        for words, target in more.items():
            group, _, name = words.rpartition(" ")
            (self._deeper.setdefault(group, {}) if group else self.lazy)[name] = target

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        if isinstance(command, Lazy):
            command.extend(self._deeper.get(cmd_name, {}))
        return command


@click.group(
    cls=Lazy,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong command line, 3 no such thing, 4 refused, 5 not available just now, "
    "130 interrupted.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False, readable=False, resolve_path=True),
    envvar="ARGOSY_STATE",
    help="State directory of the deployment meant (ARGOSY_STATE).",
)
@click.version_option(__version__, prog_name="argosy")
@click.pass_context
def argosy(ctx: click.Context, state: Path | None) -> None:
    """Databases in a second."""
    ctx.obj = Place(state)


def run(more: Mapping[str, str], arguments: Sequence[str] | None = None) -> int:
    """The exit code. `more` names commands of floors above this one."""
    argosy.extend(more)
    return guarded(argosy, arguments, "argosy")


def guarded(command: click.Command, arguments: Sequence[str] | None, name: str) -> int:
    """The exit code; what went wrong is told on standard error."""
    try:
        status = command.main(arguments, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except errors.ArgosyError as error:
        click.echo(output.plain(f"{name}: {error.message}"), err=True)
        return exit_code(error)
    return status if isinstance(status, int) else 0


def exit_code(error: errors.ArgosyError) -> int:
    if isinstance(error, errors.NotFound):
        return 3
    if isinstance(error, errors.Rejected):
        return 4
    return 5 if isinstance(error, errors.Unavailable) else 1
