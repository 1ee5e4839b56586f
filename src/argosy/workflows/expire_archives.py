"""Archived log does not stay for ever: what no moment that is to be had needs any more goes, backups that it began with
first, and small chunks are put together into large ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Archive, ArchiveFile, ArchiveStream, Backup, Instance
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.stores import chunks, streams
from argosy.workflows import archives, delete_backup, joining, offers, replaying
from argosy.workflows.world import World

expire_archives: Workflow[World] = Workflow("expire_archives")

AT_ONCE = 20
DAY = 86_400.0
Key = tuple[str, int]


@expire_archives.step(minutes=60)
def bases(ctx: Context[World]) -> Outcome:
    """Backups that were taken for a stream to begin with, once a later one leads to every moment that is to be had."""
    page = _page(ctx, "bases")
    for key in page:
        with ctx.database.read() as session:
            old = [each.id for each in _old_bases(session, key)]
        for backup_id in old:
            _let_go(ctx, backup_id)
    return _next(ctx, "bases", page)


def _old_bases(session: Session, key: Key) -> Sequence[Backup]:
    stream, since = session.get_one(ArchiveStream, key), _since(session, key)
    there = archives.bases(session, offers.get(session, stream.version_id).engine, stream)
    before = [each for each in there if (each.moment or 0.0) <= since]
    over = stream.ended is not None and (stream.latest or 0.0) < since
    return [each for each in (there if over else before[:-1]) if _may_go(each)]


def _may_go(backup: Backup) -> bool:
    held = backup.protected or (backup.hold_until or 0.0) > clock.now()
    return backup.purpose == archives.BASE and not held


def _let_go(ctx: Context[World], backup_id: str) -> None:
    """One that is being read has its turn the next time."""
    try:
        with ctx.database.write() as session:
            delete_backup.begin(session, session.get_one(Backup, backup_id))
    except errors.Busy:
        return


def _since(session: Session, key: Key) -> float:
    """The oldest moment that is to be had."""
    archive = session.get(Archive, key[0])
    return clock.now() - (archive.keep_days if archive else 0.0) * DAY


@expire_archives.step(minutes=24 * 60)
def files(ctx: Context[World]) -> Outcome:
    """Files of log that no backup leads into, and streams of which nothing is left."""
    page = _page(ctx, "files")
    for key in page:
        with ctx.database.read() as session:
            stream = session.get_one(ArchiveStream, key)
            start = _start(session, stream, _since(session, key))
            old = _old_files(session, key, start)
        if old and start is not None:
            with ctx.database.write() as session:
                session.get_one(ArchiveStream, key).began = start.created
        for each in old:
            _drop(ctx, stream, each)
        with ctx.database.read() as session:
            over = _is_over(session, key)
        if over:
            ctx.world.store.delete(stream.place + streams.FILE)
            with ctx.database.write() as session:
                _forget(session, key)
    return _next(ctx, "files", page)


def _start(session: Session, stream: ArchiveStream, since: float) -> Backup | None:
    """The oldest backup that the stream is still to lead on from: backups that are kept for longer need no log. From
    then on it counts as begun.
    """
    if stream.ended is not None and (stream.latest or stream.ended) < since:
        return None
    found = archives.bases(session, offers.get(session, stream.version_id).engine, stream)
    before = [each for each in found if (each.moment or 0.0) <= since]
    return next(iter([*before[-1:], *found]), None)


def _old_files(session: Session, key: Key, start: Backup | None) -> Sequence[ArchiveFile]:
    stream = session.get_one(ArchiveStream, key)
    there = archives.files(session, stream)
    if start is not None:
        first = replaying.first(there, start)
        return [each for each in there if each.name < first]
    over = stream.ended is not None and (stream.ended < _since(session, key) or _is_gone(session, key))
    return there if over else []


def _is_gone(session: Session, key: Key) -> bool:
    instance = session.get(Instance, key[0])
    return instance is None or instance.deleted


def _drop(ctx: Context[World], stream: ArchiveStream, file: ArchiveFile) -> None:
    """The objects first: what is still written down is looked for again."""
    store = ctx.world.store
    for key in list(store.list(f"{stream.place}{file.name}.")):
        named = chunks.named(key.removeprefix(stream.place))
        if named is not None and named.file == file.name:
            store.delete(key)
    with ctx.database.write() as session:
        mine = (ArchiveFile.instance_id == file.instance_id) & (ArchiveFile.number == file.number)
        session.execute(delete(ArchiveFile).where(mine & (ArchiveFile.name == file.name)))


def _is_over(session: Session, key: Key) -> bool:
    """A stream that has ended without anything left of it."""
    stream = session.get_one(ArchiveStream, key)
    if stream.ended is None or archives.files(session, stream):
        return False
    return stream.ended <= _since(session, key) or _is_gone(session, key)


def _forget(session: Session, key: Key) -> None:
    """Of an instance that is gone its archive, too, with the last stream."""
    session.delete(session.get_one(ArchiveStream, key))
    session.flush()
    left = select(ArchiveStream.number).where(ArchiveStream.instance_id == key[0]).limit(1)
    if _is_gone(session, key) and session.scalar(left) is None:
        session.execute(delete(Archive).where(Archive.instance_id == key[0]))


@expire_archives.step(minutes=24 * 60)
def join(ctx: Context[World]) -> Outcome:
    """Files of many chunks: one after the other, the rest the next time."""
    many = select(ArchiveFile).where(ArchiveFile.chunks >= joining.MANY).order_by(ArchiveFile.chunks.desc())
    with ctx.database.read() as session:
        rows = session.scalars(many.limit(AT_ONCE)).all()
        streams: Mapping[Key, ArchiveStream] = {
            (each.instance_id, each.number): session.get_one(ArchiveStream, (each.instance_id, each.number))
            for each in rows
        }
    for each in rows:
        left = joining.join(ctx.world.store, streams[each.instance_id, each.number], each.name)
        with ctx.database.write() as session:
            row = session.get(ArchiveFile, (each.instance_id, each.number, each.name), with_for_update=True)
            if row is not None:
                row.chunks += left - each.chunks
    return None


def _page(ctx: Context[World], step: str) -> Sequence[Key]:
    instance, number = ctx.memory.get(step, ["", 0])
    later = and_(ArchiveStream.instance_id == instance, ArchiveStream.number > number)
    rows = select(ArchiveStream.instance_id, ArchiveStream.number)
    rows = rows.where(or_(ArchiveStream.instance_id > instance, later))
    with ctx.database.read() as session:
        ordered = rows.order_by(ArchiveStream.instance_id, ArchiveStream.number).limit(AT_ONCE)
        return [(row[0], row[1]) for row in session.execute(ordered)]


def _next(ctx: Context[World], step: str, page: Sequence[Key]) -> Outcome:
    if len(page) < AT_ONCE:
        return None
    ctx.memory[step] = list(page[-1])
    return Wait(0, "there are more streams")
