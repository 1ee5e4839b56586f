"""The first start: directories, their owners, and the ports that are free."""

import os
import pwd
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from argosy import settings
from argosy.launcher import ports, statedir, up
from argosy.launcher.ports import WELL_KNOWN, PortTaken
from argosy.settings import BadSetting


@contextmanager
def taken(*numbers: int) -> Iterator[None]:
    with ExitStack() as stack:
        for number in numbers:
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((ports.HOST, number))
            listener.listen()
        yield


@pytest.fixture
def state_home() -> Iterator[Path]:
    """A short path, as sockets need one."""
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as made:
        yield Path(made)


def test_the_first_start_writes_what_it_chose_and_later_ones_keep_it(state_home: Path) -> None:
    base = ports.free_ones().api
    first = statedir.prepare(state_home / "s", None, base)
    chosen = (first.api.port, first.identity.port, first.conductor.port, first.console.port)
    assert chosen == tuple(range(base, base + 4))
    assert first.provider.level == "user"
    assert statedir.prepare(state_home / "s", None, base + 10) == first


def test_settings_of_the_operator_stay_as_they_are(state_home: Path) -> None:
    (state_home / "argosy.toml").write_text("# mine\n[api]\nport = 1234\n")
    assert statedir.prepare(state_home, None, None).api.port == 1234
    assert (state_home / "argosy.toml").read_text() == "# mine\n[api]\nport = 1234\n"


def test_without_root_everything_is_for_its_owner_alone(state_home: Path) -> None:
    statedir.prepare(state_home / "s", None, None)
    modes = {
        each.stat().st_mode & 0o7777 for each in (state_home / "s", *(state_home / "s").iterdir()) if each.is_dir()
    }
    assert modes == {0o700}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give directories away")
def test_the_unprivileged_processes_can_replace_nothing_of_root(state_home: Path) -> None:
    user = pwd.getpwnam("nobody")
    statedir.prepare(state_home / "s", user, None)
    found = {each.name: each.stat() for each in (state_home / "s").iterdir() if each.is_dir()}
    assert {name: (each.st_uid, each.st_mode & 0o7777) for name, each in found.items()} == {
        "keys": (user.pw_uid, 0o700),
        "logs": (0, 0o1770),
        "objects": (user.pw_uid, 0o700),
        "run": (0, 0o1775),
    }
    assert (state_home / "s").stat().st_uid == 0
    assert (state_home / "s").stat().st_mode & 0o1000


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
@pytest.mark.parametrize(("owner", "level"), [("root", "root"), ("nobody", "user")])
def test_where_the_settings_do_not_tell_the_level_the_owner_does(state_home: Path, owner: str, level: str) -> None:
    """Else the unprivileged processes of a deployment of root would run as root."""
    (state_home / "argosy.toml").write_text("[api]\nport = 1234\n")
    os.chown(state_home, pwd.getpwnam(owner).pw_uid, -1)
    assert settings.load(state_home, {}).provider.level == level


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_root_takes_nothing_from_a_deployment_of_somebody_else(state_home: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    (state_home / "argosy.toml").write_text('[provider]\nlevel = "user"\n')
    os.chown(state_home, nobody, -1)
    with pytest.raises(BadSetting, match="belongs to a deployment of an ordinary user"):
        up.prepare(state_home)
    assert state_home.stat().st_uid == nobody


def test_a_path_that_leaves_no_room_for_sockets_is_refused(state_home: Path) -> None:
    with pytest.raises(BadSetting, match="too long for the Unix sockets"):
        statedir.prepare(state_home / ("x" * 60), None, None)


def test_other_ports_are_found_beside_another_deployment() -> None:
    with taken(*(port for port in [WELL_KNOWN.api] if ports.free(port))):
        chosen = ports.choose()
        assert chosen != WELL_KNOWN
        assert not chosen.taken()


def test_a_taken_port_base_is_told() -> None:
    base = ports.free_ones().api
    with taken(base + 1), pytest.raises(PortTaken, match=f"port {base + 1} is in use: choose another --port-base"):
        ports.choose(base)
