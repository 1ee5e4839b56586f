"""The files of a volume that no server runs on, as a tar stream: what the strategy `snapshot` of every engine is."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from argosy import errors
from argosy.engines import programs

DIRECTORY = "db"
"""below the volume, as in the stream"""


def dump(data: Path, out: int, *, without: Collection[str] = ()) -> None:
    """Write the volume's data directory into `out`. `without`: patterns of tar, of what a server makes anew."""
    if not (data / DIRECTORY).is_dir():
        raise errors.GuestFailed(f"there is no data directory on {data}")
    left_out = [f"--exclude={each}" for each in without]
    programs.stream(
        "tar", "--create", f"--directory={data}", "--format=posix", "--sparse", *left_out, DIRECTORY, into=out
    )


def load(data: Path, source: int) -> None:
    """Unpack it again, durably. Files belong to who unpacks them."""
    options = ("--no-same-owner", "--preserve-permissions", "--delay-directory-restore")
    programs.stream("tar", "--extract", f"--directory={data}", *options, source=source)
    programs.run("sync", "--file-system", data)
