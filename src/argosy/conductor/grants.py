"""Which object a guest may write or read: what a running command, or its archive, names, and nothing beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Archive, ArchiveStream, Backup, Command
from argosy.guest.enrolment import Known
from argosy.model.backups import PART_BYTES, is_begun
from argosy.stores.chunks import TOGETHER

PART = re.compile(r"\d{6}|parts\.json")
CHUNK = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
GIGABYTE = 1 << 30
SPARE_PARTS = 64


@dataclass(frozen=True)
class Asking:
    """A guest and the command that it says it works on."""

    known: Known
    command: str = ""


@dataclass(frozen=True)
class Part:
    """Of a backup that may lie in another region's store."""

    region: str
    """empty: in this deployment's"""
    key: str


def part_to_write(session: Session, asking: Asking, attempt: str, name: str) -> str:
    """The key of a part of the backup that the guest is taking. Raises Forbidden."""
    asked = _arguments(session, asking, "backup", "take_out")
    if not is_begun(attempt, asked["attempt"]) or not PART.fullmatch(name):
        raise errors.Forbidden(f"'{attempt}/{name}' is not a part of the backup that was asked for")
    _require_bounded(session, asked, name)
    return f"{asked['place']}{attempt}/{name}"


def part_to_read(session: Session, asking: Asking, layer: int, attempt: str, name: str) -> Part:
    """A part of the chain that the guest is restoring. Raises Forbidden."""
    chain = _arguments(session, asking, "restore", "put_in")["chain"]
    if layer >= len(chain) or attempt != chain[layer]["attempt"] or not PART.fullmatch(name):
        raise errors.Forbidden(f"'{layer}/{attempt}/{name}' is not a part of what is being restored")
    return Part(chain[layer].get("region", ""), f"{chain[layer]['place']}{attempt}/{name}")


def chunk_to_write(session: Session, asking: Asking, stream: int, name: str) -> str:
    """The key of a chunk of the guest's own log. Raises Forbidden."""
    archive = session.get(Archive, asking.known.id)
    if archive is None or not archive.enabled or not 0 < archive.stream == stream or not CHUNK.fullmatch(name):
        raise errors.Forbidden(f"'{stream}/{name}' is not a part of the log that this guest archives")
    return session.get_one(ArchiveStream, (archive.instance_id, stream)).place + name


def chunks_to_read(session: Session, asking: Asking, stream: int, name: str) -> list[str]:
    """The keys of chunks, named with commas between, of the log that the guest is restoring from. Raises Forbidden."""
    names = name.split(",")
    if len(names) > TOGETHER or not all(map(CHUNK.fullmatch, names)):
        raise errors.Forbidden(f"{name!r} names no parts of a log, or more than {TOGETHER}")
    place = stream_to_read(session, asking, stream)
    return [place + each for each in names]


def stream_to_read(session: Session, asking: Asking, stream: int) -> str:
    """The prefix of the log that the guest is restoring from. Raises Forbidden."""
    return str(log_to_read(session, asking, stream)["place"])


def log_to_read(session: Session, asking: Asking, stream: int) -> Mapping[str, Any]:
    """What the command says of the log that the guest is restoring from. Raises Forbidden."""
    logs: Mapping[str, Any] = _arguments(session, asking, "restore").get("logs") or {}
    if logs.get("stream") != stream:
        raise errors.Forbidden(f"{stream} is not the log that is being restored")
    return logs


def _arguments(session: Session, asking: Asking, *verbs: str) -> Mapping[str, Any]:
    """What the command says. Raises Forbidden unless it is this guest's, of one of these verbs, and still wanted."""
    command = session.get(Command, asking.command) if len(asking.command) <= 190 else None
    if command is None or command.guest_id != asking.known.id or command.verb not in verbs:
        raise errors.Forbidden("nobody has asked this guest for that")
    if command.answered or command.cancelled:
        raise errors.Forbidden("nobody wants it any more")
    return command.arguments or {}


def _require_bounded(session: Session, asked: Mapping[str, Any], name: str) -> None:
    """No more parts than twice the volume: a guest cannot fill the store. Raises Forbidden."""
    row = session.get(Backup, asked["backup"])
    if row is None or not row.gigabytes or not name.isdecimal():
        return
    if int(name) > 2 * row.gigabytes * GIGABYTE // PART_BYTES + SPARE_PARTS:
        raise errors.Forbidden("that is more than there can be to back up")
