"""Children are kept alive by a real keeper process, at once first and with growing pauses after."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from argosy.launcher import keeper, processes
from argosy.launcher.forks import fork
from argosy.launcher.keeper import Child, Keeper
from argosy.launcher.processes import Process
from argosy.testing.waiting import eventually


def sleep(_former: Process | None) -> int:
    signal.pause()
    return 0


def stubborn(_former: Process | None) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()


Run = Callable[..., Process]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Run]:
    """Starts a keeper with children of these bodies, named by letters; ends it afterwards."""
    keepers = []

    def start(*bodies: keeper.Body, grace: float = 5) -> Process:
        children = [Child(letter, body) for letter, body in zip("abc", bodies, strict=False)]
        process = processes.observe("keeper", fork(Keeper(tmp_path, children, grace).keep, tmp_path / "log"))
        keepers.append(process)
        return process

    yield start
    for process in keepers:
        process.signal(signal.SIGTERM)
        os.waitpid(process.pid, 0)


def child(run: Path, role: str) -> Process:
    return eventually(lambda: processes.recorded(run, role), within=5)


def test_a_dead_child_is_replaced_and_the_next_knows_the_former(kept: Run, tmp_path: Path) -> None:
    told = tmp_path / "former"

    def body(former: Process | None) -> int:
        told.write_text(str(former.pid if former else 0))
        return sleep(former)

    def heard(former: int) -> bool:
        return told.exists() and told.read_text() == str(former)

    kept(body)
    first = child(tmp_path, "a")
    eventually(lambda: heard(0), within=5)  # its pid file is there before it has run a line
    first.signal(signal.SIGKILL)
    eventually(lambda: child(tmp_path, "a").pid != first.pid, within=5)
    eventually(lambda: heard(first.pid), within=5)


def test_one_death_leaves_the_others_alone(kept: Run, tmp_path: Path) -> None:
    kept(sleep, sleep)
    first, second = child(tmp_path, "a"), child(tmp_path, "b")
    first.signal(signal.SIGKILL)
    eventually(lambda: child(tmp_path, "a").pid != first.pid, within=5)
    assert child(tmp_path, "b") == second


def test_a_child_that_keeps_dying_is_started_ever_more_seldom(kept: Run, tmp_path: Path) -> None:
    told = tmp_path / "starts"

    def hopeless(_former: Process | None) -> int:
        with told.open("a") as out:
            out.write(f"{time.monotonic()}\n")
        return 1

    def starts() -> list[float]:
        return [float(line) for line in told.read_text().splitlines()] if told.exists() else []

    kept(hopeless)
    eventually(lambda: len(starts()) >= 6, within=10)
    gaps = [after - before for before, after in pairwise(starts()[:6])]
    assert all(gap >= keeper.pause(number) for number, gap in enumerate(gaps, start=1))


@pytest.mark.parametrize(("deaths", "seconds"), [(1, 0), (2, 0.1), (3, 0.2), (5, 0.8), (9, 10), (100, 10)])
def test_pauses_grow_to_ten_seconds(deaths: int, seconds: float) -> None:
    assert keeper.pause(deaths) == pytest.approx(seconds)


def test_a_keeper_ends_its_children_before_itself(kept: Run, tmp_path: Path) -> None:
    process = kept(sleep, sleep)
    children = [child(tmp_path, "a"), child(tmp_path, "b")]
    process.signal(signal.SIGTERM)
    assert process.gone(within=10)
    assert not any(each.alive for each in children)


def test_a_child_that_does_not_listen_is_killed_after_the_grace(kept: Run, tmp_path: Path) -> None:
    process = kept(stubborn, grace=0.2)
    one = child(tmp_path, "a")
    eventually(lambda: ignores_sigterm(one.pid), within=5)
    process.signal(signal.SIGTERM)
    assert process.gone(within=10)
    assert not one.alive


def ignores_sigterm(pid: int) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    ignored = next(line.split()[1] for line in lines if line.startswith("SigIgn:"))
    return bool(int(ignored, 16) & (1 << (signal.SIGTERM - 1)))


def test_children_of_a_killed_keeper_end_by_themselves(kept: Run, tmp_path: Path) -> None:
    process = kept(sleep)
    one = child(tmp_path, "a")
    process.signal(signal.SIGKILL)
    assert one.gone(within=5)


def test_a_long_log_begins_anew_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * keeper.LONGEST_LOG)
        keeper.trim(log)
        writer.write(b"next")
    assert log.read_bytes() == b"next"
    assert (tmp_path / "api.log.1").stat().st_size == keeper.LONGEST_LOG


def test_a_short_log_stays(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("line")
    keeper.trim(log)
    assert log.read_text() == "line"
