"""Logs of an instance, over the REST API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from argosy import errors
from argosy.client.session import Session

Document = dict[str, object]
WAIT = 10
"""Seconds that one request waits for text."""
PAUSE = 0.5
"""Seconds between two answers without text."""


class Logs:
    def __init__(self, session: Session, instance_id: str) -> None:
        self._session = session
        self._path = f"/instances/{instance_id}/log"

    def list(self) -> Sequence[Document]:
        found: Sequence[Document] = self._session.get(self._path)["logs"]
        return found

    def change(self, name: str, *doing: str) -> Document:
        """`enable`, `disable`, `publish`, `discard`; the log as it is afterwards."""
        changed: Document = self._session.post(self._path, {"name": name, **dict.fromkeys(doing, 1)})["log"]
        return changed

    def text(self, name: str, *, offset: int = 0) -> Iterator[str]:
        """What there is from the offset on (negative: bytes from the end), piece by piece."""
        while True:
            seen = self._session.get(f"{self._path}/{name}", offset=offset)["log"]
            if seen["text"]:
                yield seen["text"]
            if seen["next"] >= seen["end"] or not seen["text"]:
                return
            offset = seen["next"]

    def follow(self, name: str, *, offset: int) -> Iterator[str]:
        """Likewise, and then whatever comes, for ever."""
        while True:
            try:
                seen = self._session.get(f"{self._path}/{name}", offset=offset, wait=WAIT)["log"]
            except errors.Unavailable:
                time.sleep(PAUSE)  # too many wait already, or the guest is on its way back
                continue
            offset = seen["next"]
            if seen["text"]:
                yield seen["text"]
            else:
                time.sleep(PAUSE)

    def parts(self, name: str) -> Sequence[Document]:
        """What was published, oldest first."""
        found: Sequence[Document] = self._session.get(f"{self._path}/{name}/objects")["objects"]
        return found
