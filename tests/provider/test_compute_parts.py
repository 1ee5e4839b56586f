"""The parts that compute is made of: control groups, user ids, engine roots, files in hostile places."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from argosy import errors
from argosy.engines import registry
from argosy.providers.local import cgroups, documents, runtime, sandbox
from argosy.providers.local.cgroups import Cgroups, Controller
from argosy.providers.local.documents import Writing
from argosy.providers.local.layout import Layout
from argosy.providers.local.roots import Roots
from argosy.providers.local.users import BLOCK, FIRST, Users
from argosy.testing.waiting import eventually

V1 = """\
30 29 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
31 29 0:27 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
32 29 0:28 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
33 29 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
34 29 0:30 / /tmp rw,relatime - tmpfs none rw
"""
V2 = "33 29 0:29 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
rooted = pytest.mark.skipif(os.geteuid() != 0, reason="control groups need root")


def offers(*names: str) -> cgroups.Offered:
    def offered(_mount: Path) -> Sequence[str]:
        return names

    return offered


def test_each_controller_is_used_where_it_is() -> None:
    found = cgroups.controllers(V1, offers("hugetlb"))
    assert {name: (str(each.mount), each.unified) for name, each in found.items()} == {
        "cpu": ("/sys/fs/cgroup/cpu,cpuacct", False),
        "memory": ("/sys/fs/cgroup/memory", False),
        "pids": ("/sys/fs/cgroup/pids", False),
    }


def test_a_unified_hierarchy_is_joined_once() -> None:
    groups = Cgroups("argosy-x", cgroups.controllers(V2, offers("cpu", "io", "memory", "pids")))
    assert sorted(groups.controllers) == ["cpu", "memory", "pids"]
    assert groups.directories("g") == [Path("/sys/fs/cgroup/argosy-x/g")]


def test_a_hybrid_takes_from_both() -> None:
    found = cgroups.controllers(V1.replace("rw,memory", "rw,freezer"), offers("memory"))
    assert (found["memory"].unified, found["cpu"].unified) == (True, False)


@pytest.fixture
def hierarchy(tmp_path: Path) -> Cgroups:
    """Version 2 as a directory: what is written there is what a kernel would read."""
    group = tmp_path / "argosy-x" / "g"
    group.mkdir(parents=True)
    for file in ("memory.max", "memory.swap.max", "cpu.max", "pids.max"):
        (group / file).touch()
    return Cgroups("argosy-x", {name: Controller(name, tmp_path, unified=True) for name in cgroups.WANTED})


def test_limits_in_the_words_of_version_2(hierarchy: Cgroups) -> None:
    hierarchy.limit("g", 256, 0.5)
    (group,) = hierarchy.directories("g")
    assert {path.name: path.read_text() for path in group.iterdir()} == {
        "memory.max": str(256 << 20),
        "memory.swap.max": "0",
        "cpu.max": "50000 100000",
        "pids.max": "4096",
    }


@pytest.fixture
def unified() -> Iterator[Cgroups]:
    """The real version 2 of this machine, whichever controllers it has left."""
    lines = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - cgroup2 " in line]
    if not lines:
        pytest.skip("version 2 is not mounted here")
    groups = Cgroups(f"argosy-test-{os.getpid()}", {"none": Controller("none", Path(lines[0][4]), unified=True)})
    (directory,) = groups.directories("g")
    directory.mkdir(parents=True)
    yield groups
    groups.remove("g")
    groups.teardown()


@rooted
def test_version_2_ends_a_group_at_once(unified: Cgroups) -> None:
    (directory,) = unified.directories("g")
    script = f"echo 0 > {directory}/cgroup.procs; sleep 3600 & sleep 3600 & exec sleep 3600"
    with subprocess.Popen(["sh", "-c", script]):
        eventually(lambda: len(unified.group_of("g").members()) == 3)
        assert unified.end("g")
    assert unified.group_of("g").members() == set()


def test_user_ids_are_kept_until_released(tmp_path: Path) -> None:
    users = Users(Layout(tmp_path))
    first, second = users.reserve("a"), users.reserve("b")
    assert users.reserve("a") == first != second
    assert FIRST <= first < FIRST + 0x10000000 - BLOCK
    users.release("a")
    assert users.taken() == {second: "b"}
    users.release("a")


def test_deployments_do_not_share_user_ids(tmp_path: Path) -> None:
    assert Users(Layout(tmp_path / "a")).first != Users(Layout(tmp_path / "b")).first


def test_what_others_put_in_place_of_our_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "users").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(errors.CloudFailed, match="remove it"):
        Users(Layout(tmp_path)).reserve("a")


def test_a_removed_engine_is_noticed(tmp_path: Path) -> None:
    root = tmp_path / "redis-old" / "bin"
    root.mkdir(parents=True)
    server = root / "redis-server"
    server.write_text("#!/bin/sh\necho 'Redis server v=6.0.16 sha=0'\n")
    server.chmod(0o755)
    roots = Roots(tmp_path, registry.engines())
    assert roots.get("redis", "6.0.16").root == tmp_path / "redis-old"
    server.unlink()
    assert "6.0.16" not in [found.version for found in roots.catalog()["redis"]]
    with pytest.raises(errors.CloudFailed, match="install it"):
        roots.get("redis", "6.0.16")


def test_an_engine_that_nobody_knows_is_a_fault() -> None:
    with pytest.raises(errors.CloudFailed, match="oracle 23"):
        Roots(Path("/nowhere"), registry.engines()).get("oracle", "23")


def test_a_file_that_says_the_same_is_left_alone(tmp_path: Path) -> None:
    documents.write(tmp_path, "f", "text")
    before = (tmp_path / "f").stat().st_ino
    documents.write(tmp_path, "f", "text")
    assert (tmp_path / "f").stat().st_ino == before
    assert oct((tmp_path / "f").stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("trap", ["link", "pipe", "directory"])
def test_traps_in_a_hostile_directory_are_not_stepped_into(tmp_path: Path, trap: str) -> None:
    (tmp_path / "victim").write_text("mine")
    place = tmp_path / "guest"
    place.mkdir()
    if trap == "link":
        (place / "f").symlink_to(tmp_path / "victim")
    if trap == "pipe":
        os.mkfifo(place / "f")
    if trap == "directory":
        (place / "f").mkdir()
        with pytest.raises(IsADirectoryError):
            documents.write(place, "f", "new")
        return
    documents.write(place, "f", "new", Writing(mode=0o644))
    assert (place / "f").read_text() == "new"
    assert (tmp_path / "victim").read_text() == "mine"


def test_an_interpreter_outside_usr_is_shown_on_a_path_of_its_own() -> None:
    ours = runtime.Runtime(Path("/root/py"), Path("/root/py/bin/python3"), Path("/root/x/argosy"), (Path("/root/l"),))
    seen = sandbox.moved(ours)
    assert seen.interpreter == Path("/argosy/python/bin/python3")
    assert [str(path) for path in sandbox.sources(seen)] == [
        "/argosy/python",
        "/argosy/code",
        "/argosy/packages/0",
    ]
