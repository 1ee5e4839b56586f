"""Eight ways in which a backup can be damaged, each done at random to a chain in a store that is a directory."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.model.backups import Manifest
from argosy.stores import chains
from argosy.stores.frames import HEADER, SEALED_FRAME
from argosy.testing.archives import Vault


@dataclass(frozen=True)
class Patient:
    """A chain, the full one first, and another of the same project, in a copy of the store that may be spoilt."""

    root: Path
    vault: Vault
    chain: Sequence[Manifest]
    other: Sequence[Manifest]
    dice: random.Random

    def home(self, manifest: Manifest) -> Path:
        return self.root / self.vault.place(manifest.backup)

    def manifest(self, manifest: Manifest) -> Path:
        return self.home(manifest) / chains.MANIFEST

    def part(self) -> Path:
        """One of any link, usually not the last."""
        link = self.dice.choice(self.chain)
        return self.home(link) / link.attempt / self.dice.choice(link.parts).name

    def write(self, file: Path, data: bytes) -> None:
        """Objects are shared with other copies of the store: never in place."""
        file.unlink()
        file.write_bytes(data)

    def edit(self, manifest: Manifest, **fields: object) -> None:
        file = self.manifest(manifest)
        self.write(file, json.dumps({**json.loads(file.read_bytes()), **fields}).encode())


def flip_a_byte(patient: Patient) -> str:
    file = patient.part()
    data = bytearray(file.read_bytes())
    data[patient.dice.randrange(len(data))] ^= 1 << patient.dice.randrange(8)
    patient.write(file, bytes(data))
    return f"backup {_owner(file)}: part {file.name} is damaged"


def _owner(part: Path) -> str:
    return part.parent.parent.name


def lose_a_frame(patient: Patient) -> str:
    file = patient.part()
    data = file.read_bytes()
    begin = HEADER + SEALED_FRAME * patient.dice.randrange((len(data) - HEADER - 1) // SEALED_FRAME + 1)
    patient.write(file, data[:begin] + data[begin + SEALED_FRAME :])
    return f"backup {_owner(file)}: part {file.name} (is damaged|is cut short|has )"


def swap_keys(patient: Patient) -> str:
    link = patient.dice.choice(patient.chain)
    if patient.dice.random() < 0.5:
        patient.edit(link, key=dataclasses.asdict(patient.other[0].key))
        return f"the key of backup {link.backup} cannot be opened"
    keys = sorted((patient.root / patient.vault.container / patient.vault.project / "keys").iterdir())
    first, second = keys[0].read_bytes(), keys[1].read_bytes()
    patient.write(keys[0], second)
    patient.write(keys[1], first)
    return "keys/.* is damaged: the master key that its name tells does not open it"


def lose_a_parent(patient: Patient) -> str:
    parent = patient.dice.choice(patient.chain[:-1])
    if patient.dice.random() < 0.5:
        shutil.rmtree(patient.home(parent))
    else:
        patient.manifest(parent).unlink()
    return f"builds on {parent.backup}, which is not in the store"


def truncate(patient: Patient) -> str:
    file = patient.part() if patient.dice.random() < 0.7 else patient.manifest(patient.dice.choice(patient.chain))
    data = file.read_bytes()
    patient.write(file, data[: patient.dice.randrange(len(data))])
    return f"part {file.name} (is cut short|has )|manifest.json is damaged"


def reorder(patient: Patient) -> str:
    """Links change places; or the last stands on another one than it was taken on."""
    one, two = patient.dice.sample(list(patient.chain), 2)
    kind = patient.dice.randrange(3)
    if kind == 0:
        first, second = patient.manifest(one).read_bytes(), patient.manifest(two).read_bytes()
        patient.write(patient.manifest(one), second)
        patient.write(patient.manifest(two), first)
        return "is of another backup"
    if kind == 1:
        patient.edit(patient.chain[-1], parent=patient.chain[0].backup, parent_mac=patient.chain[0].mac)
        return f"the manifest of backup {patient.chain[-1].backup} was changed"
    stranger = patient.other[0]
    forged = dataclasses.replace(stranger, backup=patient.chain[0].backup, mac="")
    data_key = patient.vault.key.open(stranger.backup, stranger.key)
    forged = chains.signed(dataclasses.replace(forged, key=patient.vault.key.seal(forged.backup, data_key)), data_key)
    patient.write(patient.manifest(patient.chain[0]), forged.text().encode())
    return f"was not built on the {patient.chain[0].backup} that is in the store"


def edit_the_manifest(patient: Patient) -> str:
    link = patient.dice.choice(patient.chain)
    told = json.loads(patient.manifest(link).read_bytes())
    changes: Mapping[str, object] = {
        "strategy": "snapshot",
        "version": "14.1",
        "raw_bytes": told["raw_bytes"] + 1,
        "position": {**told["position"], "segment": 1},
        "canaries": {"x": 1},
        "parts": told["parts"][:-1],
        "finished": told["finished"] + 1,
        "mac": told["mac"][::-1],
        "instance": "somebody else's",
    }
    name = patient.dice.choice(sorted(changes))
    patient.edit(link, **{name: changes[name]})
    return f"the manifest of backup {link.backup} was changed"


WAYS: Sequence[Callable[[Patient], str]] = (
    flip_a_byte, lose_a_frame, swap_keys, lose_a_parent, truncate, reorder, edit_the_manifest,
)  # fmt: skip
"""Each says in which words it must be found. The eighth way is the archived log's: `lose_a_segment`."""


def lose_a_segment(directory: Path, dice: random.Random) -> str:
    """A file of the log, the end or the middle of one, or a byte of it."""
    pieces = sorted(directory.iterdir())
    victim = dice.choice(pieces)
    file = victim.name.rpartition(".")[0]
    kind = dice.randrange(3)
    if kind == 0:
        for each in directory.glob(f"{file}.*"):
            each.unlink()
    elif kind == 1:
        victim.unlink()
    else:
        data = bytearray(victim.read_bytes())
        data[dice.randrange(len(data) // 2, len(data))] ^= 1
        victim.write_bytes(data)
    return f"{file} of the archived log (ends at|has a gap|is damaged)"


def copied(store: Path, into: Path) -> Path:
    return Path(shutil.copytree(store, into, copy_function=os.link))
