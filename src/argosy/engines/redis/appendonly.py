"""Redis's append-only files as text: which there are, where a command ends, and when it was executed.

A base file is the whole data set; the incremental files after it hold every command since, as clients send them, with
a line `#TS:<seconds>` before the first command of each second. The manifest names those that count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

DIRECTORY = "appendonlydir"
MANIFEST = "appendonly.aof.manifest"
READ_BYTES = 1 << 20
LINE = re.compile(r"file (\S+) seq (\d+) type ([bhi])")
CREATED = re.compile(rb"\xfa\x05ctime\xc2(.{4})", re.DOTALL)
"""In the head of a base file: when it was begun, as a 32-bit integer of RDB's own encoding."""
STAMP = b"#TS:"


class Torn(Exception):
    """what stands there is no command"""


@dataclass(frozen=True)
class Part:
    """One file that the manifest names."""

    file: str
    number: int
    """of the incremental file, or of the first one after the base: the two count apart in Redis"""
    base: bool

    @property
    def name(self) -> str:
        """In the order of history."""
        return f"{self.number:010d}.{'base.rdb' if self.base else 'incr.aof'}"


def parts(manifest: str) -> list[Part]:
    """Those that count, oldest first."""
    found = [(told[1], int(told[2]), told[3]) for told in map(LINE.match, manifest.splitlines()) if told]
    grown = sorted((number, file) for file, number, kind in found if kind == "i")
    first = grown[0][0] if grown else 1
    bases = [Part(file, first, base=True) for file, _, kind in found if kind == "b"]
    return bases + [Part(file, number, base=False) for number, file in grown]


def manifest(files: list[Part]) -> str:
    """Of a server that is to begin with these."""
    return "".join(
        f"file {each.file} seq {1 if each.base else each.number} type {'bi'[not each.base]}\n" for each in files
    )


def begun(base: Path) -> int:
    """When the data set of a base file was as it says; 0 when it does not tell."""
    with base.open("rb") as file:
        told = CREATED.search(file.read(512))
    return int.from_bytes(told[1], "little") if told else 0


def first_stamp(grown: Path) -> int:
    """The second of an incremental file's first command; 0 when it has none."""
    with grown.open("rb") as file:
        return _stamped(file.readline(64))


@dataclass
class Scan:
    """Reads commands on from a place between two of them, and remembers the last such place outside transactions."""

    end: int = 0
    """bytes from the beginning that are whole commands"""
    stamp: int = 0
    """the second of the last of them, as far as it was read"""

    def run(self, path: Path, *, until: int | None = None, most: int | None = None) -> None:
        """To the last whole command; before the first of a later second than `until`, and within `most` bytes."""
        with path.open("rb", buffering=READ_BYTES) as file:
            file.seek(self.end)
            inside, stamp = False, self.stamp
            for place, word, second in _commands(file, self.end):
                stamp = second or stamp
                if (until is not None and stamp > until) or (most is not None and place > most):
                    return
                inside = word == b"MULTI" or (inside and word != b"EXEC")
                if not inside:
                    self.end, self.stamp = place, stamp


def _commands(file: BinaryIO, place: int) -> Iterator[tuple[int, bytes, int]]:
    """Of each command or stamp, up to the first torn one: where it ends, its only word, the stamp's second."""
    try:
        while line := file.readline(READ_BYTES):
            place += len(line)
            if not line.endswith(b"\r\n"):
                return
            if line.startswith(b"#"):
                yield place, b"", _stamped(line)
                continue
            length, word = _words(file, line)
            place += length
            yield place, word, 0
    except Torn:
        return


def _words(file: BinaryIO, head: bytes) -> tuple[int, bytes]:
    """Bytes of the words of a command, and the word where it is a single one. Raises Torn."""
    count, size, word = _number(head, b"*"), 0, b""
    for _ in range(count):
        line = file.readline(64)
        length = _number(line, b"$")
        if count > 1 and length > READ_BYTES:
            file.seek(length, 1)
        else:
            word = file.read(length)
        if file.read(2) != b"\r\n":
            raise Torn
        size += len(line) + length + 2
    return size, word.upper() if count == 1 else b""


def _number(line: bytes, kind: bytes) -> int:
    if line[:1] != kind or line[-2:] != b"\r\n" or not line[1:-2].isdigit():
        raise Torn
    return int(line[1:-2])


def _stamped(line: bytes) -> int:
    told = line.removeprefix(STAMP).strip()
    return int(told) if line.startswith(STAMP) and told.isdigit() else 0
