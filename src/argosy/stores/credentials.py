"""What opens a store: in a file that only the deployment's user can read, never in settings, arguments or logs."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

from argosy.model import process
from argosy.stores.base import StoreRefused


def read(file: Path, *names: str) -> tuple[str, ...]:
    """The values of these names. Raises StoreRefused, which says how the file is made."""
    told = ", ".join(f'{name} = "…"' for name in names)
    how = f"write {told} into it, a line each, and chmod it 600"
    try:
        mode, text = file.stat().st_mode, file.read_text()
    except PermissionError as error:
        whose = f"chown it to {process.user()}, or name a file of your own in [store]"
        raise StoreRefused(f"the store's credentials cannot be read from {file}: {whose}") from error
    except OSError as error:
        raise StoreRefused(f"the store's credentials cannot be read from {file} ({error.strerror}): {how}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StoreRefused(f"others than its owner can read {file}: chmod it 600")
    return tuple(_values(file, text, names, how))


def _values(file: Path, text: str, names: tuple[str, ...], how: str) -> list[str]:
    try:
        told = tomllib.loads(text)
        return [str(told[name]) for name in names]
    except tomllib.TOMLDecodeError as error:
        raise StoreRefused(f"{file} is not TOML: {how}") from error
    except KeyError as error:
        raise StoreRefused(f"{file} does not say {error.args[0]}: {how}") from error
