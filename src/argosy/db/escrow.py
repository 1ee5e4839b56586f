"""The master key in a file that only its passphrase opens: with the store it is all that reading backups needs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import BinaryIO

from argosy import __version__, clock
from argosy.db import envelope
from argosy.db.envelope import Key, NotAnEnvelope, Sealing, Unsealing
from argosy.stores import keys

MAGIC = b"argosy key escrow 1\n"
LONGEST = 10_000


class NotAnEscrow(NotAnEnvelope):
    """this is no file that `argosy keys export` made"""


@dataclass(frozen=True)
class Escrow:
    master: bytes = field(repr=False)
    made: float

    @property
    def name(self) -> str:
        """Of the master key, as names of key objects in the store tell it."""
        return keys.wrapping(keys.deriving(self.master)).master


def write(out: BinaryIO, master: bytes, passphrase: str) -> Escrow:
    told = Escrow(master, clock.now())
    sealing = Sealing(out, Key("passphrase", passphrase.encode()), MAGIC)
    fields = {"master": master.hex(), "name": told.name, "made": told.made, "release": __version__}
    sealing.write(json.dumps(fields).encode())
    sealing.close()
    return told


def read(source: BinaryIO, passphrase: str) -> Escrow:
    """Raises NotAnEscrow, WrongKey, Damaged."""
    try:
        fields, header = envelope.read_header(source, MAGIC)
    except NotAnEnvelope as error:
        raise NotAnEscrow from error
    plain = Unsealing(source, fields, header, Key("passphrase", passphrase.encode())).read(LONGEST)
    told = json.loads(plain)
    return Escrow(bytes.fromhex(told["master"]), told["made"])
