"""What a guest is told of the archived log that it is to go on along, once it has restored a backup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from argosy.db.tables import ArchiveFile, ArchiveStream, Backup
from argosy.workflows import archives

MARGIN = 60.0
"""seconds by which clocks of guests may differ from ours"""


def order(session: Session, restore: Mapping[str, Any]) -> dict[str, Any] | None:
    """The log that the guest is to go on along, from the file that the backup was taken in."""
    if not restore.get("log"):
        return None
    stream = session.get_one(ArchiveStream, (restore["log"]["instance"], restore["log"]["stream"]))
    backup = session.get_one(Backup, restore["backup_id"])
    return {
        "instance": stream.instance_id,
        "stream": stream.number,
        "place": stream.place,
        "key": stream.data_key,
        "first": first(archives.files(session, stream), backup),
        "target": restore["target"],
    }


def first(files: Sequence[ArchiveFile], backup: Backup) -> str:
    """Name of the file that a replay from the backup begins with. What the backup did not see came later."""
    before = [each.name for each in files if each.begins and each.first_at <= backup.created - MARGIN]
    return before[-1] if before else next((each.name for each in files if each.begins), "")
