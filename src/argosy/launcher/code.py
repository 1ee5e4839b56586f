"""Which code runs: what was installed when it started, against what is installed now."""

from __future__ import annotations

import hashlib
from pathlib import Path

import argosy
from argosy.launcher import processes

CURE = (
    "What runs is older than what is installed: argosy down, then argosy up, changes over; databases go on running"
    " meanwhile"
)


def record(run: Path) -> None:
    """What is installed now is about to run."""
    processes.write(run / "code", fingerprint())


def outdated(run: Path) -> bool:
    """Whether something else was installed when what runs was started. Who left no record came before there was one."""
    try:
        return (run / "code").read_text() != fingerprint()
    except (FileNotFoundError, NotADirectoryError):
        return True


def fingerprint() -> str:
    """Of every module of Argosy, by name and content."""
    root, digest = Path(argosy.__file__).parent, hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return digest.hexdigest()
