"""From a restored backup on to a moment: the log that was archived is laid together again, and the engine replays it.

In the child of agent/archiver.py, so that whatever the engine starts for it ends with the child.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.agent.archived import Listing, Log, Source
from argosy.agent.stages import Stage, Tally
from argosy.engines.archiving import Logs, PointInTime, Target

TICK = 60.0
"""seconds between two signs of life of an engine that replays"""


def replay(job: Mapping[str, Any], driver: object, sources: Sequence[Source], tally: Tally) -> dict[str, Any]:
    """Where it ended. Raises Rejected for a target that the log does not have, GuestFailed for a gap.

    Each of the sources is used by one thread, while the engine may replay already what has come.
    """
    if not isinstance(driver, PointInTime):
        raise errors.NotSupported("this engine cannot be restored to a moment")
    place = Path.cwd() / "logs"
    place.mkdir(mode=0o700)
    listing = Listing()
    arrival = Arrival([Log(source, job["logs"], tally, listing) for source in sources], place)
    with closing(arrival), _going_on(tally):
        logs = Logs(place, arrival.sizes, arrival)
        ended = driver.replay(logs, job["position"], Target(**(job["logs"]["target"] or {})))
    return {"position": dict(ended.position), "at": ended.at}


class Arrival:
    """Brings every file that is needed, in the order of history, several at a time: who fetches one waits for the
    store most of the while.
    """

    def __init__(self, lines: Sequence[Log], into: Path) -> None:
        self.sizes = dict(lines[0].files())
        self._lines, self._into = lines, into
        self._left = deque[tuple[str, int]]()
        self._stages: Sequence[Stage] = ()

    def begin(self, first: str) -> None:
        """From that one on. Asked again it changes nothing."""
        if not self._stages:
            self._left.extend(each for each in self.sizes.items() if each[0] >= first)
            self._stages = [Stage(partial(self._bring, line)) for line in self._lines]

    def check(self) -> None:
        """Raises what has kept a file from coming."""
        for each in self._stages:
            if each.error is not None:
                raise each.error

    def wait(self) -> None:
        """Until all have come. Raises likewise."""
        for each in self._stages:
            each.check()

    def close(self) -> None:
        """Begin no other file."""
        self._left.clear()

    def _bring(self, line: Log) -> None:
        try:
            while (one := self._next()) is not None:
                self._bring_one(line, *one)
        except Exception:
            self.close()
            raise

    def _next(self) -> tuple[str, int] | None:
        with suppress(IndexError):
            return self._left.popleft()
        return None

    def _bring_one(self, line: Log, name: str, size: int) -> None:
        coming = self._into / f".{name}"
        line.fetch(name, size, coming)
        coming.rename(self._into / name)


@contextmanager
def _going_on(tally: Tally) -> Iterator[None]:
    """The engine says nothing while it replays, for hours where there is much: that is not taken for standing still."""
    over = threading.Event()

    def count() -> None:
        while not over.wait(TICK):
            tally.bytes += 1

    threading.Thread(target=count, daemon=True).start()
    try:
        yield
    finally:
        over.set()
