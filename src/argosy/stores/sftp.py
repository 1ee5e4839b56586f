"""An object store in a directory of another machine, by SFTP: OpenSSH's, or whoever knows its hard links and syncs."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, TypeVar

from argosy import errors
from argosy.stores import pieces
from argosy.stores.base import checked, checked_prefix
from argosy.stores.pieces import PIECE_BYTES, Body, Piece
from argosy.stores.sftp_directory import Directory
from argosy.stores.sftp_requests import Client, Place, Server, together

AT_ONCE = 64
"""deletes that are on their way"""
T = TypeVar("T")


class SftpStore:
    def __init__(self, place: Place, patience: float) -> None:
        self.patience = patience
        self._place = place
        self._there = Directory(place.directory, place.prefix)
        self._servers: dict[int, Server] = {}

    # --- a store ---

    def create(self, key: str) -> AbstractContextManager[BinaryIO]:
        return pieces.create(self, checked(key))

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        return pieces.open_(self, checked(key), start, length)

    def stat(self, key: str) -> int:
        checked(key)
        return self._patiently(key, lambda to: self._there.size(to, key))

    def list(self, prefix: str) -> Iterator[str]:
        return (key for key, _ in self.sizes(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        directory, slash, beginning = checked_prefix(prefix).rpartition("/")
        return self._below(directory + slash, beginning)

    def delete(self, key: str) -> None:
        self._delete([checked(key)])

    def delete_prefix(self, prefix: str) -> None:
        if not prefix:
            raise errors.BadRequest("everything in the store is never deleted at once")
        keys = [*self.list(prefix)]
        for first in range(0, len(keys), AT_ONCE):
            self._delete(keys[first : first + AT_ONCE])

    def room(self) -> tuple[int, int] | None:
        return self._patiently("", self._there.room)

    # --- pieces ---

    def whole(self, key: str, body: bytes) -> None:
        self._call(key, lambda to: self._there.put(to, key, body), writing=True)

    def begin(self, key: str) -> str:
        return self._call(key, lambda to: self._there.begin(to, b""), writing=True)

    def piece(self, key: str, upload: str, number: int, body: bytes) -> str:
        start = (number - 1) * PIECE_BYTES
        self._call(key, lambda to: self._there.add(to, upload, body, start), writing=True)
        return ""

    def finish(self, key: str, upload: str, sent: Sequence[Piece]) -> None:  # noqa: ARG002 - each lies where it belongs
        self._call(key, lambda to: self._there.publish(to, upload, key), writing=True)

    def abandon(self, key: str, upload: str) -> None:
        self._call(key, lambda to: to.remove(upload))

    def fetch(self, key: str, start: int, length: int | None) -> Body:
        return self._call(key, lambda to: self._there.fetch(to, key, start, length))

    # --- requests ---

    def _below(self, prefix: str, beginning: str) -> Iterator[tuple[str, int]]:
        for name, size in self._patiently(prefix, lambda to: self._there.entries(to, prefix, beginning)):
            if name.endswith("/"):
                yield from self._below(prefix + name, "")
            else:
                yield prefix + name, size

    def _delete(self, keys: Sequence[str]) -> None:
        self._patiently(keys[0], lambda to: together(self._there.remove(to, key) for key in keys))

    def _patiently(self, key: str, act: Callable[[Client], Awaitable[T]]) -> T:
        return pieces.patiently(lambda: self._call(key, act), self.patience)[0]

    def _call(self, key: str, act: Callable[[Client], Awaitable[T]], *, writing: bool = False) -> T:
        """Who was forked shares no connections with its parent, and keeps the parent's: forgotten, they would close."""
        server = self._servers.setdefault(os.getpid(), Server(self._place))
        return server.ask(lambda to: self._there.judged(to, key, act, writing=writing))
