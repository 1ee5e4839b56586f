"""Chooses what of a binary log is run again: from where a backup stands, transaction by transaction, to a target."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from argosy import clock, errors
from argosy.engines.archiving import Target
from argosy.engines.mysql import binlog
from argosy.engines.mysql.binlog import Group, Known, Log

NAME = re.compile(r"(?P<base>.+)\.(?P<number>\d+)")
CLOCK_STEP = 1.0
"""seconds: the log says of a transaction in which second its last statement began"""

Place = tuple[str, int]
"""file and offset"""


@dataclass(frozen=True)
class Stretch:
    """Of one file, from one offset to another."""

    path: Path
    start: int
    end: int


@dataclass
class Way:
    """What is to be run, and where that ends."""

    place: Place
    stretches: list[Stretch] = field(default_factory=list)
    known: Known = field(default_factory=dict)
    at: float | None = None
    """when the last of it was done"""
    reached: bool = False
    """what comes next is not wanted"""

    @property
    def gtid(self) -> str:
        return ",".join(f"{domain}-{server}-{number}" for (domain, server), number in sorted(self.known.items()))

    def take(self, path: Path, group: Group) -> None:
        if self.stretches and self.stretches[-1].path == path:
            self.stretches[-1] = Stretch(path, self.stretches[-1].start, group.end)
        else:
            self.stretches.append(Stretch(path, group.start, group.end))
        self.known = {**self.known, (group.domain, group.server): group.number}
        self.place, self.at = (path.name, group.end), float(group.time)


def find(logs: Path, position: Mapping[str, Any], target: Target) -> Way:
    """Raises Rejected for a target that is not on the way, Damaged naming the file where the way is broken.

    By time nothing is taken that may be later than the target, and everything that is a clock step earlier. A client
    can tell the server any time: what claims to be later than the end of its file is taken without a look at the time.
    """
    if "file" not in position:
        raise errors.Rejected("the backup does not say where it stands in the binary log: choose another one")
    way = Way((str(position["file"]), int(position["offset"])))
    goal = _goal(position, target)
    paths = _following(logs, way.place[0])
    text = target.before_statement.lower().encode()
    for path, following in zip_longest(paths, paths[1:]):
        latest = binlog.begun(following) if following else clock.now()
        _along(way, Log(path, text, latest), position, goal)
        if way.reached:
            return way
    goal.refuse_unreached(way)
    return way


@dataclass(frozen=True)
class Goal:
    """Where to stop."""

    target: Target
    place: Place | None = None

    def before(self, path: Path, group: Group, log: Log) -> bool:
        """Whether to stop before this transaction."""
        if self.target.time is not None:
            return self.target.time - CLOCK_STEP < group.time <= log.latest
        if self.place is not None:
            return (path.name, group.end) > self.place
        return log.found

    def after(self, path: Path, group: Group) -> bool:
        """Whether to stop after it."""
        return group.gtid == self.target.transaction or (path.name, group.end) == self.place

    def passed(self, known: Known) -> bool:
        """Whether the backup ends there. Raises Rejected when it has more."""
        if not self.target.transaction:
            return False
        domain, server, number = _parsed(self.target.transaction)
        last = known.get((domain, server), 0)
        if number < last:
            raise errors.Rejected(f"{self.target.transaction} lies before the end of the backup: choose an earlier one")
        return number == last

    def refuse_unreached(self, way: Way) -> None:
        """Time passes without anything being written: by time the end of the log is as good."""
        wanted = self.target.transaction or self.target.position or self.target.before_statement
        if wanted:
            file, offset = way.place
            raise errors.Rejected(f"{wanted!r} is not in the binary log, which ends with {way.gtid} at {file}:{offset}")


def _goal(position: Mapping[str, Any], target: Target) -> Goal:
    began = position.get("at")
    if target.time is not None and began is not None and target.time < float(began):
        raise errors.Rejected(
            f"the backup is of {clock.timestamp(float(began))}, later than {clock.timestamp(target.time)}:"
            " choose an earlier one"
        )
    if not target.position:
        return Goal(target)
    file, _, offset = target.position.rpartition(":")
    if not file or not offset.isdecimal():
        raise errors.BadRequest(f"{target.position!r} is no place in a binary log: say FILE:OFFSET")
    if (file, int(offset)) < (str(position["file"]), int(position["offset"])):
        raise errors.Rejected(f"{target.position} lies before the end of the backup: choose an earlier one")
    return Goal(target, (file, int(offset)))


def _following(logs: Path, first: str) -> Sequence[Path]:
    """Raises Damaged naming a file that is not there."""
    paths = sorted(each for each in logs.iterdir() if each.name >= first and NAME.fullmatch(each.name))
    expected = first
    for path in paths:
        if path.name != expected:
            break
        expected = _next(expected)
    else:
        if paths:
            return paths
    raise binlog.Damaged(f"the binary log has a gap: {expected} is missing")


def _next(name: str) -> str:
    found = NAME.fullmatch(name)
    if found is None:
        raise errors.BadRequest(f"{name!r} is no file of a binary log")
    return f"{found['base']}.{int(found['number']) + 1:0{len(found['number'])}}"


def _along(way: Way, log: Log, position: Mapping[str, Any], goal: Goal) -> None:
    """Take what is wanted of one more file."""
    path = log.path
    log.begin()
    start = int(position["offset"]) if path.name == position["file"] else 0
    if start:
        way.known = _passed(log, start, position)
        way.reached = goal.passed(way.known)
    elif log.before != way.known:
        raise binlog.Damaged(f"the binary log has a gap: {path.name} does not go on where the one before it ends")
    for group in log.groups():
        if group.end <= start:
            continue
        way.reached = way.reached or goal.before(path, group, log)
        if way.reached:
            return
        way.take(path, group)
        way.reached = goal.after(path, group)


def _passed(log: Log, start: int, position: Mapping[str, Any]) -> Known:
    """What the server knew where the backup stands. Raises Damaged when that is nowhere in this file."""
    known, end = dict(log.before), 0
    for group in log.groups():
        if group.start >= start:
            break
        known[group.domain, group.server], end = group.number, group.end
    if end > start or log.end < start or not _has(known, str(position.get("gtid", ""))):
        raise binlog.Damaged(f"{log.path.name} does not lead on from the backup")
    return known


def _has(known: Known, gtid: str) -> bool:
    told = [_parsed(each) for each in gtid.split(",") if each]
    return all(known.get((domain, server)) == number for domain, server, number in told)


def _parsed(gtid: str) -> tuple[int, int, int]:
    found = re.fullmatch(r"(\d+)-(\d+)-(\d+)", gtid.strip())
    if found is None:
        raise errors.BadRequest(f"{gtid!r} is no GTID: say DOMAIN-SERVER-NUMBER")
    return int(found[1]), int(found[2]), int(found[3])
