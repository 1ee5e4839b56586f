"""What is kept back of a volume for the next start, on a real one that is small."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.agent.room import Room
from argosy.model.guest import Site

MIB = 1 << 20
VOLUME = 64 * MIB
WANTED = 24 * MIB


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={VOLUME}", "none", data], check=True)
    yield place(data)
    subprocess.run(["umount", data], check=True)


def place(data: Path) -> Site:
    return Site(Path("/"), data, data.parent, "127.0.0.1", 3306, 512 * MIB, 1, VOLUME)


def free(site: Site) -> int:
    room = os.statvfs(site.data)
    return room.f_bavail * room.f_frsize


def take(site: Site, size: int) -> Path:
    file = site.data / "taken"
    with file.open("ab") as out:
        os.posix_fallocate(out.fileno(), file.stat().st_size, size)
    return file


def test_a_full_volume_has_room_for_one_more_start(site: Site) -> None:
    room = Room(WANTED)
    room.keep(site)
    room.keep(site)
    assert free(site) == VOLUME - WANTED
    take(site, free(site))
    assert room.found(site)
    assert free(site) == WANTED
    assert not room.found(site)


def test_room_that_somebody_makes_is_noticed_once(site: Site) -> None:
    room, taken = Room(0), take(site, VOLUME)
    assert not room.found(site)
    taken.unlink()
    assert room.found(site)
    assert not room.found(site)


def test_of_scarce_room_half_is_left_to_the_server(site: Site) -> None:
    room = Room(WANTED)
    take(site, VOLUME - 20 * MIB)
    room.keep(site)
    assert free(site) == 10 * MIB
    room.keep(site)
    assert free(site) == 10 * MIB


def test_a_plain_directory_is_left_alone(tmp_path: Path) -> None:
    room, site = Room(WANTED), place(tmp_path)
    room.keep(site)
    assert not room.found(site)
    assert list(tmp_path.iterdir()) == []
