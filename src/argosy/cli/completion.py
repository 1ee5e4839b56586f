"""`argosy completion`: tab completion for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what a shell needs to complete argosy's commands: eval "$(argosy completion bash)"."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"no completion for {shell}")
    root = ctx.find_root()
    click.echo(kind(root.command, {}, "argosy", "_ARGOSY_COMPLETE").source())
