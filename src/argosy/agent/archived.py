"""The archived log of an instance, file by file: from the conductor's door, or out of the store itself."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from argosy import errors
from argosy.agent.stages import Tally
from argosy.stores import chunks
from argosy.stores.chunks import Damaged, Head, Named

PAGE = 5_000
"""names that the conductor tells at once"""
LOOKS = 3
"""How often a file is begun anew whose chunks were put together while it was read."""
Sizes = Mapping[str, int]
"""bytes of each chunk of a file, by its name"""


class Source(Protocol):
    """Where the archived log is."""

    def get(self, place: str) -> BinaryIO:
        """`<stream>/files/all`, `<stream>?after=<name>`, or `<stream>/<name>,<name>…`: chunks of it, one after the
        other. Raises NotFound.
        """


class Listing:
    """Which chunks there are: asked for once by all who fetch, and again when one of them is not there any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Mapping[str, Sizes] | None = None

    def of(self, file: str, ask: Callable[[], Mapping[str, Sizes]]) -> Sizes:
        with self._lock:
            if self._found is None:
                self._found = ask()
            return self._found.get(file, {})

    def forget(self) -> None:
        self._found = None


class Log:
    """The stream of archived log that the command names. For one thread at a time."""

    def __init__(self, source: Source, told: Mapping[str, Any], tally: Tally, listing: Listing | None = None) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 9 MB, which a backup does without

        self._source, self._told, self._tally = source, told, tally
        self._cipher = AESGCM(bytes.fromhex(told["key"]))
        self._listing = listing or Listing()

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
                self._listing.forget()
        return self._fetch(name, size, into)

    def _fetch(self, name: str, size: int, into: Path) -> None:
        sizes = self._listing.of(name, self._look)
        with into.open("wb") as out:
            for each in chunks.together(chunks.cover(sizes), sizes):
                self._lay(name, [sizes[one.name] for one in each], self._read(each), out)
            if out.tell() < size:
                raise errors.GuestFailed(f"{name} of the archived log ends at {out.tell()}, not at {size}")
            out.truncate(size)

    def _read(self, wanted: Sequence[Named]) -> bytes:
        with self._source.get(f"{self._told['stream']}/{','.join(each.name for each in wanted)}") as source:
            return source.read()

    def _lay(self, file: str, sizes: Sequence[int], read: bytes, out: BinaryIO) -> None:
        """The log in chunks of these sizes."""
        reached = 0
        for size in sizes:
            head, data = self._opened(file, read[reached : reached + size])
            self._check(head, file, out.tell())
            self._tally.add(len(data))
            out.write(data)
            reached += size

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

    def _look(self) -> Mapping[str, Sizes]:
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for name, size in self._listed():
            known = chunks.named(name)
            if known is not None:
                found[known.file][name] = size
        return found

    def _listed(self) -> Iterator[tuple[str, int]]:
        after = ""
        while page := self._page(f"{self._told['stream']}?after={after}"):
            yield from ((each["name"], each["bytes"]) for each in page)
            if len(page) < PAGE:
                return
            after = page[-1]["name"]

    def _page(self, place: str) -> list[dict[str, Any]]:
        with self._source.get(place) as source:
            found: list[dict[str, Any]] = json.loads(source.read())
            return found
