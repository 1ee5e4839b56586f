"""A hostile API process, and everybody else, in front of the root helper."""

import inspect
import json
import os
import pwd
import socket
import stat
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy import settings
from argosy.providers import base
from argosy.providers.local.helper import checks, client, protocol
from argosy.providers.local.provider import LocalProvider
from argosy.providers.local.teardown import teardown
from argosy.testing.root_helper import helper_process, short_directory

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

OURS, OTHER = pwd.getpwnam("daemon"), pwd.getpwnam("nobody")
NAME = str(uuid.uuid4())


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    with short_directory() as directory:
        yield directory


@pytest.fixture(scope="module")
def helper(state: Path) -> Iterator[client.Helper]:
    """The user `daemon` stands for the unprivileged processes."""
    with helper_process(state, OURS.pw_name):
        yield client.Helper(state / "run" / "helper.sock")
    teardown(settings.load(state))


def as_user(user: pwd.struct_passwd, act: Callable[[], Any]) -> Any:
    """What `act` returns in a process of that user; the name of its exception if it raises one."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        try:
            told = act()
        except BaseException as error:  # noqa: BLE001 - the parent judges
            told = type(error).__name__
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        answer = json.loads(told.read())
    os.wait()
    return answer


def said(helper: client.Helper, line: bytes) -> Any:
    """The answer to a raw line, to what was sent of it before the helper stopped listening."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(helper.path))
        try:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
        except BrokenPipeError:
            pass
        return json.loads(connection.makefile("rb").readline())


def asked(helper: client.Helper, verb: object, arguments: object) -> Any:
    return said(helper, json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n")


def refused(answer: Any) -> bool:
    return set(answer) == {"error"} and answer["error"]["kind"] == "BadRequest"


def test_the_verbs_are_the_methods_of_the_interfaces_and_ping() -> None:
    parts = {"compute": base.Compute, "volumes": base.Volumes, "networks": base.Networks}
    methods = {
        f"{part}.{name}": set(inspect.signature(method).parameters) - {"self"}
        for part, interface in parts.items()
        for name, method in inspect.getmembers(interface, inspect.isfunction)
        if not name.startswith("_")
    }
    assert {verb: set(fields) for verb, fields in protocol.VERBS.items()} == {**methods, "ping": set()}


def test_the_right_user_is_served(helper: client.Helper) -> None:
    assert "volume-size" in as_user(OURS, lambda: helper.ask("ping"))["features"]


def test_the_socket_is_closed_to_others(helper: client.Helper) -> None:
    status = helper.path.stat()
    assert stat.S_IMODE(status.st_mode) == 0o660
    assert (status.st_uid, status.st_gid) == (0, OURS.pw_gid)
    assert as_user(OTHER, lambda: helper.ask("ping")) == "CloudBusy"


def test_another_user_is_refused_even_through_an_open_socket(helper: client.Helper) -> None:
    helper.path.chmod(0o666)
    answer = as_user(OTHER, lambda: asked(helper, "ping", {}))
    helper.path.chmod(0o660)
    assert answer["error"]["kind"] == "Forbidden"
    assert str(OTHER.pw_uid) in answer["error"]["message"]


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"nonsense\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b'"ping"\n',
        b'{"verb": "ping"}\n',
        b'{"verb": "ping", "arguments": {}, "user": 0}\n',
        b'{"verb": "ping", "arguments": {}}',  # cut off
        b'{"verb": "ping", "arguments": {"x": 1}}\n',
        b'{"verb": "ping", "arguments": []}\n',
        b"\x00\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b'{"verb": ' + b"9" * 10_000 + b', "arguments": {}}\n',
        b'{"verb": "ping", "arguments": {"' + b"x" * 1_000_000 + b'": 1}}\n',
    ],
)
def test_malformed_requests_are_refused(helper: client.Helper, line: bytes) -> None:
    assert refused(said(helper, line))
    assert helper.ask("ping")


@pytest.mark.parametrize(
    "verb",
    ["", "pong", "ping.x", "compute", "compute.", "compute.__init__", "volumes.attach", "volumes.own", "volumes._make",
     "volumes.pool", "volumes.prepare", "volumes.teardown", "networks.namespace", "ground.prepare",
     "prepare", "features", "volumes.ensure.__call__", None, 1, ["ping"], {"ping": 1}],
)  # fmt: skip
def test_there_are_no_other_verbs(helper: client.Helper, verb: object) -> None:
    for arguments in ({}, {"name": NAME}, {"name": NAME, "uid": 0, "gid": 0}):
        assert refused(asked(helper, verb, arguments))


TRICKS = [
    "", ".", "..", "../../etc/passwd", "/etc/passwd", f"../{NAME}", f"{NAME}/..", f"{NAME}\n", f"{NAME}\x00",
    NAME.upper(),
    f" {NAME}", NAME.replace("-", "/"), NAME[:-1], "x" * 100_000, "$(id)", "-rf", "*", "\uff11" * 36, "\ud800",
    None, True, 0, 1.5, [NAME], {"name": NAME},
]  # fmt: skip


@pytest.mark.parametrize("verb", [verb for verb, fields in protocol.VERBS.items() if checks.name in fields.values()])
def test_names_are_uuids_and_nothing_else(helper: client.Helper, verb: str) -> None:
    good = {"name": NAME, "snapshot": NAME, "volume": NAME, "mark": NAME, "gigabytes": 1, "ram": 64, "vcpus": 1}
    good |= {"source": {"template": "", "snapshot": ""}}
    fields = protocol.VERBS[verb]
    for field in (field for field, check in fields.items() if check is checks.name):
        base_arguments = {each: good[each] for each in fields} | (
            {"name": "redis-7"} if verb == "volumes.make_template" else {}
        )
        for trick in TRICKS:
            assert refused(asked(helper, verb, {**base_arguments, field: trick})), (field, trick)


@pytest.mark.parametrize("trick", ["", ".", "..", ".hidden", "a/b", "../x", "A", "x" * 101, "a\n", "a b", None, 5])
def test_template_keys_are_no_paths(helper: client.Helper, trick: object) -> None:
    assert refused(asked(helper, "volumes.delete_template", {"name": trick}))
    assert refused(asked(helper, "volumes.make_template", {"name": trick, "volume": NAME}))


@pytest.mark.parametrize("size", [0, -1, 1.0, True, "1", None, 10**30, float("nan"), float("inf"), [1]])
def test_sizes_are_numbers_in_bounds(helper: client.Helper, size: object) -> None:
    source = {"template": "", "snapshot": ""}
    assert refused(asked(helper, "volumes.ensure", {"name": NAME, "gigabytes": size, "source": source}))
    assert refused(asked(helper, "compute.resize", {"name": NAME, "ram": size, "vcpus": 1}))


SERVER = {
    "name": NAME, "generation": 1, "engine": "redis", "version": "7.0.15", "ram": 64, "vcpus": 1.0, "volume": NAME,
    "port": NAME, "boot": "{}", "tls": "enforced", "before": "",
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"engine": "../redis"}, {"engine": "/bin/sh"}, {"version": "../7"}, {"version": "7/0"}, {"version": ""},
        {"generation": -1}, {"generation": "1"}, {"ram": 0}, {"vcpus": 0}, {"vcpus": float("nan")}, {"vcpus": "1"},
        {"volume": "../x"}, {"port": "/run/netns/x"}, {"before": "../15"},
        {"boot": {}}, {"boot": "x" * 70_000}, {"boot": "\ud800"},
        {"uid": 0}, {"argv": ["/bin/sh"]}, {"name": "../guests"},
    ],
)  # fmt: skip
def test_servers_are_described_in_narrow_words(helper: client.Helper, wrong: dict[str, object]) -> None:
    assert checks.server(SERVER)
    assert refused(asked(helper, "compute.ensure", {"spec": {**SERVER, **wrong}}))


@pytest.mark.usefixtures("helper")
def test_what_is_roots_in_the_state_directory_stays_roots(state: Path) -> None:
    for name in ("pool.img", "pool", "mounts", "addresses", "guests"):
        assert as_user(OURS, lambda: (state / name).rename(state / "x")) in {"PermissionError", "OSError"}  # noqa: B023
    assert as_user(OURS, lambda: (state / "pool.img").read_bytes()[:1]) == "PermissionError"
    assert as_user(OURS, lambda: (state / "pool" / "volumes").iterdir().__next__()) == "PermissionError"
    assert as_user(OURS, lambda: (state / "addresses" / "127.1.1.1").symlink_to("x")) == "PermissionError"
    assert as_user(OURS, lambda: (state / "own").write_text("fine")) == 4


def test_the_caller_cannot_read_what_a_volume_holds(helper: client.Helper, state: Path) -> None:
    helper.ask("volumes.ensure", name=NAME, gigabytes=1, source=base.Source())
    assert as_user(OURS, lambda: helper.ask("volumes.owned")) == [NAME]
    (state / "mounts" / NAME / "secret").write_text("hush")
    (state / "mounts" / NAME).chmod(0o700)
    assert as_user(OURS, (state / "mounts" / NAME / "secret").read_text) == "PermissionError"
    assert as_user(OURS, lambda: [str(each) for each in (state / "mounts").iterdir()]) == "PermissionError"


def test_the_caller_cannot_read_what_a_guest_is_told_at_boot(helper: client.Helper, state: Path) -> None:
    version = LocalProvider(settings.load(state)).catalog()["redis"][0].version
    parts = client.RemoteParts(helper)
    parts.networks.ensure(base.PortSpec(NAME, "p", 6379))
    parts.volumes.ensure(NAME, 1, base.Source())
    parts.compute.ensure(checks.server({**SERVER, "version": version, "boot": json.dumps({"token": "hush-hush"})}))
    told = state / "guests" / f"{NAME}.1" / "boot.json"
    assert "hush-hush" in told.read_text()
    assert as_user(OURS, told.read_text) == "PermissionError"
    seen = as_user(OURS, lambda: subprocess.check_output(["ps", "axeww"], text=True))
    assert NAME in seen  # the guest's processes are among them
    assert "hush-hush" not in seen
    parts.compute.delete(NAME)
    parts.networks.delete(NAME)
    parts.volumes.delete(NAME)


def test_callers_that_say_nothing_do_not_stop_the_others(helper: client.Helper) -> None:
    silent = [socket.socket(socket.AF_UNIX) for _ in range(8)]
    for connection in silent:
        connection.connect(str(helper.path))
    assert helper.ask("ping")
    for connection in silent:
        connection.close()
