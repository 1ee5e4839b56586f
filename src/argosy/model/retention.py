"""Which backups may go. Pure: whoever asks deletes them.

A chain (a full backup and all that builds on it) stays or goes as a whole: without its first it is worth nothing, and
its last is the one that somebody wants. The last good one never goes, whatever the rule says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from argosy import errors

DAY = 86_400.0
PERIODS: Mapping[str, Callable[[datetime], tuple[int, ...]]] = {
    "hourly": lambda at: (at.year, at.month, at.day, at.hour),
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}
"""What counts as one of them, in the schedule's own time zone."""
RULES = ("count", "days", *PERIODS)
MOST = 10_000


@dataclass(frozen=True)
class Kept:
    """A backup as the decision sees it."""

    id: str
    parent: str
    """empty: it stands alone"""
    at: float
    """seconds since the epoch: what it restores to"""
    good: bool
    """it could be restored as far as is known"""
    proven: bool = False
    """it was restored"""
    held: bool = False
    """somebody who may say so wants it to stay"""


def check(rule: Mapping[str, object]) -> dict[str, int]:
    """The rule as it is kept. Raises BadRequest for what is none."""
    for name, value in rule.items():
        if name not in RULES:
            raise errors.BadRequest(f"retention knows no {name!r}: use {', '.join(RULES)}")
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
            raise errors.BadRequest(f"retention.{name} must be a whole number from 1 to {MOST}")
    return {name: value for name, value in rule.items() if isinstance(value, int)}


def prunable(backups: Sequence[Kept], rule: Mapping[str, int], now: float, timezone: str = "UTC") -> set[str]:
    """Those that may go: whole chains of which nothing is wanted. An empty rule wants all."""
    if not rule:
        return set()
    newest = sorted(backups, key=lambda each: each.at, reverse=True)
    good = [each for each in newest if each.good]
    wanted = {each.id for each in newest if each.held} | _last_good(good) | set(_ruled(good, rule, now, timezone))
    chains = _chains(backups)
    return {each.id for chain in chains.values() if not wanted & {each.id for each in chain} for each in chain}


def _last_good(good: Sequence[Kept]) -> set[str]:
    """The newest, and the newest that was proven: what looks good may turn out not to be."""
    proven = [each.id for each in good if each.proven]
    return {*[each.id for each in good[:1]], *proven[:1]}


def _ruled(good: Sequence[Kept], rule: Mapping[str, int], now: float, timezone: str) -> Iterator[str]:
    yield from (each.id for each in good[: rule.get("count", 0)])
    yield from (each.id for each in good if now - each.at <= rule.get("days", 0) * DAY and "days" in rule)
    zone = ZoneInfo(timezone)
    for name, period in PERIODS.items():
        last: dict[tuple[int, ...], str] = {}
        for each in good:  # newest first: the last of each period stays
            last.setdefault(period(datetime.fromtimestamp(each.at, zone)), each.id)
        yield from islice(last.values(), rule.get(name, 0))


def _chains(backups: Sequence[Kept]) -> Mapping[str, list[Kept]]:
    """By the backup that each stands on in the end. One whose parent is gone stands alone, and is worth nothing."""
    known = {each.id: each for each in backups}
    chains = defaultdict(list)
    for each in backups:
        root, seen = each, {each.id}
        while root.parent in known and root.parent not in seen:
            root = known[root.parent]
            seen.add(root.id)
        chains[root.id].append(each)
    return chains
