"""What is done in the directory of a store by SFTP. Files are written unseen and durably, and published whole."""

from __future__ import annotations

import posixpath
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from asyncssh import (
    SFTPAttrs,
    SFTPError,
    SFTPFailure,
    SFTPNoSuchFile,
    SFTPOpUnsupported,
    SFTPPermissionDenied,
)
from asyncssh.constants import FILEXFER_TYPE_DIRECTORY, FILEXFER_TYPE_REGULAR

from argosy import clock, errors
from argosy.stores.base import KEY, NoSuchObject, StoreFull, StoreRefused, StoreUnreachable
from argosy.stores.disk import ABANDONED_SECONDS
from argosy.stores.filesystem import UNFINISHED
from argosy.stores.pieces import Body
from argosy.stores.sftp_requests import ANSWERS, Client, Stream, write

SWEEP_SECONDS = 3600.0
READ_ONLY = 1
"""among the flags of a file system"""
SINGLE = 0
"""Each call reads or writes by one request."""
REFUSED = (SFTPNoSuchFile, SFTPFailure, SFTPPermissionDenied)
T = TypeVar("T")


class Directory:
    def __init__(self, home: str, prefix: str) -> None:
        """`home` must be there: nothing is written where a mount belongs."""
        self._home, self._root = home, posixpath.join(home, prefix)
        self._unfinished = posixpath.join(home, UNFINISHED)
        self._swept = -SWEEP_SECONDS

    async def judged(self, to: Client, key: str, act: Callable[[Client], Awaitable[T]], *, writing: bool) -> T:
        """What comes of it. Raises Store's errors."""
        try:
            return await act(to)
        except SFTPNoSuchFile as error:
            await self._require(to)
            raise NoSuchObject(f"{key} is not in the store") from error
        except SFTPFailure as error:
            raise await self._failure(to, error, writing=writing) from error

    async def put(self, to: Client, key: str, body: bytes) -> None:
        await self.publish(to, await self.begin(to, body), key)

    async def begin(self, to: Client, body: bytes) -> str:
        """A new file that nobody looks at."""
        path = posixpath.join(self._unfinished, secrets.token_hex(16))
        with suppress(SFTPNoSuchFile):
            await to.link(path, path)  # nothing is there yet: this asks whether there are hard links at all
        try:
            await self._new(to, path, body)
        except SFTPNoSuchFile:
            await self._make(to, self._unfinished)
            await self._new(to, path, body)
        await self._sweep(to)
        return path

    async def add(self, to: Client, unfinished: str, body: bytes, start: int) -> None:
        async with to.open(unfinished, "r+b", block_size=SINGLE) as file:
            await write(to, file, body, start)
            await file.fsync()

    async def publish(self, to: Client, unfinished: str, key: str) -> None:
        """Durable, then visible, whole. Raises Conflict when something has that name; what is unfinished is gone."""
        try:
            await self._link(to, unfinished, key)
        except ANSWERS:
            await _drop(to, unfinished)
            raise
        await _sync(to, posixpath.dirname(self._path(key)))
        await _drop(to, unfinished)

    async def fetch(self, to: Client, key: str, start: int, length: int | None) -> Body:
        size = await self.size(to, key)
        end = size if length is None else min(size, start + length)
        file = await to.open(self._path(key), "rb", block_size=SINGLE)
        return Body(max(end - start, 0), Stream(to, file, start, end))

    async def size(self, to: Client, key: str) -> int:
        told = await to.stat(self._path(key))
        if told.type != FILEXFER_TYPE_REGULAR:
            raise NoSuchObject(f"{key} is not in the store")
        return told.size or 0

    async def entries(self, to: Client, prefix: str, beginning: str) -> Sequence[tuple[str, int]]:
        """With a slash after directories: that is how they compare within a key."""
        try:
            found = [(str(each.filename), each.attrs) async for each in to.scandir(self._path(prefix))]
        except SFTPNoSuchFile:
            await self._require(to)
            return []
        named = [(name, told) for name, told in found if KEY.fullmatch(name) and name.startswith(beginning)]
        files = [(name, told.size or 0) for name, told in named if told.type == FILEXFER_TYPE_REGULAR]
        return sorted(files + [(f"{name}/", 0) for name, told in named if told.type == FILEXFER_TYPE_DIRECTORY])

    async def remove(self, to: Client, key: str) -> None:
        """And the directories that it leaves empty."""
        try:
            await to.remove(self._path(key))
        except SFTPNoSuchFile:
            await self._require(to)
        except SFTPFailure:
            if not await to.isdir(self._path(key)):
                raise
        with suppress(SFTPFailure, SFTPPermissionDenied):  # not empty: other objects live there
            while key := posixpath.dirname(key):
                with suppress(SFTPNoSuchFile):
                    await to.rmdir(self._path(key))

    async def room(self, to: Client) -> tuple[int, int] | None:
        try:
            told = await to.statvfs(self._home)
        except SFTPOpUnsupported:
            return None
        used = (told.blocks - told.bfree) * told.frsize
        return used, used + told.bavail * told.frsize

    def _path(self, key: str) -> str:
        return posixpath.join(self._root, key)

    async def _require(self, to: Client) -> None:
        if not await to.isdir(self._home):
            raise StoreUnreachable(f"the directory {self._home} is not there: is it mounted?")

    async def _failure(self, to: Client, error: SFTPFailure, *, writing: bool) -> Exception:
        """Who must act. The protocol has one word for a full disk, a quota, a damaged disk and more."""
        with suppress(SFTPError):
            if (await to.statvfs(self._home)).flags & READ_ONLY:
                return StoreRefused("the object store can only be read: its file system is mounted so")
        if writing:
            return StoreFull(f"the object store takes no more: make room, or raise its quota ({error})")
        return StoreUnreachable(f"the object store cannot answer just now: {error}")

    async def _new(self, to: Client, path: str, body: bytes) -> None:
        async with to.open(path, "xb", SFTPAttrs(permissions=0o600), block_size=SINGLE) as file:
            try:
                await write(to, file, body, 0)
                await file.fsync()
            except ANSWERS:
                await _drop(to, path)
                raise

    async def _link(self, to: Client, unfinished: str, key: str) -> None:
        """A hard link appears at once and refuses to replace."""
        while True:
            try:
                return await to.link(unfinished, self._path(key))
            except SFTPFailure as error:
                if await to.exists(self._path(key)):
                    raise errors.Conflict(f"{key} is in the store already: objects are written once") from error
                raise
            except SFTPNoSuchFile as error:
                await self._require(to)
                if not await to.exists(unfinished):
                    raise errors.Conflict(f"writing {key} was ended: by an earlier try, or somebody else") from error
            await self._make(to, posixpath.dirname(self._path(key)))

    async def _make(self, to: Client, directory: str) -> None:
        """With its parents, each of them durable."""
        await self._require(to)
        await to.makedirs(directory, SFTPAttrs(permissions=0o700), exist_ok=True)
        while directory != self._home:
            directory = posixpath.dirname(directory)
            await _sync(to, directory)

    async def _sweep(self, to: Client) -> None:
        """By the server's own clock: what was written just now tells it."""
        if clock.monotonic() < self._swept + SWEEP_SECONDS:
            return
        self._swept = clock.monotonic()
        found = [each async for each in to.scandir(self._unfinished) if each.attrs.type == FILEXFER_TYPE_REGULAR]
        newest = max((each.attrs.mtime or 0 for each in found), default=0)
        for each in found:
            if (each.attrs.mtime or 0) < newest - ABANDONED_SECONDS:
                await _drop(to, posixpath.join(self._unfinished, str(each.filename)))


async def _drop(to: Client, unfinished: str) -> None:
    """What cannot be removed just now goes in time."""
    with suppress(SFTPError):
        await to.remove(unfinished)


async def _sync(to: Client, directory: str) -> None:
    """Keeps the names in it after a power cut, where the server opens directories, as OpenSSH's does."""
    try:
        names = await to.open(directory, "rb")
    except REFUSED:
        return
    async with names:
        await names.fsync()
