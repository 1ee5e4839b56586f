"""One authority takes another's place: three moves of files in `settings.keys`, each of which may be repeated.

    begin     next.key and next.crt are made: the coming authority is trusted, the present one signs
    promote   the coming one signs, as ca.key and ca.crt; old.crt is still trusted, its key is gone
    retire    old.crt is gone

Whoever reads the files in between, or after a crash in between, finds a key with its certificate.
"""

from __future__ import annotations

import os
import shutil
from enum import StrEnum
from pathlib import Path

from argosy.engines import files
from argosy.guest import authority


class Stage(StrEnum):
    SETTLED = "settled"
    """one authority, which signs"""
    ANNOUNCED = "announced"
    """the coming one is trusted and does not sign yet"""
    PROMOTED = "promoted"
    """the new one signs, the old one is still trusted"""


def stage(keys: Path) -> Stage:
    if (keys / "next.crt").exists():
        return Stage.ANNOUNCED
    return Stage.PROMOTED if (keys / "old.crt").exists() else Stage.SETTLED


def begin(keys: Path) -> None:
    if stage(keys) is Stage.SETTLED:
        authority.ensure(keys, "next")


def promote(keys: Path) -> None:
    """The key first: whoever finds it beside the old certificate finds its own beside that."""
    if stage(keys) is not Stage.ANNOUNCED:
        return
    if (keys / "next.key").exists():
        _copy(keys / "ca.crt", keys / "old.crt")
        (keys / "next.key").replace(keys / "ca.key")
    (keys / "next.crt").replace(keys / "ca.crt")
    files.sync_directory(keys)


def retire(keys: Path) -> None:
    (keys / "old.crt").unlink(missing_ok=True)
    files.sync_directory(keys)


def _copy(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}")
    shutil.copyfile(source, draft)
    os.chmod(draft, 0o644)  # noqa: PTH101 - public by nature
    draft.replace(target)
