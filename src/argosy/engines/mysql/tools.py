"""MariaDB's own programs beside its server: found in the same root, and logged in by a file that only they read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argosy import errors
from argosy.engines import files
from argosy.engines.mysql.accounts import ADMINISTRATOR
from argosy.engines.mysql.finder import LAYOUT, base

BACKUP, UNPACK, DUMP, BINLOG, CLIENT = "mariadb-backup", "mbstream", "mariadb-dump", "mariadb-binlog", "mariadb"


def find(root: Path, name: str) -> Path:
    """Raises GuestFailed."""
    for place in (base(root) / "bin", LAYOUT.place(root)):
        if (place / name).is_file():
            return place / name
    raise errors.GuestFailed(f"MariaDB in {root} lacks {name}: install it, or choose another strategy")


@contextmanager
def login(scratch: Path, socket: Path, password: str) -> Iterator[str]:
    """The argument that lets one of the programs in as the administrator: no secret is in an argument list."""
    file = scratch / "login.cnf"
    lines = "".join(f'{name} = "{value}"\n' for name, value in _options(socket, password).items())
    files.write(file, f"[client]\n{lines}[mariadb-backup]\n{lines}")
    try:
        yield f"--defaults-file={file}"
    finally:
        file.unlink()


def _options(socket: Path, password: str) -> dict[str, str]:
    return {"user": ADMINISTRATOR, "password": password, "socket": str(socket)}
