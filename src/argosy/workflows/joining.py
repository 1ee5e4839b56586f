"""Put small chunks of a file of log together: a restore of a day would else fetch tens of thousands.

What was put together counts at once; what it was made of goes the next time, when nobody reads it any more.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from contextlib import suppress

from argosy import errors
from argosy.db.tables import ArchiveStream
from argosy.stores import chunks
from argosy.stores.base import Store
from argosy.stores.chunks import NONCE, Head, Named

MANY = 8
"""chunks of one file that are worth it"""
LARGE = 16 << 20
"""bytes of log in one that was put together, and no less than a chunk more"""
FEW = 2
"""chunks that are not"""


def join(store: Store, stream: ArchiveStream, file: str) -> int:
    """How many small ones there still are of the file then, read or not. Raises Damaged."""
    names = [key.removeprefix(stream.place) for key in store.list(f"{stream.place}{file}.")]
    mine = [each for each in map(chunks.named, names) if each is not None and each.file == file]
    read = chunks.cover([each.name for each in mine])
    for each in mine:
        if each not in read:
            store.delete(stream.place + each.name)
    small = [each for each in read if each.end is None]
    _put_together(store, stream, small)
    return len(small)


def _put_together(store: Store, stream: ArchiveStream, small: Sequence[Named]) -> None:
    heads: list[Head] = []
    data = bytearray()
    cipher = _cipher(stream)
    for each in small:
        with store.open(stream.place + each.name) as source:
            head, more = chunks.opened(cipher, source.read())
        if (heads and head.offset != heads[-1].end) or len(data) >= LARGE:
            _write(store, stream, heads, bytes(data))
            heads, data = [], bytearray()
        heads.append(head)
        data += more
    _write(store, stream, heads, bytes(data))


def _write(store: Store, stream: ArchiveStream, heads: Sequence[Head], data: bytes) -> None:
    if len(heads) < FEW:
        return
    whole = dataclasses.replace(heads[-1], offset=heads[0].offset, bytes=len(data))
    sealed = chunks.seal(_cipher(stream), whole, data, os.urandom(NONCE))
    with suppress(errors.Conflict), store.create(stream.place + whole.joined_name) as out:  # it was made before
        out.write(sealed)


def _cipher(stream: ArchiveStream) -> chunks.Cipher:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(bytes.fromhex(stream.data_key))
