"""Bytes between a guest and the store: never a whole object in memory, never a wait in the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, ParamSpec, TypeVar

from starlette.requests import ClientDisconnect, Request

from argosy import errors
from argosy.conductor import arrivals
from argosy.stores.base import Store

BLOCK = 1 << 20
"""Bytes held of one object on its way to the store."""
PIECE = 256 << 10
"""Likewise on its way to a guest: of a MiB each is memory new from the system, and gone from the processor's caches
before it is sealed. A restore of 2 GB to PostgreSQL took 4.6 s by these, and 5.1 by pieces of a MiB.
"""
THREADS = 8
"""that wait for the store"""
AT_ONCE = 16
"""transfers under way: a store over the network holds a part of each in memory"""
EACH_AT_ONCE = 4
"""of them by one guest"""
BLOCK_SECONDS = 60.0
"""A guest that has not sent a block in so long is gone."""
TRANSFER_SECONDS = 900.0
"""for one object"""
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Stored:
    bytes: int
    sha256: str


class Streams:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store")
        self._lanes = asyncio.Semaphore(AT_ONCE)
        self._busy: Counter[str] = Counter()

    async def threaded(self, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Beside the event loop, and to its end: who is cancelled meanwhile must not tidy up under its hands."""
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._threads, functools.partial(work, *arguments, **named))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait([working])
            raise

    async def take(self, guest: str, key: str, request: Request, most: int, check: Callable[[], object]) -> Stored:
        """The request's body as an object, whole or not at all. The same bytes again are welcome; Conflict for others.

        `check` is asked again when all has come, in a thread: what nobody wants any more does not become visible.
        """
        with self._lane(guest):
            try:
                async with self._lanes, asyncio.timeout(TRANSFER_SECONDS):
                    return await self._written(key, request, most, check)
            except ClientDisconnect as error:
                raise errors.BadRequest("the body ended before its end") from error
            except TimeoutError as error:
                raise errors.Unavailable("the body came too slowly") from error

    async def small(self, guest: str, request: Request, most: int) -> bytes:
        """The request's body, where all of it is looked at before it is stored."""
        with self._lane(guest):
            try:
                async with self._lanes, asyncio.timeout(BLOCK_SECONDS):
                    return b"".join([piece async for pieces in _blocks(request, most) for piece in pieces])
            except ClientDisconnect as error:
                raise errors.BadRequest("the body ended before its end") from error
            except TimeoutError as error:
                raise errors.Unavailable("the body came too slowly") from error

    async def size(self, key: str) -> int:
        """Bytes of an object. Raises NoSuchObject."""
        return await self.threaded(self._store.stat, key)

    async def whole(self, guest: str, keys: Sequence[str], most: int) -> bytes:
        """Objects that are small, one after the other. Raises NoSuchObject, TooLarge for more than so many bytes."""
        with self._lane(guest):
            async with self._lanes:
                return await self.threaded(self._read, keys, most)

    def _read(self, keys: Sequence[str], most: int) -> bytes:
        read = bytearray()
        for key in keys:
            with self._store.open(key, 0, most - len(read) + 1) as source:
                read += source.read()
            if len(read) > most:
                raise errors.TooLarge(f"at most {most} bytes are given at once")
        return bytes(read)

    async def give(self, guest: str, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """So many bytes of an object, from an offset."""
        with self._lane(guest):
            async with self._lanes:
                source = await self.threaded(self._store.open, key, start, length)
                try:
                    while piece := await self.threaded(source.read, PIECE):
                        yield piece
                finally:
                    source.close()

    async def _written(self, key: str, request: Request, most: int, check: Callable[[], object]) -> Stored:
        digest, size = hashlib.sha256(), 0
        try:
            async with self._creating(key) as out:
                async for pieces in _blocks(request, most):
                    size += await self.threaded(_keep, out, digest.update, pieces)
                await self.threaded(check)
        except errors.Conflict:
            if await self.threaded(self._digest, key) != digest.hexdigest():
                raise
        return Stored(size, digest.hexdigest())

    @contextlib.asynccontextmanager
    async def _creating(self, key: str) -> AsyncIterator[BinaryIO]:
        creating = self._store.create(key)
        out = await self.threaded(creating.__enter__)
        try:
            yield out
        except BaseException as error:
            await self.threaded(creating.__exit__, type(error), error, error.__traceback__)
            raise
        await self.threaded(creating.__exit__, None, None, None)

    def _digest(self, key: str) -> str:
        with self._store.open(key) as there:
            return hashlib.file_digest(there, "sha256").hexdigest()  # type: ignore[arg-type]  # any with readinto

    @contextlib.contextmanager
    def _lane(self, guest: str) -> Iterator[None]:
        """Raises Unavailable for a guest that has so many already."""
        if self._busy[guest] >= EACH_AT_ONCE:
            raise errors.Unavailable(f"a guest transfers at most {EACH_AT_ONCE} objects at once")
        self._busy[guest] += 1
        try:
            yield
        finally:
            self._busy[guest] -= 1
            self._busy += Counter()  # forgets those at zero


async def _blocks(request: Request, most: int) -> AsyncIterator[list[bytes]]:
    """The body, in pieces as they come, a block of them at a time. Raises TooLarge, BadRequest, TimeoutError."""
    arriving, size = aiter(request.stream()), 0
    _require_size(int(request.headers.get("content-length", "1")), most)
    arrivals.widen(request)
    while True:
        async with asyncio.timeout(BLOCK_SECONDS):
            pieces = await _block(arriving)
        size += sum(map(len, pieces))
        _require_size(size, most)
        if not pieces:
            return
        yield pieces


async def _block(arriving: AsyncIterator[bytes]) -> list[bytes]:
    pieces, left = [], BLOCK
    while left > 0 and (piece := await anext(arriving, None)) is not None:
        pieces.append(piece)
        left -= len(piece)
    return pieces


def _require_size(size: int, most: int) -> None:
    if size > most:
        raise errors.TooLarge(f"an object has at most {most} bytes")
    if not size:
        raise errors.BadRequest("an object is not empty")


def _keep(out: BinaryIO, digest: Callable[[bytes], object], pieces: list[bytes]) -> int:
    for each in pieces:
        out.write(each)
        digest(each)
    return sum(map(len, pieces))
