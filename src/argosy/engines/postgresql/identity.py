"""Gives a cloned data directory an identity of its own: the system identifier, and the nonce of mock authentication.

PostgreSQL has no tool for it. Both stand in `global/pg_control` before its checksum, and the identifier again at the
head of every WAL segment; the same in every release since 10. WAL goes first and the control file, one sector, last:
whoever is stopped between finds the old identifier in the control file and does it all again.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

from argosy import errors
from argosy.engines import files
from argosy.model.guest import Identity

NONCE_BYTES = 32
SECTOR = 512
CHECKSUM_PLACES = range(200, 400)
"""The checksum stands behind the last field, and releases differ in fields: it is where it matches."""

LONG_HEADER = 0x0002
SYSTEM_IDENTIFIER_IN_WAL = 24


def adopt(cluster: Path, identity: Identity) -> None:
    """Safe to call again, and after a crash in it. Raises GuestFailed when a server runs on the directory."""
    number = system_identifier(identity)
    control = cluster / "global" / "pg_control"
    head = control.read_bytes()[:SECTOR]
    if struct.unpack_from("<Q", head)[0] == number:
        return
    _refuse_running(cluster)
    for segment in sorted((cluster / "pg_wal").glob("[0-9A-F]" * 24)):
        _patch_segment(segment, number)
    _overwrite(control, patched(head, number, os.urandom(NONCE_BYTES)))


def of(cluster: Path) -> int:
    """The system identifier that it has."""
    number: int = struct.unpack("<Q", (cluster / "global" / "pg_control").read_bytes()[:8])[0]
    return number


def system_identifier(identity: Identity) -> int:
    """63 bits: tools print it as a signed number here and there."""
    digest = hashlib.sha256(f"{identity.instance}/{identity.generation}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def patched(head: bytes, number: int, nonce: bytes) -> bytes:
    """The first sector of a control file with identifier, nonce and checksum replaced."""
    place = _checksum_place(head)
    body = struct.pack("<Q", number) + head[8 : place - NONCE_BYTES] + nonce
    return body + struct.pack("<I", crc32c(body)) + head[place + 4 :]


def _checksum_place(head: bytes) -> int:
    running = crc32c(head[: CHECKSUM_PLACES.start])
    for place in CHECKSUM_PLACES:
        if struct.unpack_from("<I", head, place)[0] == running:
            return place
        running = crc32c(head[place : place + 1], running)
    raise errors.GuestFailed("the checksum of global/pg_control does not match: the data directory is damaged")


def crc32c(data: bytes, before: int = 0) -> int:
    """Castagnoli's checksum of `data`, continuing from that of what came before."""
    value = before ^ 0xFFFFFFFF
    for byte in data:
        value = (value >> 8) ^ _CASTAGNOLI[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def _table_entry(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value


_CASTAGNOLI = tuple(_table_entry(value) for value in range(256))


def _patch_segment(segment: Path, number: int) -> None:
    with segment.open("r+b") as file:
        page = file.read(SYSTEM_IDENTIFIER_IN_WAL)
        if len(page) == SYSTEM_IDENTIFIER_IN_WAL and struct.unpack_from("<H", page, 2)[0] & LONG_HEADER:
            file.seek(SYSTEM_IDENTIFIER_IN_WAL)
            file.write(struct.pack("<Q", number))
            file.flush()
            os.fsync(file.fileno())


def _overwrite(control: Path, head: bytes) -> None:
    with control.open("r+b") as file:
        file.write(head)
        file.flush()
        os.fsync(file.fileno())


def _refuse_running(cluster: Path) -> None:
    """A pid file alone proves nothing: it may have been cloned along. A process in the directory does."""
    note = cluster / "postmaster.pid"
    try:
        process = int(note.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if _works_in(process, cluster):
        raise errors.GuestFailed(f"PostgreSQL runs on {cluster}, process {process}: its identity cannot change now")
    note.unlink()
    files.sync_directory(cluster)


def _works_in(process: int, cluster: Path) -> bool:
    try:
        return Path(f"/proc/{process}/cwd").samefile(cluster)
    except (FileNotFoundError, ProcessLookupError):
        return False
