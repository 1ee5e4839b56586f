"""Up, down, up again; and what happens when something is killed."""

import json
import os
import signal
from pathlib import Path

import pytest

from argosy.launcher import code, health, processes
from argosy.launcher.health import State
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

SERVING = ("api", "taskmanager", "conductor", "console")


def healthy(deployment: Deployment) -> bool:
    return all(report.health is State.HEALTHY for report in health.look(deployment.settings))


def test_status_tells_every_process_with_its_health(deployment: Deployment) -> None:
    told = json.loads(deployment.cli("status", "-o", "json").stdout)
    wanted = {"api", "identity", "conductor", "console", "taskmanager", "supervisor"}
    wanted |= {"launcher", "helper"} if deployment.level == "root" else set()
    assert {each["role"] for each in told} == wanted
    assert {each["health"] for each in told} == {"healthy"}
    assert {each["role"]: each["pid"] for each in told if each["role"] != "identity"} == deployment.pids


@pytest.mark.parametrize("role", SERVING)
def test_a_killed_process_is_back_at_once(deployment: Deployment, role: str) -> None:
    killed = deployment.kill(role)
    eventually(lambda: deployment.pids.get(role, killed) != killed and healthy(deployment), within=5)


def test_a_killed_supervisor_takes_its_children_along_and_root_starts_another(rooted: Deployment) -> None:
    before = rooted.pids
    rooted.kill("supervisor")
    eventually(lambda: healthy(rooted), within=20)
    assert not {before[role] for role in SERVING} & set(rooted.pids.values())


def test_only_the_helper_and_the_launcher_are_root(rooted: Deployment) -> None:
    owners = {role: Path(f"/proc/{pid}").stat().st_uid for role, pid in rooted.pids.items()}
    assert {role for role, owner in owners.items() if owner == 0} == {"launcher", "helper"}


def test_unprivileged_processes_cannot_become_root_again(rooted: Deployment) -> None:
    status = Path(f"/proc/{rooted.pids['api']}/status").read_text()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


def test_a_stale_pid_is_never_killed() -> None:
    """Ours lives, but it is not the process that the file means."""
    process = processes.Process("api", os.getpid(), started=1)
    assert not process.alive
    assert not process.signal(signal.SIGKILL)


def test_code_that_is_newer_than_what_runs_is_told_with_its_cure(rooted: Deployment) -> None:
    (rooted.state / "run" / "code").write_text("of another release")
    told = [rooted.cli("up").stderr, rooted.cli("status").stderr]
    assert all("argosy down, then argosy up" in each for each in told), told
    code.record(rooted.settings.run)
    assert rooted.cli("status").stderr == ""


def test_up_again_changes_nothing(rooted: Deployment) -> None:
    before = rooted.pids
    told = rooted.cli("up").stdout
    assert "nothing has changed" in told
    assert rooted.pids == before
