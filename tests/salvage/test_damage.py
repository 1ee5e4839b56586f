"""Two hundred damaged backups are all found, named, and never restored; two hundred good ones raise no alarm."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import random
import re
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import damages
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from damages import WAYS, Patient, copied, lose_a_segment

from argosy import errors
from argosy.agent.archived import Log
from argosy.agent.stages import Tally
from argosy.agent.throttle import Throttle
from argosy.model.backups import Manifest
from argosy.salvage import restoring, verifying
from argosy.salvage.reading import Reader
from argosy.salvage.restoring import Restored
from argosy.salvage.shelf import Shelf
from argosy.stores import chunks, keys
from argosy.stores.filesystem import FilesystemStore
from argosy.testing import servers
from argosy.testing.archives import Vault

SOAK = bool(os.environ.get("ARGOSY_SOAK"))
EACH = 25 if SOAK else 4
"""of every way; eight ways are two hundred"""
MASTER = bytes(range(32))
SEGMENT = 4096
CHUNK = 1000


@pytest.fixture(scope="module")
def dice() -> random.Random:
    seed = int(os.environ.get("ARGOSY_SEED", "0")) or random.randrange(1, 1 << 32)
    print(f"ARGOSY_SEED={seed}")
    return random.Random(seed)


@dataclasses.dataclass(frozen=True)
class Kept:
    vault: Vault
    root: Path
    chains: list[list[Manifest]]
    restored: Restored
    trees: dict[str, dict[str, str]]
    """what each chain restores to, by its last backup: file -> digest"""

    def load(self, chain: list[Manifest], root: Path, place: Path) -> None:
        shelf = Shelf(FilesystemStore(root), wrapping=self.vault.wrapping)
        links = shelf.chain(self.vault.place(chain[-1].backup))
        restoring.load(Reader(shelf.store), links, place, self.restored)

    def verdict(self, chain: list[Manifest], root: Path, *, quick: bool) -> str:
        shelf = Shelf(FilesystemStore(root), wrapping=self.vault.wrapping)
        places = [self.vault.place(chain[-1].backup)]
        [told] = verifying.verify(shelf, places, Reader(shelf.store), quick=quick)
        return told.fault


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, dice: random.Random) -> Kept:
    """Chains of PostgreSQL's files, one of them in several parts."""
    found = servers.require("postgresql", "15")
    root = tmp_path_factory.mktemp("kept") / "objects"
    vault = Vault(FilesystemStore(root), MASTER)
    keys.publish(
        vault.store, vault.container, dataclasses.replace(vault.key, number=2, secret=os.urandom(32)), vault.wrapping
    )
    restored = Restored("postgresql", found.version, str(found.root), "", 1)
    kept = Kept(vault, root, [], restored, {})
    for number in range(4):
        kept.chains.append(_chain(kept, dice, 10 << 20 if number == 0 else dice.randrange(1, 200_000)))
    return kept


def _chain(kept: Kept, dice: random.Random, size: int) -> list[Manifest]:
    files = {f"base/1/{number}": dice.randbytes(size) for number in range(1, 3)}
    told: dict[str, Any] = {"engine": "postgresql", "datastore": "postgresql", "version": kept.restored.version}
    chain = [kept.vault.keep(_tar(files), strategy="basebackup", **told)]
    for number in range(2):
        more = {f"pg_wal/{number:024}": dice.randbytes(dice.randrange(1, SEGMENT))}
        position = {"kind": "log", "segment": SEGMENT}
        chain.append(kept.vault.keep(_tar(more), chain[-1], strategy="incremental", position=position, **told))
        files |= {name: data.ljust(SEGMENT, b"\0") for name, data in more.items()}
    kept.trees[chain[-1].backup] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return chain


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def _tree(directory: Path) -> dict[str, str]:
    files = [each for each in directory.rglob("*") if each.is_file()]
    return {str(each.relative_to(directory)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_damage_is_found_and_named_and_never_restored(
    kept: Kept, dice: random.Random, tmp_path: Path, way: Callable[[Patient], str]
) -> None:
    for number in range(EACH):
        chain, other = dice.sample(kept.chains, 2)
        root = copied(kept.root, tmp_path / f"objects {number}")
        words = way(Patient(root, kept.vault, chain, other, dice))
        assert re.search(words, kept.verdict(chain, root, quick=False)), words
        place = tmp_path / f"restored {number}"
        with pytest.raises(errors.ArgosyError, match=words):
            kept.load(chain, root, place)
        assert not (place / "data" / "db").exists()


def test_good_ones_raise_no_alarm_and_are_restored(kept: Kept, dice: random.Random, tmp_path: Path) -> None:
    for number in range(EACH * len(WAYS)):
        chain = dice.choice(kept.chains)
        assert not kept.verdict(chain, kept.root, quick=True)
        assert not kept.verdict(chain, kept.root, quick=False)
        kept.load(chain, kept.root, tmp_path / f"{number}")
        restored = _tree(tmp_path / f"{number}" / "data" / "db")
        expected = kept.trees[chain[-1].backup]
        assert {name: restored[name] for name in expected} == expected


class Shop:
    """Pieces of an archived log, as the conductor's door would give them."""

    def __init__(self, directory: Path, files: Mapping[str, bytes]) -> None:
        self.directory, self.files = directory, files

    def get(self, place: str) -> BinaryIO:
        if place == "1/files/all":
            return self._told([{"name": name, "bytes": len(data)} for name, data in self.files.items()])
        if place.startswith("1?"):
            return self._told([{"name": each.name, "bytes": each.stat().st_size} for each in self._pieces()])
        try:
            return io.BytesIO(b"".join((self.directory / name).read_bytes() for name in place[2:].split(",")))
        except FileNotFoundError as error:
            raise errors.NotFound from error

    def _pieces(self) -> list[Path]:
        return sorted(self.directory.iterdir())

    def _told(self, names: list[dict[str, Any]]) -> BinaryIO:
        return io.BytesIO(json.dumps(names).encode())


LOG = {"key": bytes(32).hex(), "instance": "i", "stream": 1, "first": "log.000000"}


def _log(directory: Path, dice: random.Random) -> dict[str, bytes]:
    """Three files in pieces."""
    files = {f"log.{number:06}": dice.randbytes(dice.randrange(3 * CHUNK, 9 * CHUNK)) for number in range(3)}
    directory.mkdir()
    for name, data in files.items():
        for offset in range(0, len(data), CHUNK):
            piece = data[offset : offset + CHUNK]
            head = chunks.Head("i", 1, name, offset, len(piece), 0.0, offset == 0, closed=False)
            sealed = chunks.seal(AESGCM(bytes(32)), head, piece, dice.randbytes(chunks.NONCE))
            (directory / head.name).write_bytes(sealed)
    return files


def _laid(directory: Path, files: Mapping[str, bytes], into: Path) -> dict[str, bytes]:
    into.mkdir()
    log = Log(Shop(directory, files), LOG, Tally(Throttle(0)))
    for name, size in log.files():
        log.fetch(name, size, into / name)
    return {each.name: each.read_bytes() for each in into.iterdir()}


def test_a_lost_segment_of_the_log_is_found_and_named(dice: random.Random, tmp_path: Path) -> None:
    for number in range(EACH):
        shipped = tmp_path / f"{number}"
        files = _log(shipped, dice)
        assert _laid(shipped, files, tmp_path / f"good {number}") == files
        words = lose_a_segment(shipped, dice)
        with pytest.raises(errors.Broken, match=words):
            _laid(shipped, files, tmp_path / f"bad {number}")


def test_there_are_eight_ways() -> None:
    assert len({*WAYS, damages.lose_a_segment}) == 8
