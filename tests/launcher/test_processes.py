"""A pid file is believed only where pid, start time and owner agree."""

import dataclasses
import json
import os
import subprocess
from pathlib import Path

import pytest

from argosy.launcher import processes
from argosy.launcher.processes import Process


@pytest.fixture
def me() -> Process:
    return processes.observe("me", os.getpid())


def test_what_is_recorded_is_found_again(me: Process, tmp_path: Path) -> None:
    processes.record(tmp_path, me)
    assert processes.recorded(tmp_path, "me") == me
    processes.forget(tmp_path, "me")
    assert processes.recorded(tmp_path, "me") is None


def test_another_process_under_the_same_pid_is_not_ours(me: Process, tmp_path: Path) -> None:
    stale = dataclasses.replace(me, started=me.started - 1)
    processes.record(tmp_path, stale)
    assert processes.recorded(tmp_path, "me") is None
    assert not stale.signal(0)
    assert stale.gone(within=0)


def test_a_file_written_by_somebody_else_is_not_believed(me: Process, tmp_path: Path) -> None:
    """The unprivileged processes write into the same directory: root must not signal whatever they name."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    processes.record(tmp_path, me)
    os.chown(tmp_path / "me.pid", 65534, 65534)
    assert processes.recorded(tmp_path, "me") is None


def test_a_link_laid_in_the_way_is_not_followed(me: Process, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / f"me.{os.getpid()}.new").symlink_to(target)
    processes.record(tmp_path, me)
    assert target.read_text() == "precious"


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"role": "me", "pid": 1}', "{"])
def test_a_damaged_file_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "me.pid").write_text(text)
    assert processes.recorded(tmp_path, "me") is None


def test_a_corpse_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.started(child.pid) is None
    child.wait()


def test_everybody_may_read_who_runs(me: Process, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        processes.record(tmp_path, me)
    finally:
        os.umask(before)
    assert (tmp_path / "me.pid").stat().st_mode & 0o777 == 0o644
    assert json.loads((tmp_path / "me.pid").read_text())["pid"] == os.getpid()
