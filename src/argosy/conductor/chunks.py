"""Chunks of guests' logs as they come: into the store, written once, and noted, so that the next one has its place.

The answer is how far the file is in the store. A guest whose chunk does not begin there goes on from there, whatever
became of the answer before, of its own memory or of this process.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from argosy import clock, errors
from argosy.conductor import grants
from argosy.conductor.credentials import bearer
from argosy.conductor.desk import Desk
from argosy.conductor.grants import Asking
from argosy.conductor.streams import Streams
from argosy.db.tables import ArchiveFile, ArchiveStream
from argosy.stores import chunks
from argosy.stores.base import Store
from argosy.stores.chunks import CHUNK_BYTES, LARGEST, Head


class Chunks:
    def __init__(self, desk: Desk, store: Store, streams: Streams) -> None:
        self._desk = desk
        self._store = store
        self._streams = streams

    def routes(self) -> list[Route]:
        return [
            Route("/v1/guest/archive/{stream:int}/{name}", self.put, methods=["PUT"]),
            Route("/v1/guest/archive/{stream:int}/files/all", self.files, methods=["GET"]),
        ]

    async def put(self, request: Request) -> Response:
        asking = Asking(await self._desk.threaded(self._desk.recognise, bearer(request.headers)))
        body = await self._streams.small(asking.known.id, request, LARGEST)
        stream, name = int(request.path_params["stream"]), str(request.path_params["name"])
        return JSONResponse({"end": await self._streams.threaded(self._keep, asking, stream, name, body)})

    async def files(self, request: Request) -> Response:
        """Names and sizes of all files of the log that the guest is restoring from, in the order of history."""
        known = await self._desk.threaded(self._desk.recognise, bearer(request.headers))
        asking = Asking(known, request.query_params.get("command", ""))
        return JSONResponse(await self._streams.threaded(self._files, asking, int(request.path_params["stream"])))

    def _files(self, asking: Asking, stream: int) -> list[dict[str, object]]:
        with self._desk.database.read() as session:
            instance = grants.log_to_read(session, asking, stream)["instance"]
            mine = (ArchiveFile.instance_id == instance) & (ArchiveFile.number == stream)
            found = session.scalars(select(ArchiveFile).where(mine).order_by(ArchiveFile.name))
            return [{"name": each.name, "bytes": each.bytes} for each in found]

    def _keep(self, asking: Asking, stream: int, name: str, body: bytes) -> int:
        """Bytes of the file that are in the store then. Raises Forbidden, BadRequest."""
        head = _head(asking, stream, name, body)
        with self._desk.database.read() as session:
            key = grants.chunk_to_write(session, asking, stream, name)
            row = session.get(ArchiveFile, (head.instance, head.stream, head.file))
        reached = row.bytes if row else 0
        if head.offset != reached or (row and not head.bytes):
            return reached
        head, size = self._stored(key, head, body)
        with self._desk.database.write() as session:
            note(session, head, size)
        return head.end

    def _stored(self, key: str, head: Head, body: bytes) -> tuple[Head, int]:
        """What is there afterwards: of a chunk whose answer was lost, the one that came first."""
        try:
            with self._store.create(key) as out:
                out.write(body)
        except errors.Conflict:
            with self._store.open(key) as there:
                stored = there.read()
            return chunks.head(stored), len(stored)
        return head, len(body)


def note(session: Session, head: Head, size: int) -> None:
    """The chunk is in the store. Told again it changes nothing."""
    row = session.get(ArchiveFile, (head.instance, head.stream, head.file), with_for_update=True)
    if row is None:
        row = ArchiveFile(instance_id=head.instance, number=head.stream, name=head.file, begins=head.begins)
        row.bytes, row.chunks, row.stored_bytes, row.closed = head.offset, 0, 0, False
        row.first_at = head.sent
        session.add(row)
    elif row.bytes != head.offset or not head.bytes:
        return
    row.bytes, row.closed, row.last_at = head.end, head.closed, head.sent
    row.chunks, row.stored_bytes = row.chunks + 1, row.stored_bytes + size
    stream = session.get_one(ArchiveStream, (head.instance, head.stream))
    stream.shipped_at, stream.stored_bytes = clock.now(), stream.stored_bytes + size
    if head.latest is not None:
        stream.latest, stream.committed, stream.position = head.latest, head.committed, dict(head.position)


def _head(asking: Asking, stream: int, name: str, body: bytes) -> Head:
    """Raises BadRequest for a chunk that says something else than its place."""
    try:
        head = chunks.head(body)
    except chunks.Damaged as error:
        raise errors.BadRequest(error.message) from error
    if (head.instance, head.stream, head.name) != (asking.known.id, stream, name) or not 0 <= head.bytes <= CHUNK_BYTES:
        raise errors.BadRequest(f"this is no chunk that belongs at {stream}/{name}")
    return head
