"""Level root: a user, control groups and a bubblewrap of its own for every guest.

Bubblewrap is started by root and without a user namespace, so that the guest's user is a real one that owns its
volume. In the end nothing of root is left: no capability, none to be had back, no new privileges by setuid programs.
Init is process 1 of the guest's own PID namespace: when it ends, for whatever reason, all of the guest ends.
"""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.providers.base import Feature
from argosy.providers.local import processes
from argosy.providers.local.cgroups import Cgroups
from argosy.providers.local.documents import Writing, write
from argosy.providers.local.guests import Guest, View
from argosy.providers.local.plain import need
from argosy.providers.local.runtime import Runtime
from argosy.providers.local.users import Users

USR = Path("/usr")
CODE, PYTHON = Path("/argosy"), Path("/argosy/python")
ROOT, BEFORE = Path("/argosy/engine"), Path("/argosy/before")
DATA, STATE = Path("/d"), Path("/a")
LIMITED = {"memory": Feature.MEMORY_LIMIT, "cpu": Feature.CPU_LIMIT}
SHARED_ETC = ("ld.so.cache", "localtime", "alternatives")
"""Of the host's /etc; all else there is the guest's own or absent."""

JOIN = 'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"'
"""Enter the control groups before anything of the guest runs; 0 is who writes."""

SETUP = ("SETUID", "SETGID", "SETPCAP")
"""Capabilities that are needed until the guest's user has taken over."""


@dataclass(frozen=True)
class Jail:
    users: Users
    cgroups: Cgroups
    runtime: Runtime

    @property
    def features(self) -> frozenset[Feature]:
        limited = {feature for name, feature in LIMITED.items() if name in self.cgroups.controllers}
        return frozenset({Feature.ISOLATION, *limited})

    def check(self) -> None:
        need("setsid", "setpriv", "nsenter", "bwrap")

    def user(self, name: str) -> int:
        return self.users.reserve(name)

    def limit(self, name: str, ram: int, vcpus: float) -> None:
        self.cgroups.limit(name, ram, vcpus)

    def view(self, guest: Guest) -> View:
        before = _shown(guest.before, BEFORE) if guest.before else None
        return View(_shown(guest.root, ROOT), DATA, STATE, before)

    def command(self, guest: Guest) -> Sequence[str]:
        return (
            *("sh", "-c", JOIN, "join", *map(str, self.cgroups.directories(guest.name)), "--"),
            *(("nsenter", f"--net={guest.namespace}", "--") if guest.namespace else ()),
            *("bwrap", *self._walls(guest), "--"),
            *_as_user(guest.uid),
            *moved(self.runtime).init(STATE),
        )

    def environment(self, guest: Guest) -> Mapping[str, str]:  # noqa: ARG002 - all guests look alike from inside
        return moved(self.runtime).environment(STATE)

    def ask_to_stop(self, name: str) -> None:
        group = self.cgroups.group_of(name)
        inits = [pid for pid in group.members() if _numbers(pid)[1:] == ["1"]]
        processes.send(group, inits, signal.SIGTERM)

    def renew_agent(self, name: str) -> None:
        group = self.cgroups.group_of(name)
        agents = processes.running(group.members(), self.runtime.agent)
        if not all(self._sees_installed(pid) for pid in agents):
            raise errors.CloudFailed(
                f"guest {name} sees the code that it was started with: a reboot of its server replaces its agent"
            )
        processes.send(group, agents, signal.SIGTERM)

    def _sees_installed(self, pid: int) -> bool:
        """Whether the directory that was shown to the guest at its start is still the one that is installed."""
        inside = Path(f"/proc/{pid}/root") / moved(self.runtime).package.relative_to("/") / "__init__.py"
        try:
            return os.path.samestat(inside.stat(), (self.runtime.package / "__init__.py").stat())
        except FileNotFoundError:
            return False

    def end(self, name: str) -> bool:
        return self.cgroups.end(name)

    def remove(self, name: str) -> None:
        self.cgroups.remove(name)
        self.users.release(name)

    def _walls(self, guest: Guest) -> Iterator[str]:
        yield from ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--as-pid-1")
        yield from ("--cap-drop", "ALL")
        for capability in SETUP:
            yield from ("--cap-add", f"CAP_{capability}")
        yield from ("--hostname", "argosy", "--chdir", "/", "--proc", "/proc", "--dev", "/dev")
        yield from ("--perms", "1777", "--tmpfs", "/dev/shm", "--perms", "1777", "--tmpfs", "/tmp")  # noqa: S108 - its own
        yield from _system()
        yield from _etc(guest)
        yield from self._programs(guest)
        yield from ("--bind", str(guest.data), str(DATA), "--bind", str(guest.state), str(STATE))
        yield from ("--remount-ro", "/")

    def _programs(self, guest: Guest) -> Iterator[str]:
        yield from directories(CODE)
        for source, target in zip(sources(self.runtime), sources(moved(self.runtime)), strict=True):
            if source != target:
                yield from directories(target.parent)
                yield from ("--ro-bind", str(source), str(target))
        for root, place in ((guest.root, ROOT), (guest.before, BEFORE)):
            if root and _shown(root, place) == place:
                yield from ("--ro-bind", str(root), str(place))


def _shown(root: Path, place: Path) -> Path:
    """Where a guest sees an engine root: the host's own programs are where they are."""
    return root if root.is_relative_to(USR) else place


def moved(runtime: Runtime) -> Runtime:
    """The same as guests see it: short paths, wherever the checkout or the environment of packages lies."""
    base = runtime.base if runtime.base.is_relative_to(USR) else PYTHON
    return dataclasses.replace(
        runtime,
        base=base,
        interpreter=base / runtime.interpreter.relative_to(runtime.base),
        package=CODE / "code" / "argosy",
        libraries=tuple(CODE / "packages" / str(number) for number in range(len(runtime.libraries))),
    )


def sources(runtime: Runtime) -> Sequence[Path]:
    """The directory above the package is shown: a package that is installed anew is another directory."""
    return (runtime.base, runtime.package.parent, *runtime.libraries)


def directories(*paths: Path) -> Iterator[str]:
    """Bubblewrap makes missing parents for root only."""
    for path in paths:
        yield from ("--perms", "0755", "--dir", str(path))


def _system() -> Iterator[str]:
    yield from ("--ro-bind", str(USR), str(USR))
    for path in [*sorted(Path("/").glob("lib*")), Path("/bin"), Path("/sbin")]:
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))


def _etc(guest: Guest) -> Iterator[str]:
    yield from directories(Path("/etc"))
    for name in SHARED_ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    own = {
        "passwd": f"root:x:0:0::/:/bin/false\nargosy:x:{guest.uid}:{guest.uid}::{STATE}:/bin/false\n",
        "group": f"root:x:0:\nargosy:x:{guest.uid}:\n",
        "hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    for name, text in own.items():
        write(guest.home, name, text, Writing(mode=0o644))
        yield from ("--ro-bind", str(guest.home / name), f"/etc/{name}")


def _as_user(uid: int) -> Sequence[str]:
    return (
        *("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"),
        *("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"),
    )


def _numbers(pid: int) -> list[str]:
    """The process's number in our namespace and in each one below it (proc(5), NSpid)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []
    return next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])
