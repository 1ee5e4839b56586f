"""Pieces of a stream under AES-256-GCM, each with its place in it: none can be changed, moved, left out or added.

The number of a frame and whether it is the last stand in its nonce, as in the STREAM construction (Hoang, Reyhanitabar,
Rogaway, Vizár: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015).
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from argosy import errors
from argosy.model.backups import FRAME_BYTES, PART_BYTES
from argosy.stores.gcm import Gcm

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"argosy-backup/1\n"
SALT, TAG = 7, 16
HEADER = len(MAGIC) + SALT
"""At the beginning of every part: what it is, and what all nonces of this writing begin with."""
SEALED_FRAME = FRAME_BYTES + TAG
part_bytes = HEADER + PART_BYTES // FRAME_BYTES * SEALED_FRAME
"""The most that a part has in the store."""


class Damaged(errors.Broken):
    """the backup is damaged: what is stored is not what was written"""


class WrongKey(errors.Broken):
    """the key does not open this backup: it was sealed with another one"""


class NotThisFrame(Exception):
    """Not sealed with this key as this frame of this stream."""


class Frames:
    """One writing of one stream. Whoever writes again, be it under the same names, makes a new salt."""

    def __init__(self, key: bytes, stream: str, salt: bytes) -> None:
        self._key = key
        self._sealing: Gcm | None = None
        self._opening: AESGCM | None = None
        self._about = MAGIC + stream.encode()
        self.header = MAGIC + salt
        self._salt = salt

    def seal(self, number: int, data: memoryview, into: memoryview, *, last: bool) -> int:
        """Bytes written to the beginning of `into`. Both are of bytearrays."""
        if self._sealing is None:
            self._sealing = Gcm(self._key)
        return self._sealing.seal(self._nonce(number, last), data, into, self._about)

    def open(self, number: int, sealed: bytes, *, last: bool) -> bytes:
        """Raises NotThisFrame."""
        from cryptography.exceptions import InvalidTag

        if self._opening is None:
            self._opening = _cipher(self._key)
        try:
            return self._opening.decrypt(self._nonce(number, last), sealed, self._about)
        except InvalidTag as error:
            raise NotThisFrame from error

    def _nonce(self, number: int, last: bool) -> bytes:
        return self._salt + struct.pack(">IB", number, last)


def fresh(key: bytes, stream: str) -> Frames:
    return Frames(key, stream, os.urandom(SALT))


def of_header(key: bytes, stream: str, header: bytes) -> Frames:
    """Raises Damaged for what is no beginning of a part."""
    if len(header) != HEADER or not header.startswith(MAGIC):
        raise Damaged("it does not begin as a part of a backup")
    return Frames(key, stream, header[len(MAGIC) :])


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
