"""From a restored backup on to a moment: the log that was archived is laid together again, and the engine replays it.

In the child of agent/archiver.py, so that whatever the engine starts for it ends with the child.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from argosy import errors
from argosy.agent.stages import Tally
from argosy.agent.uplink import Uplink
from argosy.engines.archiving import PointInTime, Target
from argosy.stores import chunks
from argosy.stores.chunks import Damaged

PAGE = 5_000
"""names that the conductor tells at once"""


def replay(job: Mapping[str, Any], driver: object, uplink: Uplink, tally: Tally) -> dict[str, Any]:
    """Where it ended. Raises Rejected for a target that the log does not have, GuestFailed for a gap."""
    if not isinstance(driver, PointInTime):
        raise errors.NotSupported("this engine cannot be restored to a moment")
    logs = Path.cwd() / "logs"
    logs.mkdir(mode=0o700)
    for file in wanted(_listed(uplink, job["logs"]), job["logs"]["first"], names(uplink, job["logs"]["stream"])):
        file.fetch(uplink, job["logs"], logs, tally)
    ended = driver.replay(logs, job["position"], Target(**(job["logs"]["target"] or {})))
    return {"position": dict(ended.position), "at": ended.at}


class File:
    """One file of the log, as far as the archive has it."""

    def __init__(self, name: str, size: int, pieces: Sequence[str]) -> None:
        self.name, self.size = name, size
        self._pieces = chunks.cover(pieces)

    def fetch(self, uplink: Uplink, log: Mapping[str, Any], into: Path, tally: Tally) -> None:
        """Raises GuestFailed for a gap, Damaged for what is not what it should be."""
        cipher = AESGCM(bytes.fromhex(log["key"]))
        with (into / self.name).open("wb") as out:
            for each in self._pieces:
                with uplink.get(f"{log['stream']}/{each.name}") as source:
                    head, data = self._opened(cipher, source.read())
                self._check(head, log, out)
                out.write(data)
                tally.bytes += len(data)
                tally.throttle.take(len(data))
            if out.tell() < self.size:
                raise errors.GuestFailed(f"{self.name} of the archived log ends at {out.tell()}, not at {self.size}")
            out.truncate(self.size)

    def _opened(self, cipher: AESGCM, chunk: bytes) -> tuple[chunks.Head, bytes]:
        try:
            return chunks.opened(cipher, chunk)
        except Damaged as error:
            raise Damaged(f"{self.name} of the archived log is damaged: {error.message}") from error

    def _check(self, head: chunks.Head, log: Mapping[str, Any], out: BinaryIO) -> None:
        if (head.instance, head.stream, head.file) != (log["instance"], log["stream"], self.name):
            raise Damaged(f"{head.name} is of another log than it should be")
        if head.offset != out.tell():
            raise errors.GuestFailed(f"{self.name} of the archived log has a gap from {out.tell()} to {head.offset}")


def wanted(listed: Iterable[Mapping[str, Any]], first: str, pieces: Iterable[str]) -> list[File]:
    """The files from the first one on, each with the names of its pieces."""
    of: dict[str, list[str]] = defaultdict(list)
    for name in pieces:
        known = chunks.named(name)
        if known is not None:
            of[known.file].append(name)
    return [File(each["name"], each["bytes"], of[each["name"]]) for each in listed if each["name"] >= first]


def names(uplink: Uplink, stream: int) -> Iterable[str]:
    """Of everything that the archive has of the stream."""
    after = ""
    while page := _page(uplink, f"{stream}?after={after}"):
        yield from (each["name"] for each in page)
        if len(page) < PAGE:
            return
        after = page[-1]["name"]


def _listed(uplink: Uplink, log: Mapping[str, Any]) -> list[dict[str, Any]]:
    return _page(uplink, f"{log['stream']}/files/all")


def _page(uplink: Uplink, place: str) -> list[dict[str, Any]]:
    with uplink.get(place) as source:
        found: list[dict[str, Any]] = json.loads(source.read())
        return found
