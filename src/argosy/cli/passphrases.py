"""Passphrases that seal files: from a file, the environment or the terminal, never from the command line."""

from __future__ import annotations

import os
from pathlib import Path

import click

from argosy import errors

VARIABLE = "ARGOSY_SELF_PASSPHRASE"
SHORTEST = 8
"""letters of a passphrase: scrypt makes each guess dear, and no guess needed is dearer still"""


class BadPassphrase(errors.Rejected):
    """the passphrase cannot be used"""


option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"File whose first line is the passphrase; else {VARIABLE}, else the terminal is asked.",
)


def ask(file: Path | None, *, confirm: bool = False) -> str:
    """Never an argument, which everybody on the machine could read. Raises BadPassphrase."""
    if file is not None:
        told = (file.read_text().splitlines() or [""])[0]
    else:
        told = os.environ.get(VARIABLE) or click.prompt(
            "Passphrase", hide_input=True, confirmation_prompt=confirm, err=True
        )
    if len(told) < SHORTEST:
        raise BadPassphrase(f"a passphrase needs at least {SHORTEST} letters")
    return str(told)
