"""When a schedule is due: a cron expression in a time zone, as crontab(5) of Debian has it.

What falls into the hour that summer time skips runs at its end; what falls into the hour that comes twice runs once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from argosy import errors

MOST_COUNTED = 1000
"""missed runs that are counted one by one"""


def check(cron: str, timezone: str) -> None:
    """Raises BadRequest, saying what is wrong, for an expression or a zone that means nothing."""
    if len(cron.split()) != 5:
        raise errors.BadRequest(f"cron {cron!r} must have five fields: minute hour day month weekday, as 30 2 * * *")
    following(cron, timezone, 0.0)


def following(cron: str, timezone: str, after: float) -> float:
    """The first time that it is due later than `after`, in seconds since the epoch. Raises BadRequest."""
    try:
        return float(next(_times(cron, timezone, after)).timestamp())
    except CronSimError as error:
        raise errors.BadRequest(f"cron {cron!r} cannot be used: {error}") from error
    except StopIteration as error:
        raise errors.BadRequest(f"cron {cron!r} is never due") from error


def due(cron: str, timezone: str, first: float, now: float) -> int:
    """How many times it was due from `first`, which was one, until now. At most MOST_COUNTED."""
    count = 0
    for count, at in enumerate(_times(cron, timezone, first), 1):
        if at.timestamp() > now or count == MOST_COUNTED:
            break
    return count


def _times(cron: str, timezone: str, after: float) -> CronSim:
    """Raises BadRequest for an unknown zone, CronSimError for an expression that is none."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise errors.BadRequest(f"there is no time zone {timezone!r}: use a name as Europe/Berlin") from error
    return CronSim(cron, datetime.fromtimestamp(after, UTC).astimezone(zone))
