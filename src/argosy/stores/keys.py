"""Who can open a backup: its own key, sealed by its project's, which the deployment's master key seals in turn.

The store holds both sealed ones, so that whoever has the master key can read every backup and nobody else can read any.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from argosy import errors
from argosy.model import backups
from argosy.model.backups import Key
from argosy.stores.base import NoSuchObject, Store
from argosy.stores.frames import Damaged, WrongKey

KEY_BYTES, NONCE = 32, 12
Derive = Callable[[str], bytes]
"""A key for one purpose, by the deployment's master key (HKDF-SHA256): `db.sealed.derive`, or `deriving`."""
NAMED = re.compile(r"(\d{1,9})-([0-9a-f]{16})\.json")
LONGEST = 10_000
"""bytes of a key object"""


class LostKey(errors.Broken):
    """the key of the project is not in the store: it lies beside the project's backups under keys/"""


@dataclass(frozen=True)
class Wrapping:
    """What a master key does to the keys of projects."""

    master: str
    """which master key: a fingerprint that tells nothing of it"""
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class ProjectKey:
    project: str
    number: int
    secret: bytes = field(repr=False)

    def seal(self, backup: str, data_key: bytes) -> Key:
        """The backup's own key as its manifest tells it."""
        return Key(self.number, _seal(self.secret, data_key, f"{self.project}/{backup}").hex())

    def open(self, backup: str, key: Key) -> bytes:
        """The backup's own key. Raises WrongKey."""
        try:
            return _open(self.secret, bytes.fromhex(key.sealed), f"{self.project}/{backup}")
        except (WrongKey, ValueError) as error:
            raise WrongKey(
                f"the key of backup {backup} cannot be opened: it was not sealed by key {self.number} of project"
                f" {self.project}, or was changed"
            ) from error


def deriving(master: bytes) -> Derive:
    """As `db.sealed.derive` does where that master key is in use. Raises WrongKey for what cannot be one."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(master) != KEY_BYTES:
        raise WrongKey(f"a master key has {KEY_BYTES} bytes, this one {len(master)}")
    return lambda purpose: HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(master)


def wrapping(derive: Derive) -> Wrapping:
    return Wrapping(derive("name of the master key").hex()[:16], derive("keys of projects"))


def publish(store: Store, container: str, key: ProjectKey, by: Wrapping) -> str:
    """Have the key, wrapped, beside the project's backups. Its place. Safe to repeat. Raises Damaged, WrongKey when
    another stands there: what it opens would be lost.
    """
    place = f"{backups.keys_place(container, key.project)}{key.number}-{by.master}.json"
    try:
        with store.create(place) as out:
            out.write(_text(key, by))
    except errors.Conflict:
        if _read(store, place, key.project, key.number, by).secret != key.secret:
            raise WrongKey(f"{place} holds another key than the one that it should") from None
    return place


def find(store: Store, container: str, project: str, number: int, by: Wrapping) -> ProjectKey:
    """Raises LostKey, WrongKey (another master key wrapped it), Damaged."""
    prefix = backups.keys_place(container, project)
    place = f"{prefix}{number}-{by.master}.json"
    try:
        return _read(store, place, project, number, by)
    except NoSuchObject:
        named = filter(None, (NAMED.fullmatch(key.removeprefix(prefix)) for key in store.list(prefix)))
        others = {each[2] for each in named if int(each[1]) == number}
        if others:
            raise WrongKey(
                f"key {number} of project {project} is not wrapped by this master key ({by.master}): it takes the"
                f" escrow of master key {' or '.join(sorted(others))}"
            ) from None
        raise LostKey(
            f"key {number} of project {project} is not in the store: put {place} back. Where its deployment still runs"
            " and it is the newest of the project, another backup does that"
        ) from None


def _text(key: ProjectKey, by: Wrapping) -> bytes:
    sealed = _seal(by.key, key.secret, f"{key.project}/{key.number}").hex()
    told = {"project": key.project, "number": key.number, "master": by.master, "sealed": sealed}
    return json.dumps(told, indent=1).encode() + b"\n"


def _read(store: Store, place: str, project: str, number: int, by: Wrapping) -> ProjectKey:
    with store.open(place) as source:
        sealed = _sealed(source, place)
    try:
        return ProjectKey(project, number, _open(by.key, sealed, f"{project}/{number}"))
    except WrongKey as error:
        raise Damaged(f"{place} is damaged: the master key that its name tells does not open it") from error


def _sealed(source: BinaryIO, place: str) -> bytes:
    try:
        return bytes.fromhex(json.loads(source.read(LONGEST))["sealed"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"{place} is damaged: it cannot be read") from error


def _seal(key: bytes, data: bytes, about: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, about.encode())


def _open(key: bytes, sealed: bytes, about: str) -> bytes:
    """Raises WrongKey."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], about.encode())
    except (InvalidTag, ValueError) as error:
        raise WrongKey from error
