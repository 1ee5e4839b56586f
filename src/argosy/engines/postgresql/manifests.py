"""What a server of release 17 wants to know of a backup before it tells what changed since: a manifest, in little.

The whole one takes 140 bytes for each file. All that the server looks up in it is where the backup began, and which
files of relations it had.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from argosy.engines.backups import NEXT

MOST_LETTERS = 96 << 10
"""of a packed list: it travels with commands"""

RELATION = re.compile(r"(?:(base/\d+|global)/)(?:INCREMENTAL\.)?(\d+)((?!_fsm)\D\S*)?")


def pack(paths: Iterable[str]) -> str:
    """The files of relations among these, in few letters; empty when they are too many."""
    folders: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for path in paths:
        if found := RELATION.fullmatch(path):
            folders[found[1]].append((int(found[2]), found[3] or ""))
    lines = (f"{folder} {' '.join(_steps(sorted(names)))}" for folder, names in sorted(folders.items()))
    packed = base64.b64encode(zlib.compress("\n".join(lines).encode(), 9)).decode()
    return packed if len(packed) <= MOST_LETTERS else ""


def unpack(packed: str) -> Iterator[str]:
    for line in zlib.decompress(base64.b64decode(packed)).decode().splitlines():
        folder, *steps = line.split(" ")
        number = 0
        for step in steps:
            digits = re.match(r"\d+", step)
            rest = step[digits.end() :] if digits else step
            number += int(digits[0]) if digits else 0
            yield f"{folder}/{number}{rest}"


def write(position: Mapping[str, Any]) -> str:
    """The manifest, as `pg_basebackup --incremental` takes it, of the backup that stands there."""
    files = ",\n".join(json.dumps({"Path": path, "Size": 0}) for path in unpack(position[NEXT]["files"]))
    told = {"Timeline": position["timeline"], "Start-LSN": position["start"], "End-LSN": position["start"]}
    text = (
        f'{{ "PostgreSQL-Backup-Manifest-Version": 2,\n"System-Identifier": {int(position["system"])},\n'
        f'"Files": [\n{files}\n],\n"WAL-Ranges": [\n{json.dumps(told)}\n],\n'
    )
    return f'{text}"Manifest-Checksum": "{hashlib.sha256(text.encode()).hexdigest()}"}}\n'


def _steps(names: list[tuple[int, str]]) -> Iterator[str]:
    """Each as how far it is from the one before: what differs little takes no room."""
    before = 0
    for number, rest in names:
        yield f"{number - before or ''}{rest}" or "0"
        before = number
