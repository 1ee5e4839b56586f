"""What a guest takes is measured over its whole tree of processes."""

from __future__ import annotations

import os
import subprocess
import sys

from argosy.agent import usage

BURN = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
HOLD = "import sys; held = b'x' * 50_000_000; print('ready', flush=True); sys.stdin.read()"


def test_processor_time_of_what_has_ended_counts() -> None:
    before = usage.below(os.getpid())["cpu_seconds"]
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert usage.below(os.getpid())["cpu_seconds"] >= before + 0.25


def test_memory_of_everything_below_counts() -> None:
    before = usage.below(os.getpid())["resident_bytes"]
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert usage.below(os.getpid())["resident_bytes"] > before + 40_000_000
        child.communicate()


def test_who_is_gone_takes_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    assert usage.below(gone.pid) == {"cpu_seconds": 0.0, "resident_bytes": 0.0}
