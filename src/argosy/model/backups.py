"""What a backup is in the store: a manifest, and the objects that it names. Nothing else is needed to restore it.

    <container>/<project>/<backup>/manifest.json            written last: with it the backup exists
    <container>/<project>/<backup>/<attempt>/000000, …      parts: sealed frames (stores/archive.py), 4 MiB each
    <container>/<project>/<backup>/<attempt>/parts.json     the list of them, as whoever wrote them tells it
    <container>/<project>/keys/<number>-<master>.json       the project's key, wrapped by the master key of that name

Objects are written once. Each attempt writes under a random name of its own, so what a killed one has left is never
mistaken for the next one's, and the manifest names the one that counts.
"""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

FORMAT = 1
PART_BYTES = 4 << 20
"""Of compressed bytes in one object, sealed a little more (`frames.part_bytes`): what has to be sent again after a cut,
and what the guest holds twice in memory: one part is sealed while the one before it leaves.
"""
FRAME_BYTES = 1 << 20
"""Of compressed bytes in one sealed frame."""


class State(StrEnum):
    """Trove's states of a backup."""

    NEW = "NEW"
    BUILDING = "BUILDING"
    SAVING = "SAVING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    DELETE_FAILED = "DELETE_FAILED"
    RESTORED = "RESTORED"
    """registered from elsewhere"""


RUNNING = frozenset({State.NEW, State.BUILDING, State.SAVING})
RESTORABLE = frozenset({State.COMPLETED, State.RESTORED})


class Proof(StrEnum):
    """What is known of whether a backup restores."""

    UNPROVEN = "unproven"
    PROVING = "proving"
    RESTORABLE = "restorable"
    BROKEN = "broken"


@dataclass(frozen=True)
class Part:
    name: str
    """below the attempt: `000000`"""
    bytes: int
    sha256: str
    """of what is stored, hex"""


@dataclass(frozen=True)
class Key:
    """The backup's own key, sealed by a key of its project (AES-256-GCM, nonce first, hex)."""

    number: int
    """which of the project's keys"""
    sealed: str


@dataclass(frozen=True)
class Manifest:
    backup: str
    project: str
    instance: str
    name: str
    engine: str
    """as in engines/: `mysql`"""
    datastore: str
    version: str
    """exact, as the server tells it"""
    strategy: str
    """what made it, and therefore what restores it"""
    parent: str
    """the backup that it builds on; empty: it stands alone"""
    parent_mac: str
    """of that backup's manifest, so that no other can stand in for it"""
    gigabytes: int
    """of the volume that it was taken from"""
    created: float
    finished: float
    attempt: str
    parts: tuple[Part, ...]
    raw_bytes: int
    """of the native stream, before it was compressed"""
    stored_bytes: int
    position: Mapping[str, Any]
    """where in the engine's history it stands, in the engine's words (gtid, lsn, …): what the next one starts from"""
    canaries: Mapping[str, Any]
    """what was seen in the data at that moment, to be compared with what is restored"""
    key: Key
    mac: str = ""
    """HMAC-SHA256 by the backup's key over all the rest (`signed_text`), hex"""
    format: int = field(default=FORMAT)

    def signed_text(self) -> bytes:
        """What the MAC is over: the manifest without it, in one way of writing it."""
        told = {**dataclasses.asdict(self), "mac": ""}
        return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()

    def text(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True) + "\n"


def place(container: str, project: str, backup: str) -> str:
    """Prefix of everything that a backup is in the store."""
    return f"{container}/{project}/{backup}/"


def begun(attempt: str) -> str:
    """A name to write under for somebody who begins what was asked for, maybe not as the first: objects are written
    once, and what one who was killed has left is not touched.
    """
    return f"{attempt}-{secrets.token_hex(4)}"


def is_begun(told: str, attempt: str) -> bool:
    """Whether this is a name of that attempt."""
    return told == attempt or re.fullmatch(rf"{re.escape(attempt)}-[0-9a-f]{{8}}", told) is not None


def keys_place(container: str, project: str) -> str:
    return f"{container}/{project}/keys/"
