"""Whether the engine writes a log that can be gone back in, where it can do without: said with every verb that begins
with a stopped server, for only a start can change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from argosy.agent.guest import Guest
from argosy.engines.archiving import PointInTime


def want(guest: Guest, arguments: Mapping[str, Any]) -> None:
    """As the command says by `history`; where it says nothing, or the server runs, it stays as it is."""
    wanted, driver = arguments.get("history"), guest.driver()
    if wanted is not None and isinstance(driver, PointInTime) and not guest.service.status().wanted:
        driver.log_want(bool(wanted))
