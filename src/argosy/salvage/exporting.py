"""Backups as the engines' own tools write them, for whoever wants to restore with nothing but those."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from argosy.engines import registry
from argosy.salvage import restoring
from argosy.salvage.reading import Reader
from argosy.stores import chains
from argosy.stores.chains import Link

SUMS = "SHA256SUMS"


def export(reader: Reader, links: Sequence[Link], place: Path) -> Iterator[Path]:
    """Each backup of the chain as a file, the full one first, with its manifest; their sums for `sha256sum --check`.

    Raises Conflict for a directory that is not empty, Damaged, WrongKey, Broken.
    """
    restoring.begin(place)
    sums = []
    for number, link in enumerate(links):
        stream = place / f"{number}-{link.manifest.backup}.{_suffix(link)}"
        digest = reader.copy(link, stream)
        manifest = place / f"{number}-{link.manifest.backup}.{chains.MANIFEST}"
        manifest.write_text(link.manifest.text())
        sums += [(digest, stream), (hashlib.sha256(manifest.read_bytes()).hexdigest(), manifest)]
        yield stream
    (place / SUMS).write_text("".join(f"{digest}  {file.name}\n" for digest, file in sums))


def _suffix(link: Link) -> str:
    known = {each.name: each.suffix for each in registry.get(link.manifest.engine).strategies}
    return known.get(link.manifest.strategy, "stream")
