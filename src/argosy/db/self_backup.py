"""The control plane in one file: control database, keys, certificate authority, settings. Not the databases' data.

Inside the envelope stands a compressed tar archive: `manifest.json` first, which names each other member with its
SHA-256, then `argosy.toml`, `keys/…` and `control.db`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO

from argosy import __version__, clock, errors
from argosy.db import copying, envelope
from argosy.db.envelope import Key, Sealing, Unsealing
from argosy.db.session import Database
from argosy.settings import Settings

FORMAT = 1
MANIFEST, SETTINGS, KEYS, DATABASE = "manifest.json", "argosy.toml", "keys", "control.db"
SUFFIX = ".argosy"
FACT = "self_backup"
"""Name of the fact: when the deployment kept a backup of itself last, as {at, file, bytes}."""


class Unfit(errors.Broken):
    """this backup cannot be restored by this release: install the one that made it, or a later one"""


class NoPassphrase(errors.Broken):
    """self_backup.passphrase_file is empty: its first line is to be the passphrase"""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    made: float
    release: str
    revision: str
    """of the control database's schema"""
    level: str
    state: str
    """the state directory it was made of"""
    files: Mapping[str, str]
    """member -> SHA-256, hex"""


def write(settings: Settings, database: Database, out: BinaryIO, key: Key) -> Manifest:
    """Everything as it is at one moment, while Argosy runs or not. Raises NothingThere."""
    with tempfile.TemporaryDirectory(prefix="copy-", dir=_private(settings)) as directory:
        place = Path(directory)
        revision = copying.save(database, place / DATABASE)
        members = {SETTINGS: settings.state / SETTINGS, **_keys(settings), DATABASE: place / DATABASE}
        digests = {name: _digest(file) for name, file in members.items()}
        level, state = settings.provider.level, str(settings.state)
        manifest = Manifest(FORMAT, clock.now(), __version__, revision, level, state, digests)
        _pack(manifest, members, out, key)
    return manifest


def own_key(settings: Settings) -> Key:
    """What seals the deployment's own backups. Raises NoPassphrase for a file that cannot be read."""
    if not settings.self_backup.passphrase_file:
        return Key("master", (settings.keys / "master.key").read_bytes())
    try:
        told = Path(settings.self_backup.passphrase_file).read_text().splitlines()
    except OSError as error:
        raise NoPassphrase(f"self_backup.passphrase_file cannot be read: {error}") from error
    if not told or not told[0]:
        raise NoPassphrase
    return Key("passphrase", told[0].encode())


def keep(settings: Settings, database: Database, *, now: float) -> Path:
    """One more of the deployment's own backups; the newest stay. A crash leaves none that is not whole."""
    place = _private(settings)
    stamp = clock.timestamp(now).replace(":", "").replace("-", "")
    file = place / f"argosy-{stamp}Z{SUFFIX}"
    write_to(settings, database, file, own_key(settings))
    for old in sorted(place.glob(f"*{SUFFIX}"))[: -settings.self_backup.kept]:
        old.unlink()
    return file


def write_to(settings: Settings, database: Database, file: Path, key: Key) -> Manifest:
    """Into a file that only its owner reads; it is there whole or not at all."""
    fresh = file.with_name(f".{file.name}.new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        manifest = write(settings, database, out, key)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    return manifest


def unpack(source: BinaryIO, key: Key, place: Path) -> Manifest:
    """Have every member in `place`, read back and compared. Raises Unfit, WrongKey, Damaged, Torn, NewerSchema."""
    fields, line = envelope.read_header(source)
    if fields["key"] != key.kind:
        raise envelope.WrongKey(f"this backup is opened by its {fields['key']}: see docs/operate/self-backup.md")
    plain = Unsealing(source, fields, line, key)
    try:
        with tarfile.open(fileobj=plain, mode="r|gz") as archive:  # type: ignore[call-overload] # it only reads
            manifest = _extract(archive, place)
    except (tarfile.TarError, EOFError) as error:
        raise envelope.Damaged from error
    while plain.read(1 << 16):  # to the end: a file that was cut short is found by its last piece
        continue
    copying.check(place / DATABASE)
    return manifest


def _extract(archive: tarfile.TarFile, place: Path) -> Manifest:
    manifest: Manifest | None = None
    for member in archive:
        content = archive.extractfile(member)
        if content is None:
            raise envelope.Damaged
        if manifest is None:
            manifest = _manifest(content.read())
            continue
        if member.name not in manifest.files:
            raise envelope.Damaged
        _put(content, place / member.name)
    if manifest is None or not all(_holds(place / name, digest) for name, digest in manifest.files.items()):
        raise envelope.Damaged
    return manifest


def _holds(file: Path, digest: str) -> bool:
    return file.exists() and _digest(file) == digest


def _manifest(text: bytes) -> Manifest:
    told = json.loads(text)
    if told.get("format") != FORMAT:
        raise Unfit
    manifest = Manifest(**told)
    fit = {SETTINGS, DATABASE} | {name for name in manifest.files if Path(name).parent == Path(KEYS)}
    if set(manifest.files) != fit:
        raise Unfit
    return manifest


def _put(content: IO[bytes], file: Path) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        shutil.copyfileobj(content, out)
        out.flush()
        os.fsync(out.fileno())


def _pack(manifest: Manifest, members: Mapping[str, Path], out: BinaryIO, key: Key) -> None:
    sealing = Sealing(out, key)
    with tarfile.open(fileobj=sealing, mode="w|gz") as archive:  # type: ignore[call-overload] # it only writes
        text = json.dumps(asdict(manifest)).encode()
        told = tarfile.TarInfo(MANIFEST)
        told.size = len(text)
        archive.addfile(told, io.BytesIO(text))
        for name, file in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = file.stat().st_size
            with file.open("rb") as content:
                archive.addfile(entry, content)
    sealing.close()


def _keys(settings: Settings) -> dict[str, Path]:
    return {f"{KEYS}/{file.name}": file for file in sorted(settings.keys.iterdir()) if file.is_file()}


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _private(settings: Settings) -> Path:
    """Where the deployment keeps its own backups, for nobody else to read."""
    place = settings.state / "self-backups"
    place.mkdir(mode=0o700, exist_ok=True)
    return place
