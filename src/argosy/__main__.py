"""The command `argosy`, whole: the command line over the REST API, and what runs the processes of this machine."""

from __future__ import annotations

import sys

from argosy.cli.main import run

LAUNCHER = "argosy.launcher.commands"
COMMANDS = {
    "up": f"{LAUNCHER}:up",
    "down": f"{LAUNCHER}:down",
    "status": f"{LAUNCHER}:status",
    "uninstall": f"{LAUNCHER}:uninstall",
    "backup-self": "argosy.launcher.self_backup:backup_self",
    "restore-self": "argosy.launcher.self_backup:restore_self",
    "keys": "argosy.launcher.keys:keys",
    "store": "argosy.launcher.store:store",
    "backup export": "argosy.salvage.export:export",
}


def main() -> int:
    return run(COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
