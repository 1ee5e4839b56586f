"""The system user that the unprivileged processes run as."""

from __future__ import annotations

import pwd
import subprocess

from argosy import errors

NAME = "argosy"


class NoAccount(errors.Broken):
    """the system user argosy could not be made"""


def find() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


def ensure() -> pwd.struct_passwd:
    """Raises NoAccount, with the words of useradd."""
    found = find()
    if found is not None:
        return found
    made = subprocess.run(
        ["useradd", "--system", "--user-group", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", NAME],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0 and find() is None:
        raise NoAccount(f"the system user {NAME} could not be made: {made.stderr.strip()}")
    return pwd.getpwnam(NAME)


def remove() -> bool:
    """Whether there was one."""
    if find() is None:
        return False
    subprocess.run(["userdel", NAME], capture_output=True, check=False)
    return True
