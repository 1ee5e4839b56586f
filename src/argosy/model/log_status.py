"""What is known of one log -> the status that its owner sees, in Trove's words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from argosy import errors


class LogStatus(StrEnum):
    DISABLED = "Disabled"
    ENABLED = "Enabled"
    """written, and empty so far"""
    UNAVAILABLE = "Unavailable"
    """its guest does not tell"""
    READY = "Ready"
    """there is something, and nothing was published"""
    PUBLISHED = "Published"
    """all of it"""
    PARTIAL = "Partial"
    """some of it"""
    ROTATED = "Rotated"
    """it does not begin any more with what was published first"""
    RESTART_REQUIRED = "Restart Required"


@dataclass(frozen=True)
class Extent:
    """How much there is of a log, as its guest says: offsets since the log began."""

    start: int
    end: int
    digest: str
    """MD5 of the first line that is kept"""
    on: bool | None
    """the running server writes it; None: the server cannot be asked"""


LARGEST = 2**62


def extent(told: Any) -> Extent:
    """From what a guest says. Raises GuestFailed for what makes no sense."""
    try:
        on = told.get("on")
        seen = Extent(int(told["start"]), int(told["end"]), str(told["digest"])[:32], None if on is None else bool(on))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise errors.GuestFailed(f"the guest tells no extent of its logs: {error!r}") from error
    if not 0 <= seen.start <= seen.end <= LARGEST:
        raise errors.GuestFailed(f"no log goes from {seen.start} to {seen.end}")
    return seen


@dataclass(frozen=True)
class Published:
    bytes: int = 0
    position: int = 0
    """offset of what was not published yet"""
    digest: str = ""
    """as of the last time"""


def pending(extent: Extent, published: Published) -> int:
    """Bytes that publishing would bring."""
    return max(0, extent.end - max(extent.start, published.position))


def status(extent: Extent | None, published: Published, *, wanted: bool, restart: bool) -> LogStatus:
    """`restart`: the instance waits for one."""
    if extent is None:
        return LogStatus.UNAVAILABLE
    on = wanted if extent.on is None else extent.on
    if wanted and not on and restart:
        return LogStatus.RESTART_REQUIRED
    if not on:
        return LogStatus.DISABLED
    if not published.bytes:
        return LogStatus.READY if pending(extent, published) else LogStatus.ENABLED
    if extent.digest != published.digest:
        return LogStatus.ROTATED
    return LogStatus.PARTIAL if pending(extent, published) else LogStatus.PUBLISHED
