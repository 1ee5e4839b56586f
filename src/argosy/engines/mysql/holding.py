"""Holds a server still while its volume is copied: nobody commits, and the lock ends with the session that has it."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from argosy import errors
from argosy.engines.administration import translated
from argosy.engines.mysql import wire

NO_SUCH_STATEMENT = 1064
STAGES = ("START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT")
LOCK = "FLUSH TABLES WITH READ LOCK"
DURABLE = "FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS"
"""with a binary log, commits are left to be found in it after a crash: the copy is to be whole without it"""

CHECKPOINT = "innodb_log_checkpoint_now"
UNKNOWN_VARIABLE = 1193
REST_SECONDS, REST_BYTES = 0.2, 32 << 10
"""Who writes no more log than that in this time rests."""

Held = Callable[[wire.Connection], dict[str, Any]]


@contextmanager
def held(connect: Callable[[float], wire.Connection], seconds: float, tell: Held) -> Iterator[dict[str, Any]]:
    """What is told once nobody commits any more. The session lasts no longer than `seconds` by its own clock, and no
    longer idle by the server's.
    """
    with contextlib.ExitStack() as stack:
        with translated("MariaDB", wire.ServerError, wire.comes_or_goes):
            session = stack.enter_context(connect(seconds))
            limit = max(1, math.ceil(seconds))
            session.query(f"SET SESSION wait_timeout = {limit}, lock_wait_timeout = {limit}")
            release = hold(session)
            session.query(DURABLE)
            told = tell(session)
        yield told
        try:
            session.query(release)
        except (OSError, wire.ServerError) as error:
            raise errors.GuestFailed(f"MariaDB was not held still to the end: {error}") from error


def hold(session: wire.Connection) -> str:
    """The statement that lets go again."""
    try:
        for stage in STAGES:
            session.query(f"BACKUP STAGE {stage}")
    except wire.ServerError as error:
        if error.code != NO_SUCH_STATEMENT:
            raise
        return lock(session)
    return "BACKUP STAGE END"


def lock(session: wire.Connection) -> str:
    """For servers without stages: waits for every statement that runs, and whoever comes later waits behind it."""
    session.query(LOCK)
    return "UNLOCK TABLES"


def write_down(session: wire.Connection, switch: str = CHECKPOINT) -> bool:
    """Have what the server has in memory written to its files, so that whoever starts from a copy has little log to go
    through. False where this release cannot be told to, or somebody writes just now.

    The server ends this at a moment in which nothing is written, and lets nobody end it before: under one client who
    never rested it took 5 to 109 s, in which he came to half as much as else (measured, 10.11.19).
    """
    before = written(session)
    time.sleep(REST_SECONDS)
    if written(session) - before > REST_BYTES:
        return False
    try:
        session.query(f"SET GLOBAL {switch} = ON")
    except wire.ServerError as error:
        if error.code != UNKNOWN_VARIABLE:
            raise
        return False
    return True


def written(session: wire.Connection) -> int:
    """InnoDB's LSN: bytes of its log, ever."""
    [(_, reached)] = session.query("SHOW GLOBAL STATUS LIKE 'Innodb_lsn_current'")
    return int(reached or 0)
