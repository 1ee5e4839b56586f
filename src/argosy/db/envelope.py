"""A file that only its passphrase opens, and that nobody changes or shortens unnoticed.

A line that says what it is, a line of JSON that says which key opens it, then pieces under AES-256-GCM. Each piece is
numbered in its nonce and the last one is marked, as in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár:
"Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015).
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from argosy import errors

MAGIC = b"argosy self-backup 1\n"
PIECE, TAG = 1 << 20, 16
LONGEST_HEADER = 4096
COST = {"n": 1 << 16, "r": 8, "p": 1}
"""of scrypt (RFC 7914): 64 MiB and a fraction of a second for each guess"""
DEAREST = 1 << 30
"""bytes of memory that a foreign file may make us spend on its key"""


class NotAnEnvelope(errors.Broken):
    """this is no backup that `argosy backup-self` made"""


class WrongKey(errors.Rejected):
    """the passphrase is wrong, or the file is damaged"""


class Damaged(errors.Broken):
    """the file is damaged: it was changed or cut short"""


@dataclass(frozen=True)
class Key:
    """What opens it: a passphrase that people keep, or the deployment's own master key."""

    kind: str
    secret: bytes

    def derive(self, header: dict[str, Any]) -> bytes:
        salt = bytes.fromhex(header["salt"])
        if self.kind == "passphrase":
            return Scrypt(salt, 32, header["n"], header["r"], header["p"]).derive(self.secret)
        return HKDF(hashes.SHA256(), 32, salt=salt, info=b"self-backup").derive(self.secret)


class Sealing:
    """What is written comes out sealed; whole only after `close`."""

    def __init__(self, out: BinaryIO, key: Key, magic: bytes = MAGIC) -> None:
        fields: dict[str, Any] = {"key": key.kind, "salt": os.urandom(16).hex(), "nonce": os.urandom(7).hex(), **COST}
        self._header = json.dumps(fields).encode() + b"\n"
        self._pieces = _Pieces(key.derive(fields), bytes.fromhex(fields["nonce"]), self._header)
        self._out, self._held = out, bytearray()
        out.write(magic + self._header)

    def write(self, data: bytes) -> int:
        self._held += data
        while len(self._held) > PIECE:  # one is always kept: it may be the last
            self._out.write(self._pieces.seal(bytes(self._held[:PIECE]), last=False))
            del self._held[:PIECE]
        return len(data)

    def close(self) -> None:
        self._out.write(self._pieces.seal(bytes(self._held), last=True))


class Unsealing:
    """What is read was sealed with this key, from the first byte to the last. Raises NotAnEnvelope."""

    def __init__(self, source: BinaryIO, fields: dict[str, Any], header: bytes, key: Key) -> None:
        self._pieces = _Pieces(key.derive(fields), bytes.fromhex(fields["nonce"]), header)
        self._source, self._held, self._ended = source, bytearray(), False
        self._next = source.read(PIECE + TAG)

    def read(self, size: int) -> bytes:
        """Raises WrongKey where not even the first piece opens, Damaged later."""
        while len(self._held) < size and not self._ended:
            sealed, self._next = self._next, self._source.read(PIECE + TAG)
            self._ended = not self._next
            self._held += self._pieces.unseal(sealed, last=self._ended)
        told = bytes(self._held[:size])
        del self._held[:size]
        return told


def read_header(source: BinaryIO, magic: bytes = MAGIC) -> tuple[dict[str, Any], bytes]:
    """Its fields, and the line as it stands. Raises NotAnEnvelope."""
    if source.read(len(magic)) != magic:
        raise NotAnEnvelope
    line = source.readline(LONGEST_HEADER)
    try:
        fields = json.loads(line)
        cheap = 128 * int(fields["n"]) * int(fields["r"]) * int(fields["p"]) <= DEAREST
        known = fields["key"] in {"passphrase", "master"} and bytes.fromhex(fields["salt"] + fields["nonce"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotAnEnvelope from error
    if not (cheap and known):
        raise NotAnEnvelope
    return fields, line


class _Pieces:
    def __init__(self, key: bytes, nonce: bytes, header: bytes) -> None:
        self._cipher, self._nonce, self._header = AESGCM(key), nonce, header
        self._number = 0

    def seal(self, data: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(self._take(last=last), data, self._header)

    def unseal(self, sealed: bytes, *, last: bool) -> bytes:
        first = self._number == 0
        try:
            return self._cipher.decrypt(self._take(last=last), sealed, self._header)
        except InvalidTag as error:
            raise (WrongKey if first else Damaged) from error

    def _take(self, *, last: bool) -> bytes:
        nonce = self._nonce + struct.pack(">IB", self._number, last)
        self._number += 1
        return nonce
