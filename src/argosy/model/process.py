"""What this process is, as messages tell it."""

from __future__ import annotations

import os
import pwd


def user() -> str:
    """Name of the user whom it runs as; the number where there is no such name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
