"""From a restored backup on to a moment: the log that was archived is laid together again, and the engine replays it.

In the child of agent/archiver.py, so that whatever the engine starts for it ends with the child.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from argosy import errors
from argosy.agent.stages import Stage, Tally
from argosy.engines.archiving import Logs, PointInTime, Target
from argosy.stores import chunks
from argosy.stores.chunks import Damaged, Head, Named

PAGE = 5_000
"""names that the conductor tells at once"""
TICK = 60.0
"""seconds between two signs of life of an engine that replays"""
LOOKS = 3
"""How often a file is begun anew whose chunks were put together while it was read."""


class Source(Protocol):
    """Where the archived log is."""

    def get(self, place: str) -> BinaryIO:
        """`<stream>/files/all`, `<stream>?after=<name>`, or a chunk of it by its name. Raises NotFound."""


def replay(job: Mapping[str, Any], driver: object, sources: Sequence[Source], tally: Tally) -> dict[str, Any]:
    """Where it ended. Raises Rejected for a target that the log does not have, GuestFailed for a gap.

    Each of the sources is used by one thread, while the engine may replay already what has come.
    """
    if not isinstance(driver, PointInTime):
        raise errors.NotSupported("this engine cannot be restored to a moment")
    place = Path.cwd() / "logs"
    place.mkdir(mode=0o700)
    arrival = Arrival([Log(source, job["logs"], tally) for source in sources], place)
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


class Log:
    """The stream of archived log that the command names."""

    def __init__(self, source: Source, told: Mapping[str, Any], tally: Tally) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 9 MB, which a backup does without

        self._source, self._told, self._tally = source, told, tally
        self._cipher = AESGCM(bytes.fromhex(told["key"]))
        self._names: Mapping[str, Sequence[str]] | None = None

    def files(self) -> Sequence[tuple[str, int]]:
        """Names and sizes of those that are needed, in the order of history."""
        listed = self._page(f"{self._told['stream']}/files/all")
        return [(each["name"], each["bytes"]) for each in listed if each["name"] >= self._told["first"]]

    def fetch(self, name: str, size: int, into: Path) -> None:
        """Raises GuestFailed for a gap, Damaged for what is not what it should be."""
        for _ in range(LOOKS - 1):
            try:
                return self._fetch(name, size, into)
            except errors.NotFound:
                self._names = None
        return self._fetch(name, size, into)

    def _fetch(self, name: str, size: int, into: Path) -> None:
        if self._names is None:
            self._names = self._look()
        with into.open("wb") as out:
            for each in chunks.cover(self._names.get(name, ())):
                out.write(self._chunk(name, each, out))
            if out.tell() < size:
                raise errors.GuestFailed(f"{name} of the archived log ends at {out.tell()}, not at {size}")
            out.truncate(size)

    def _chunk(self, file: str, named: Named, out: BinaryIO) -> bytes:
        with self._source.get(f"{self._told['stream']}/{named.name}") as source:
            head, data = self._opened(file, source.read())
        self._check(head, file, out.tell())
        self._tally.add(len(data))
        return data

    def _opened(self, file: str, chunk: bytes) -> tuple[Head, bytes]:
        """Named, because what stands in a damaged chunk may be any name."""
        try:
            return chunks.opened(self._cipher, chunk)
        except Damaged as error:
            raise Damaged(f"{file} of the archived log is damaged: {error.message}") from error

    def _check(self, head: Head, file: str, reached: int) -> None:
        if (head.instance, head.stream, head.file) != (self._told["instance"], self._told["stream"], file):
            raise Damaged(f"{head.name} is of another log than it should be")
        if head.offset != reached:
            raise errors.GuestFailed(f"{file} of the archived log has a gap from {reached} to {head.offset}")

    def _look(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name in self._listed():
            known = chunks.named(name)
            if known is not None:
                found[known.file].append(name)
        return found

    def _listed(self) -> Iterator[str]:
        after = ""
        while page := self._page(f"{self._told['stream']}?after={after}"):
            yield from (each["name"] for each in page)
            if len(page) < PAGE:
                return
            after = page[-1]["name"]

    def _page(self, place: str) -> list[dict[str, Any]]:
        with self._source.get(place) as source:
            found: list[dict[str, Any]] = json.loads(source.read())
            return found
