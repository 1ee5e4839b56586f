"""`argosy backup`: take, see, restore and delete backups."""

from __future__ import annotations

import click

from argosy.cli.main import Lazy

TAKE, SEE = "argosy.cli.backup.take", "argosy.cli.backup.see"
PROVE, PROTECT = "argosy.cli.backup.prove", "argosy.cli.backup.protect"
COMMANDS = {
    "create": f"{TAKE}:create",
    "cancel": f"{TAKE}:cancel",
    "delete": f"{TAKE}:delete",
    "register": f"{TAKE}:register",
    "list": f"{SEE}:list_backups",
    "show": f"{SEE}:show",
    "operations": f"{SEE}:operations",
    "restore": "argosy.cli.backup.restore:restore",
    "prove": f"{PROVE}:prove",
    "drills": f"{PROVE}:drills",
    "protect": f"{PROTECT}:protect",
    "deleted": f"{PROTECT}:deleted",
    "bring-back": f"{PROTECT}:bring_back",
    "purge": f"{PROTECT}:purge",
    "hold": f"{PROTECT}:hold",
    "release": f"{PROTECT}:release",
}


@click.group(cls=Lazy, lazy=COMMANDS)
def backup() -> None:
    """Take, see, restore and delete backups. BACKUP is a backup's name or id everywhere."""
