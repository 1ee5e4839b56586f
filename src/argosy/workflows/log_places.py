"""Where published logs lie in the object store, by Trove's names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    container: str
    instance: str
    datastore: str
    log: str

    @property
    def prefix(self) -> str:
        return f"{self.instance}/{self.datastore}-{self.log}/"

    @property
    def metafile(self) -> str:
        return f"{self.instance}/{self.datastore}-{self.log}_metafile"

    def key(self, name: str) -> str:
        """Of one part of the log, in the store."""
        return f"{self.container}/{self.prefix}{name}"

    @property
    def metafile_key(self) -> str:
        return f"{self.container}/{self.metafile}"
