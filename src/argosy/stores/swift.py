"""An object store that is OpenStack's Swift, by python-swiftclient: Keystone, or Swift's own TempAuth."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, BinaryIO, TypeVar

from argosy import errors
from argosy.stores import pieces
from argosy.stores.base import (
    KEY,
    NoSuchObject,
    StoreRefused,
    checked,
    checked_prefix,
)
from argosy.stores.pieces import Body, Piece
from argosy.stores.swift_requests import Beyond, Place, Stream, connected, translated

PIECES = ".pieces/"
"""What large objects consist of: beside the keys, which never begin with a dot."""
T = TypeVar("T")


class SwiftStore:
    page = 10_000
    """keys told at once"""

    def __init__(self, place: Place, patience: float) -> None:
        self.patience = patience
        self._place = place
        self._idle: queue.LifoQueue[tuple[int, Any]] = queue.LifoQueue()

    # --- a store ---

    def create(self, key: str) -> AbstractContextManager[BinaryIO]:
        return pieces.create(self, checked(key))

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        return pieces.open_(self, checked(key), start, length)

    def stat(self, key: str) -> int:
        name = self._name(checked(key))
        told = self._patiently(key, lambda to: to.head_object(self._place.container, name))
        return int(told["content-length"])

    def list(self, prefix: str) -> Iterator[str]:
        return (key for key, _ in self.sizes(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        for name, size in self._names(self._name(checked_prefix(prefix))):
            key = name.removeprefix(self._place.prefix)
            if KEY.fullmatch(key):
                yield key, size

    def delete(self, key: str) -> None:
        """The object first, then the pieces that it may consist of: it is never there by half."""
        self._delete(self._name(checked(key)))
        self._delete_pieces(f"{key}/.")

    def delete_prefix(self, prefix: str) -> None:
        if not prefix:
            raise errors.BadRequest("everything in the store is never deleted at once")
        for key in list(self.list(prefix)):
            self._delete(self._name(key))
        self._delete_pieces(prefix)

    def room(self) -> None:
        return None

    # --- pieces ---

    def whole(self, key: str, body: bytes) -> None:
        self._put(key, self._name(key), body, {"If-None-Match": "*"})

    def begin(self, key: str) -> str:
        """No part of a key begins with a dot: so these are its own pieces, not those of what lies below it."""
        return f"{key}/.{secrets.token_hex(8)}"

    def piece(self, key: str, upload: str, number: int, body: bytes) -> str:
        return self._put(key, self._piece(upload, number), body, {})

    def finish(self, key: str, upload: str, sent: Sequence[Piece]) -> None:
        segments = [
            {
                "path": f"/{self._place.container}/{self._piece(upload, each.number)}",
                "etag": each.tag,
                "size_bytes": each.bytes,
            }
            for each in sent
        ]
        body, query = json.dumps(segments).encode(), "multipart-manifest=put"
        self._put(key, self._name(key), body, {"If-None-Match": "*"}, query)

    def abandon(self, key: str, upload: str) -> None:  # noqa: ARG002 - S3 wants the key
        self._delete_pieces(upload)

    def fetch(self, key: str, start: int, length: int | None) -> Body:
        if length == 0:
            self.stat(key)
            return pieces.NOTHING
        asked = {"Range": f"bytes={start}-{'' if length is None else start + length - 1}"} if start or length else {}
        connection = self._kept() or connected(self._place)
        try:
            with translated(key):
                told, body = connection.get_object(
                    self._place.container, self._name(key), resp_chunk_size=1, headers=asked
                )
        except Beyond:
            return pieces.NOTHING
        return Body(int(told["content-length"]), Stream(body, connection, self._idle))

    # --- requests ---

    def _name(self, key: str) -> str:
        return self._place.prefix + key

    def _piece(self, upload: str, number: int) -> str:
        return f"{self._place.prefix}{PIECES}{upload}/{number:04d}"

    def _put(self, key: str, name: str, body: bytes, headers: dict[str, str], query: str | None = None) -> str:
        """Its tag. The container is made with its first object."""

        def put(to: Any) -> Any:
            # A manifest's own MD5 is not its ETag.
            etag = None if query else hashlib.md5(body, usedforsecurity=False).hexdigest()
            return to.put_object(
                self._place.container, name, body, len(body), etag, headers=headers, query_string=query
            )

        try:
            return str(self._call(key, put))
        except NoSuchObject:
            self._call(key, lambda to: to.put_container(self._place.container))
            return str(self._call(key, put))

    def _names(self, prefix: str) -> Iterator[tuple[str, int]]:
        marker = ""
        while page := self._page(prefix, marker):
            yield from ((each["name"], each["bytes"]) for each in page)
            marker = page[-1]["name"]

    def _page(self, prefix: str, marker: str) -> Any:
        told = {"prefix": prefix, "marker": marker, "limit": self.page}
        try:
            return self._patiently(prefix, lambda to: to.get_container(self._place.container, **told)[1])
        except NoSuchObject:
            return []  # no container: nothing was ever stored

    def _delete(self, name: str) -> None:
        with suppress(NoSuchObject):
            self._patiently(name, lambda to: to.delete_object(self._place.container, name))

    def _delete_pieces(self, prefix: str) -> None:
        for name, _ in list(self._names(self._name(PIECES + prefix))):
            self._delete(name)

    def _patiently(self, key: str, act: Callable[[Any], T]) -> T:
        return pieces.patiently(lambda: self._call(key, act), self.patience)[0]

    def _call(self, key: str, act: Callable[[Any], T]) -> T:
        """Once more on a connection of its own where one that was kept is refused: its token may have ended, and the
        client, which takes another by itself, does not send a body again with it.
        """
        kept = self._kept()
        try:
            return self._asked(key, act, kept or connected(self._place))
        except StoreRefused:
            if kept is None:
                raise
        return self._asked(key, act, connected(self._place))

    def _asked(self, key: str, act: Callable[[Any], T], connection: Any) -> T:
        with translated(key):
            told = act(connection)
        self._idle.put((os.getpid(), connection))
        return told

    def _kept(self) -> Any:
        """A connection that nobody uses. Who was forked shares none with its parent."""
        while not self._idle.empty():
            with suppress(queue.Empty):
                process, connection = self._idle.get_nowait()
                if process == os.getpid():
                    return connection
        return None
