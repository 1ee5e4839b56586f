"""Backups in a store, sealed and signed as the product does it, of whatever stream a test has."""

from __future__ import annotations

import os
import secrets
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from argosy import clock
from argosy.agent.packing import Packing
from argosy.agent.stages import Tally
from argosy.agent.throttle import Throttle
from argosy.model.backups import Key, Manifest, place
from argosy.stores import chains, chunks, keys, streams
from argosy.stores.archive import Sealer
from argosy.stores.base import Store
from argosy.stores.chunks import Head
from argosy.stores.keys import ProjectKey, Wrapping
from argosy.stores.streams import Stream

PIECE = 1 << 20
BLANK = Manifest(
    backup="", project="", instance="", name="kept", engine="mysql", datastore="mariadb", version="10.11.19",
    strategy="mariabackup", parent="", parent_mac="", gigabytes=1, created=0.0, finished=0.0, attempt="", parts=(),
    raw_bytes=0, stored_bytes=0, position={}, canaries={}, key=Key(0, ""),
)  # fmt: skip


@dataclass
class Vault:
    """One project's place in a store."""

    store: Store
    master: bytes
    container: str = "database_backups"
    project: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.key = ProjectKey(self.project, 1, os.urandom(keys.KEY_BYTES))
        keys.publish(self.store, self.container, self.key, self.wrapping)

    @property
    def wrapping(self) -> Wrapping:
        return keys.wrapping(keys.deriving(self.master))

    def place(self, backup: str) -> str:
        return place(self.container, self.project, backup)

    def keep(self, stream: Path | bytes, parent: Manifest | None = None, **told: Any) -> Manifest:
        """One more backup, of that native stream. `told`: fields of its manifest."""
        backup, attempt, data_key = str(uuid.uuid4()), secrets.token_hex(8), os.urandom(keys.KEY_BYTES)
        where = f"{self.place(backup)}{attempt}/"
        sealer = Sealer(data_key, lambda name, data: self._put(where + name, data), backup=backup, attempt=attempt)
        with Packing(sealer, Tally(Throttle(0))) as packing:
            _pour(stream, packing.into)
        blank = replace(BLANK, instance=str(uuid.uuid4()), created=clock.now(), finished=clock.now())
        standing = {"parent": parent.backup, "parent_mac": parent.mac} if parent else {}
        manifest = replace(
            blank,
            backup=backup,
            project=self.project,
            attempt=attempt,
            parts=packing.sealed.parts,
            raw_bytes=packing.count.bytes,
            stored_bytes=packing.sealed.stored_bytes,
            key=self.key.seal(backup, data_key),
            **{**standing, **told},
        )
        signed = chains.signed(manifest, data_key)
        chains.write(self.store, self.place(backup), signed)
        return signed

    def keep_log(self, files: Mapping[str, bytes], piece: int) -> str:
        """A stream of archived log, of files in pieces. Its place."""
        instance, data_key = str(uuid.uuid4()), os.urandom(keys.KEY_BYTES)
        where, sealed = streams.place(self.project, instance, 1), self.key.seal(streams.name(instance, 1), data_key)
        told = Stream(self.project, instance, 1, "redis", "7.0.15", clock.now(), sealed)
        streams.publish(self.store, where, told, data_key)
        for name, data in files.items():
            for offset in range(0, len(data), piece):
                some = data[offset : offset + piece]
                head = Head(instance, 1, name, offset, len(some), clock.now(), offset == 0, closed=False)
                self._put(where + head.name, chunks.seal(AESGCM(data_key), head, some, os.urandom(chunks.NONCE)))
        return where

    def _put(self, key: str, data: bytes | bytearray) -> None:
        with self.store.create(key) as out:
            out.write(data)


def _pour(stream: Path | bytes, into: int) -> None:
    with os.fdopen(os.dup(into), "wb") as out:
        if isinstance(stream, bytes):
            out.write(stream)
            return
        with stream.open("rb") as source:
            shutil.copyfileobj(source, out, PIECE)
