"""A piece of an engine's log as one object: its head in the clear, as a line of JSON, and after it what is sealed.

    <place of the stream>/<file>.<offset:020>[-<end:020>]

The head is proven together with the data (AES-256-GCM), so that no chunk can stand in for another one: of another file,
offset, stream or instance. Within a file chunks follow each other; one with an end in its name was put together of
several, and counts instead of them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from argosy import errors

CHUNK_BYTES = 1 << 20
"""of log in one chunk, as guests ship it"""
LARGEST = CHUNK_BYTES + (64 << 10)
"""bytes of such an object"""
TOGETHER_BYTES, TOGETHER = 4 << 20, 64
"""of such objects that are asked for at once, and how many"""
HEAD_BYTES = 16 << 10
NONCE = 12
LARGEST_COUNT = 1 << 53
ZLIB, ZSTD = 1, 2
"""The formats there are, by what the data are compressed with: all are read, the last is written."""
FAST = 1
NAME = re.compile(r"(?P<file>[A-Za-z0-9_][A-Za-z0-9._-]*)\.(?P<offset>\d{20})(-(?P<end>\d{20}))?")


class Damaged(errors.Broken):
    """a piece of the log is damaged"""


class Cipher(Protocol):
    """AES-256-GCM by one key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Raises whatever it has for what was not sealed so."""


@dataclass(frozen=True)
class Head:
    instance: str
    stream: int
    file: str
    offset: int
    bytes: int
    """of log"""
    sent: float
    """by the guest's clock"""
    begins: bool
    """a replay can begin with the file"""
    closed: bool
    """nothing follows in the file"""
    latest: float | None = None
    """everything committed up to then is in the stream, now that this chunk is"""
    committed: float | None = None
    """the last commit of it"""
    position: Mapping[str, Any] = field(default_factory=dict)
    """and where that is, in the engine's words"""
    sha256: str = ""
    """of the log in it, where that is packed by zlib, which has no checksum that is worth much"""
    format: int = ZSTD

    @property
    def end(self) -> int:
        return self.offset + self.bytes

    @property
    def name(self) -> str:
        return f"{self.file}.{self.offset:020d}"

    @property
    def joined_name(self) -> str:
        """Of one that was put together of several."""
        return f"{self.name}-{self.end:020d}"


@dataclass(frozen=True)
class Named:
    """What a name tells."""

    name: str
    file: str
    offset: int
    end: int | None
    """None: as a guest has shipped it"""


def named(name: str) -> Named | None:
    told = NAME.fullmatch(name)
    if told is None:
        return None
    return Named(name, told["file"], int(told["offset"]), int(told["end"]) if told["end"] else None)


def cover(names: Iterable[str]) -> list[Named]:
    """Those of one file that are to be read, in order: what was put together instead of what it was made of."""
    found = [each for each in map(named, names) if each is not None]
    chosen: list[Named] = []
    reached = 0
    for each in sorted(found, key=lambda one: (one.offset, -(one.end or 0))):
        if each.offset >= reached:
            chosen.append(each)
            reached = each.end or each.offset + 1
    return chosen


def together(found: Sequence[Named], sizes: Mapping[str, int]) -> Iterator[list[Named]]:
    """What is asked for at once, by the bytes of each name: as guests ship them they are small, and many."""
    batch: list[Named] = []
    for each in found:
        held = sum(sizes[one.name] for one in batch) + sizes[each.name]
        if batch and (held > TOGETHER_BYTES or len(batch) == TOGETHER):
            yield batch
            batch = []
        batch.append(each)
    if batch:
        yield batch


def seal(cipher: Cipher, head: Head, data: bytes, nonce: bytes) -> bytes:
    """In the newest format, whatever the head says of its own."""
    told = dataclasses.asdict(head) | {"format": ZSTD, "sha256": ""}
    line = json.dumps(told, separators=(",", ":")).encode() + b"\n"
    return line + nonce + cipher.encrypt(nonce, _packed(data), line)


def _packed(data: bytes) -> bytes:
    """With a checksum, which costs a tenth of what SHA-256 does: what is expanded is what was packed."""
    import zstandard  # 1.4 MB, which an agent that archives nothing does without

    options = zstandard.ZstdCompressionParameters.from_level(FAST, write_checksum=True)
    return zstandard.ZstdCompressor(compression_params=options).compress(data)


def head(chunk: bytes) -> Head:
    """What the chunk claims to be. Raises Damaged."""
    line = chunk[:HEAD_BYTES].partition(b"\n")[0]
    try:
        told = json.loads(line)
        read = Head(**{each.name: told[each.name] for each in dataclasses.fields(Head) if each.name in told})
    except (ValueError, TypeError) as error:
        raise Damaged(f"the head of a piece of the log cannot be read: {error}") from error
    if not _sound(read):
        raise Damaged("the head of a piece of the log does not say what it should")
    if read.format not in (ZLIB, ZSTD):
        raise Damaged(f"{read.name} is in format {read.format} of a newer Argosy: use that one")
    return read


def _sound(told: Head) -> bool:
    """Whether everything is of the type that it must be: it may come from anybody."""
    counts = (told.stream, told.offset, told.bytes, told.format)
    texts, marks = (told.instance, told.file, told.sha256), (told.begins, told.closed)
    moments = [each for each in (told.sent, told.latest, told.committed) if each is not None]
    return (
        all(type(each) is int and 0 <= each < LARGEST_COUNT for each in counts)
        and all(type(each) is str for each in texts)
        and all(type(each) is bool for each in marks)
        and all(type(each) in (int, float) and abs(each) < LARGEST_COUNT for each in (0, *moments))
        and type(told.sent) in (int, float)
        and type(told.position) is dict
    )


def opened(cipher: Cipher, chunk: bytes) -> tuple[Head, bytes]:
    """What it is, proven, and the log in it. Raises Damaged."""
    told, line = head(chunk), chunk.partition(b"\n")[0] + b"\n"
    sealed = chunk[len(line) :]
    try:
        data = _expanded(told, cipher.decrypt(sealed[:NONCE], sealed[NONCE:], line))
    except Exception as error:
        raise Damaged(f"{told.name} of stream {told.stream} is damaged, or was sealed by another key") from error
    if data is None or len(data) != told.bytes or (told.format == ZLIB and _sha256(data) != told.sha256):
        raise Damaged(f"{told.name} of stream {told.stream} does not hold what it says")
    return told, data


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _expanded(told: Head, packed: bytes) -> bytes | None:
    """None for what would be more than the head says: whoever sealed it may be anybody."""
    if told.format == ZLIB:
        return zlib.decompressobj().decompress(packed, told.bytes + 1)
    import zstandard

    fits = zstandard.frame_content_size(packed) == told.bytes
    return zstandard.ZstdDecompressor().decompress(packed) if fits else None
