"""From a backup to a moment: the log since is replayed by a secluded server while it comes, and its end judged.

It does not matter whether the data have an identity of their own already: the log is made to say that it is theirs.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from argosy import errors
from argosy.engines import programs
from argosy.engines.archiving import Logs, Moment, Target
from argosy.engines.postgresql import identity, positions, recovery
from argosy.engines.postgresql.laying import Laying
from argosy.engines.postgresql.stretch import Stretch
from argosy.model.guest import Site

XIDS = 1 << 32
"""after which the log's own numbers of transactions begin anew"""


def replay(site: Site, logs: Logs, position: Mapping[str, Any], target: Target) -> Moment:
    """As the facet promises."""
    stretch = Stretch.of(logs, position)
    told = settings(target)
    _refuse_outside(target, stretch, position)
    work = site.state / "replay"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        ended = recovery.recover(site, work, told, Laying(stretch, work, identity.of(site.data / "db")))
    except recovery.TooEarly as error:
        raise _too_early(stretch) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    place = positions.parse(ended.place)
    if not ended.reason:
        stretch.judge(place)
        _refuse_unreached(target, place)
    logs.forget()
    programs.run("sync", "--file-system", site.data)
    return Moment({"lsn": ended.place, "timeline": ended.timeline}, ended.at)


def settings(target: Target) -> dict[str, str]:
    """What tells a server to stop there. Raises BadRequest, NotSupported."""
    if target.before_statement:
        raise errors.NotSupported("PostgreSQL's log has no statements: name a time, a transaction or a position")
    if target.time is not None:
        return {"recovery_target_time": f"{datetime.fromtimestamp(target.time, UTC):%Y-%m-%d %H:%M:%S.%f+00}"}
    if target.transaction:
        return {"recovery_target_xid": str(_transaction(target.transaction) % XIDS)}
    if target.position:
        place = positions.text(_place(target.position))
        return {"recovery_target_lsn": place, "recovery_target_inclusive": "off"}
    return {}


def _transaction(text: str) -> int:
    if not text.isdecimal():
        raise errors.BadRequest(f"{text!r} is not a transaction of PostgreSQL: give its number, as txid_current() does")
    return int(text)


def _place(text: str) -> int:
    try:
        return positions.parse(text)
    except ValueError as error:
        raise errors.BadRequest(str(error)) from error


def _refuse_outside(target: Target, stretch: Stretch, position: Mapping[str, Any]) -> None:
    """The copy of a volume does not say where it ends, as a base backup does: so its server would not refuse a time
    before it.
    """
    if target.time is not None and target.time < position.get("at", 0):
        raise _too_early(stretch)
    if target.position:
        place = positions.parse(target.position)
        if place < stretch.begin:
            raise _too_early(stretch)
        if place > stretch.end:
            raise errors.Rejected(f"the log ends at {positions.text(stretch.end)}, before {target.position}")


def _refuse_unreached(target: Target, place: int) -> None:
    """A time after the last commit is reached with it: whoever asks knows up to when the log was shipped."""
    if target.transaction:
        raise errors.Rejected(
            f"the transaction {target.transaction} did not end between the backup and {positions.text(place)},"
            " where the log ends"
        )
    if target.position and place < positions.parse(target.position):
        raise errors.Rejected(f"the log ends at {positions.text(place)}, before {target.position}")


def _too_early(stretch: Stretch) -> errors.Rejected:
    return errors.Rejected(
        f"that is before the end of the backup, {positions.text(stretch.begin)}: choose an older backup"
    )
