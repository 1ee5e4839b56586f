"""Parts of backups and chunks of logs, which guests bring and fetch: the door to the store for who has no key to it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from argosy import errors
from argosy.conductor import grants
from argosy.conductor.chunks import Chunks
from argosy.conductor.credentials import bearer
from argosy.conductor.desk import Desk
from argosy.conductor.grants import Asking
from argosy.conductor.streams import Streams
from argosy.model.backups import FRAME_BYTES, PART_BYTES
from argosy.stores import chunks
from argosy.stores.base import Store
from argosy.stores.deployment import Deferred

LARGEST = PART_BYTES + 2 * FRAME_BYTES
"""of a part"""
LARGEST_LIST = 1_000_000 * 128
"""of all parts"""
PAGE = 5_000
"""chunks of a log told at once"""
BYTES = "application/octet-stream"
RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?")
Named = TypeVar("Named")
Grant = Callable[..., Named]
"""One of `grants`: what the path names, mostly as a key."""


class OutOfRange(errors.Rejected):
    """the object has no such range"""

    status = 416


class Objects:
    def __init__(self, desk: Desk, store: Store) -> None:
        self._desk = desk
        self._store = store
        self._streams = Streams(store)
        self._regions: dict[str, Streams] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/v1/guest/objects/{attempt}/{name}", self.put_part, methods=["PUT"]),
            Route("/v1/guest/objects/{layer:int}/{attempt}/{name}", self.get_part, methods=["GET"]),
            Route("/v1/guest/archive/{stream:int}", self.list_chunks, methods=["GET"]),
            Route("/v1/guest/archive/{stream:int}/{name}", self.get_chunks, methods=["GET"]),
            *Chunks(self._desk, self._store, self._streams).routes(),
        ]

    async def put_part(self, request: Request) -> Response:
        """A part of the backup that the guest is asked for: written once, and only while somebody waits for it."""
        return await self._put(request, grants.part_to_write)

    async def get_part(self, request: Request) -> Response:
        """A part of a backup that the guest is restoring, or a range of it."""
        guest, part = await self._desk.threaded(self._granted, request, grants.part_to_read)
        return await _given(request, guest, self._streams_of(part.region), part.key)

    async def get_chunks(self, request: Request) -> Response:
        """Chunks of the log that the guest is restoring from, one after the other: as guests ship them they are small,
        and many.
        """
        guest, keys = await self._desk.threaded(self._granted, request, grants.chunks_to_read)
        first = chunks.named(keys[0].rpartition("/")[2])
        if len(keys) == 1 and (first is None or first.end is not None):
            return await _given(request, guest, self._streams, keys[0])
        data = await self._streams.whole(guest, keys, chunks.TOGETHER_BYTES)
        wanted = Wanted.of(request, len(data))
        return Response(data[wanted.start : wanted.end], wanted.status, wanted.headers, BYTES)

    async def list_chunks(self, request: Request) -> Response:
        """Names and sizes of the chunks of that log after `?after=`, in order; fewer than a page: that was all."""
        _, prefix = await self._desk.threaded(self._granted, request, grants.stream_to_read)
        after = request.query_params.get("after", "")
        return JSONResponse(await self._streams.threaded(self._chunks, prefix, after))

    async def _put(self, request: Request, grant: Grant[str]) -> Response:
        check = functools.partial(self._granted, request, grant)
        guest, key = await self._desk.threaded(check)
        most = LARGEST_LIST if key.endswith("/parts.json") else LARGEST
        stored = await self._streams.take(guest, key, request, most, check)
        return JSONResponse({"bytes": stored.bytes, "sha256": stored.sha256})

    def _streams_of(self, region: str) -> Streams:
        """Of a region its own: one that is away keeps nobody from this deployment's store."""
        if not region:
            return self._streams
        if region not in self._regions:
            self._regions[region] = Streams(Deferred(self._desk.settings, region))
        return self._regions[region]

    def _granted(self, request: Request, grant: Grant[Named]) -> tuple[str, Named]:
        """The guest that asks, and the key or prefix that is meant. Raises Unauthorized, Forbidden."""
        known = self._desk.recognise(bearer(request.headers))
        asking = Asking(known, request.query_params.get("command", ""))
        with self._desk.database.read() as session:
            return known.id, grant(session, asking, **request.path_params)

    def _chunks(self, prefix: str, after: str) -> list[dict[str, object]]:
        told: list[dict[str, object]] = []
        for key, size in self._store.sizes(prefix):
            if key > prefix + after:
                told.append({"name": key.removeprefix(prefix), "bytes": size})
            if len(told) == PAGE:
                break
        return told


async def _given(request: Request, guest: str, streams: Streams, key: str) -> Response:
    wanted = Wanted.of(request, await streams.size(key))
    body = streams.give(guest, key, wanted.start, wanted.end - wanted.start)
    return StreamingResponse(body, wanted.status, wanted.headers, BYTES)


@dataclass(frozen=True)
class Wanted:
    """What a request wants of an object."""

    start: int
    end: int
    status: int
    headers: Mapping[str, str]

    @classmethod
    def of(cls, request: Request, size: int) -> Wanted:
        """Raises OutOfRange."""
        asked = request.headers.get("range")
        start, end = _range(asked, size)
        headers = {"Content-Length": str(end - start), "Accept-Ranges": "bytes"}
        if asked is None:
            return cls(start, end, 200, headers)
        return cls(start, end, 206, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"})


def _range(asked: str | None, size: int) -> tuple[int, int]:
    """First byte and the one after the last. Raises OutOfRange for what is not one range within the object."""
    if asked is None:
        return 0, size
    found = RANGE.fullmatch(asked)
    if found is None or int(found[1]) >= size:
        raise OutOfRange(f"the object has {size} bytes")
    end = min(int(found[2]) + 1, size) if found[2] else size
    if end <= int(found[1]):
        raise OutOfRange("the range ends before it begins")
    return int(found[1]), end
