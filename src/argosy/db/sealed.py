"""Columns that rest encrypted: AES-256-GCM under the deployment's master key.

The key is set once at the start of a process (`use`). Reading with another key raises BadKey: a restored control
database needs the key file it was written with.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from argosy import errors

NONCE = 12
"""bytes, as NIST SP 800-38D wants them for GCM"""

_key: bytes | None = None


class BadKey(errors.Broken):
    """a secret was written with another master key: put back keys/master.key of this deployment"""


def make(file: Path) -> None:
    """A master key of 256 bit, mode 0600; an existing one stays."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as out:
        out.write(os.urandom(32))
        out.flush()
        os.fsync(out.fileno())


def use(file: Path) -> None:
    """This process seals and unseals with the key in `file`. Raises BadKey."""
    global _key  # noqa: PLW0603 - one deployment per process, set once at its start
    try:
        _key = file.read_bytes()
    except OSError as error:
        raise BadKey(f"the master key {file} cannot be read: {error.strerror}") from error
    if len(_key) != 32:
        raise BadKey(f"the master key {file} is damaged: it must hold 32 bytes")


def derive(purpose: str) -> bytes:
    """A key of 256 bit for one purpose (HKDF-SHA256, RFC 5869), the same each time."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(_master())


def seal(value: Any) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(_master()).encrypt(nonce, json.dumps(value).encode(), None)


def unseal(sealed: bytes) -> Any:
    """Raises BadKey."""
    try:
        return json.loads(AESGCM(_master()).decrypt(sealed[:NONCE], sealed[NONCE:], None))
    except InvalidTag as error:
        raise BadKey from error


def _master() -> bytes:
    if _key is None:
        raise BadKey("no master key in use: sealed.use(settings.keys / 'master.key') belongs at the start of a process")
    return _key


class Sealed(TypeDecorator[Any]):
    """A JSON value that rests encrypted."""

    impl = LargeBinary(1_000_000)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else unseal(value)
