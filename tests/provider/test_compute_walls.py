"""Level root: what a guest that is its tenant's own cannot do. The engine here is a shell, with the engine's rights."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.providers.base import Feature, ServerSpec
from argosy.providers.local.networks import LoopbackNetworks
from argosy.testing import local_sites
from argosy.testing.contracts import compute as contract
from argosy.testing.local_sites import Site
from argosy.testing.waiting import eventually

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="users, control groups and the sandbox need root")

PYTHON = f"{sys.base_prefix}/bin/python3"
Shell = Callable[[str], str]


@pytest.fixture
def site() -> Iterator[Site]:
    with local_sites.site(walled=True) as site:
        yield site


@pytest.fixture
def guest(site: Site) -> ServerSpec:
    return contract.up(site, contract.prepared(site, local_sites.fresh(), 1))


@pytest.fixture
def shell(site: Site, guest: ServerSpec) -> Shell:
    return lambda script: said(site, guest.name, script)


def said(site: Site, name: str, script: str) -> str:
    """What the script says when the guest runs it as its engine."""
    site.ask(name, do="stop")
    site.run(name, "sh", "-c", f"( {script} ) > /d/said 2>&1; echo done >> /d/said; exec sleep 3600")
    file = site.layout.volumes / name / "said"
    text = eventually(lambda: file.exists() and (found := file.read_text()).endswith("done\n") and found)
    file.unlink()
    return text.removesuffix("done\n")


def test_all_features_of_this_machine_are_claimed(site: Site) -> None:
    assert {Feature.ISOLATION, Feature.MEMORY_LIMIT, Feature.CPU_LIMIT} <= site.features


def test_a_guest_is_a_user_of_its_own_without_any_capability(site: Site, guest: ServerSpec, shell: Shell) -> None:
    uid = site.state(guest.name).stat().st_uid
    assert uid >= 0x70000000
    assert shell("id -u; id -g; id -G; id -un").split() == [str(uid), str(uid), str(uid), "argosy"]
    status = dict(line.split(":\t", 1) for line in shell("cat /proc/self/status").splitlines() if ":\t" in line)
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"


def test_every_guest_is_another_user(site: Site, guest: ServerSpec) -> None:
    other = contract.up(site, contract.prepared(site, local_sites.fresh(), 1))
    assert site.state(guest.name).stat().st_uid != site.state(other.name).stat().st_uid


def test_a_setuid_program_gives_nothing(shell: Shell) -> None:
    assert "uid=0" not in shell("/usr/bin/su -c id; /usr/bin/mount -t tmpfs none /tmp; setpriv --reuid=0 id")


def test_a_guest_sees_only_its_own_processes(site: Site, guest: ServerSpec, shell: Shell) -> None:
    contract.up(site, contract.prepared(site, local_sites.fresh(), 1))
    commands = shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert guest.name not in commands
    assert commands.count("from argosy.agent import init") == 1


def test_a_guest_sees_nobody_elses_files(site: Site, shell: Shell) -> None:
    other = contract.up(site, contract.prepared(site, local_sites.fresh(), 1))
    paths = [site.layout.state, site.layout.volumes / other.name, site.state(other.name), Path("/root"), Path("/home")]
    listing = shell(f"ls -d {' '.join(map(str, paths))}; ls /")
    assert listing.count("No such file or directory") == len(paths)
    assert {"a", "d", "argosy"} <= {*listing.splitlines()[-15:]}
    assert not {"root", "home", "var", "srv", "opt", "sys"} & {*listing.split()}


def test_a_guest_can_write_only_where_it_is_its_own(shell: Shell) -> None:
    places = shell(
        "for d in $(find / -xdev -type d -writable 2>/dev/null) $(ls -d /*/); do touch $d/x && echo $d; done 2>&-"
    )
    assert {place.rstrip("/") for place in places.split()} <= {"/a", "/d", "/tmp", "/dev/shm"}  # noqa: S108 - its own


def test_what_is_bound_cannot_be_written(shell: Shell) -> None:
    attempts = shell("for f in /usr/x /etc/passwd /argosy/x /argosy/code/argosy/x /x; do echo y >> $f; done")
    assert attempts.count("cannot create") == 5


def test_shared_memory_and_temporary_files_are_private(shell: Shell) -> None:
    assert shell("stat -c %a /tmp /dev/shm; echo x > /tmp/mine; echo x > /dev/shm/mine").split() == ["1777", "1777"]
    assert not Path("/tmp/mine").exists()  # noqa: S108 - the host's
    assert not Path("/dev/shm/mine").exists()  # noqa: S108 - the host's


def test_who_takes_more_memory_than_the_flavor_is_killed_and_nobody_else(site: Site, guest: ServerSpec) -> None:
    assert said(site, guest.name, hog(1024)) == "Killed\nexit 137\n"
    assert site.ask(guest.name, do="status")["running"]


def test_a_resize_is_felt_at_once(site: Site, guest: ServerSpec) -> None:
    assert said(site, guest.name, hog(350)) == "Killed\nexit 137\n"
    site.compute.resize(guest.name, 512, 1)
    assert said(site, guest.name, hog(350)) == "exit 0\n"


def hog(mebibytes: int) -> str:
    """A command that uses so much memory and tells how it ended."""
    return f"{PYTHON} -c 'bytearray({mebibytes} << 20)'; echo exit $?"


def test_the_processor_quota_is_kept(site: Site, guest: ServerSpec) -> None:
    site.compute.resize(guest.name, 256, 0.2)
    spin = "import time; end = time.monotonic() + 1\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
    assert float(said(site, guest.name, f"{PYTHON} -c '{spin}'")) < 0.4


def test_a_fork_bomb_hits_the_wall_and_is_gone_with_its_guest(site: Site, guest: ServerSpec) -> None:
    site.run(guest.name, "sh", "-c", "while :; do sleep 3600 & done")
    members = site.compute.enclosure.cgroups.group_of(guest.name).members
    eventually(lambda: len(members()) > 300)
    site.compute.delete(guest.name)
    assert members() == set()


def test_deletion_leaves_no_control_group(site: Site, guest: ServerSpec) -> None:
    groups = site.compute.enclosure.cgroups.directories(guest.name)
    assert all(group.is_dir() for group in groups)
    site.compute.delete(guest.name)
    assert not any(group.exists() for group in groups)


def test_root_follows_nothing_that_a_hostile_guest_left(site: Site, guest: ServerSpec) -> None:
    victim = site.layout.state / "victim"
    victim.write_text("mine")
    for name in ("site.json", "boot.json"):
        file = site.state(guest.name) / name
        file.unlink()
        file.symlink_to(victim)
    site.compute.resize(guest.name, 512, 1)
    site.compute.stop(guest.name)
    contract.up(site, guest)
    assert victim.read_text() == "mine"
    assert victim.stat().st_uid == 0


def test_the_code_may_lie_where_guests_cannot_go(site: Site) -> None:
    """The sandbox shows packages and code on paths of its own: here all parents are closed to others."""
    closed = subprocess.run(["stat", "-c", "%a", site.layout.state], capture_output=True, text=True, check=True)
    assert closed.stdout.strip() == "700"
    spec = contract.up(site, contract.prepared(site, local_sites.fresh(), 1))
    assert "argosy" in said(site, spec.name, "ls /argosy/code")


@dataclass(frozen=True)
class Bridged(LoopbackNetworks):
    """Ports with a network namespace each: the real ones are the networks' own test's business."""

    path: Path = Path()

    def namespace(self, name: str) -> Path:
        return self.path if name else Path()


@pytest.fixture
def namespace() -> Iterator[Path]:
    name = f"argosy-test-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    yield Path("/run/netns", name)
    subprocess.run(["ip", "netns", "delete", name], check=True)


def test_a_guest_lives_in_the_network_namespace_of_its_port(site: Site, namespace: Path) -> None:
    networks = Bridged(site.networks.addresses, namespace)
    places = dataclasses.replace(site.compute.places, networks=networks)
    bridged = dataclasses.replace(site, compute=dataclasses.replace(site.compute, places=places))
    spec = contract.up(bridged, contract.prepared(bridged, local_sites.fresh(), 1))
    interfaces = said(bridged, spec.name, "cat /proc/net/dev").splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
