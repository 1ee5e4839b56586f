"""One part of a backup as it comes out of the store, its length and its digest with it."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from argosy.model.backups import Part
from argosy.stores.frames import SEALED_FRAME, Damaged


class PartReader:
    """Reads it in order, once."""

    def __init__(self, part: Part, source: BinaryIO) -> None:
        self.part, self._source = part, source
        self._digest = hashlib.sha256()
        self.taken = 0

    def take(self, size: int) -> bytes:
        """Exactly so many bytes. Raises Damaged."""
        pieces = []
        while size:
            piece = self._source.read(size)
            if not piece:
                raise Damaged(f"part {self.part.name} is cut short: {self.taken} of {self.part.bytes} bytes are there")
            self._digest.update(piece)
            self.taken += len(piece)
            size -= len(piece)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def check_end(self) -> None:
        """Raises Damaged."""
        if self._source.read(1):
            raise Damaged(f"part {self.part.name} is longer than the {self.part.bytes} bytes that were written")
        if self._digest.hexdigest() != self.part.sha256:
            raise Damaged(f"part {self.part.name} is damaged: its checksum is another than the one that was written")

    def rest_is_whole(self) -> bool:
        """Whether it is at least what was stored, byte by byte."""
        try:
            while self.taken < self.part.bytes:
                self.take(min(SEALED_FRAME, self.part.bytes - self.taken))
            self.check_end()
        except Damaged:
            return False
        return True
