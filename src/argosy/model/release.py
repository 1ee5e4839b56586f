"""Which code a guest's agent runs: the release, and a digest of what the agent is made of."""

from __future__ import annotations

import hashlib
from pathlib import Path

import argosy

PARTS = ("agent", "engines", "model", "stores", ".")
DIGITS = 12


def agent() -> str:
    """Of what is installed now, which may be newer than what runs: the same on the host and inside a guest."""
    root, digest = Path(argosy.__file__).parent, hashlib.sha256()
    for part in PARTS:
        for file in sorted((root / part).glob("*.py" if part == "." else "**/*.py")):
            digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return f"{argosy.__version__}+{digest.hexdigest()[:DIGITS]}"
