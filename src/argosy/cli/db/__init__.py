"""`argosy db`: make, see, use and delete databases."""

from __future__ import annotations

import click

from argosy.cli.main import Lazy

LIFE, USE = "argosy.cli.db.life", "argosy.cli.db.use"
CHANGE, PROTECTION = "argosy.cli.db.change", "argosy.cli.db.protection"
UNDO, RECOVERY = "argosy.cli.db.undo", "argosy.cli.db.recovery"
COMMANDS = {
    "create": f"{LIFE}:create",
    "list": f"{LIFE}:list_instances",
    "show": f"{LIFE}:show",
    "delete": f"{LIFE}:delete",
    "restart": f"{LIFE}:restart",
    "resize": f"{CHANGE}:resize",
    "stop": f"{CHANGE}:stop",
    "start": f"{CHANGE}:start",
    "protect": f"{PROTECTION}:protect",
    "deleted": f"{PROTECTION}:deleted",
    "bring-back": f"{PROTECTION}:bring_back",
    "purge": f"{PROTECTION}:purge",
    "rebuild": f"{CHANGE}:rebuild",
    "upgrade": f"{CHANGE}:upgrade",
    "restore": f"{UNDO}:restore",
    "recovery": f"{RECOVERY}:recovery",
    "peek": f"{RECOVERY}:peek",
    "copy-from": f"{RECOVERY}:copy_from",
    "undo": f"{UNDO}:undo",
    "undos": f"{UNDO}:undos",
    "operations": f"{LIFE}:operations",
    "cancel": f"{LIFE}:cancel",
    "tag": "argosy.cli.db.tags:tag",
    "databases": "argosy.cli.db.databases:databases",
    "users": "argosy.cli.db.users:users",
    "logs": "argosy.cli.db.logs:logs",
    "log": "argosy.cli.db.logs:change",
    "access": "argosy.cli.db.access:access",
    "tls": "argosy.cli.db.tls:tls",
    "tls-client": "argosy.cli.db.tls:tls_client",
    "connect-info": "argosy.cli.db.tls:connect_info",
    "url": f"{USE}:url",
    "shell": f"{USE}:shell",
    "password": f"{USE}:password",
}


@click.group(cls=Lazy, lazy=COMMANDS)
def db() -> None:
    """Make, see, use and delete databases. NAME is an instance's name or id everywhere."""
