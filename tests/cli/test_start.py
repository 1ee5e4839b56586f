"""The command starts at once, and sees only what a user may see."""

import json
import resource
import subprocess
import sys

import pytest

from argosy.testing.waiting import SLOWNESS

LIMIT = 0.3
"""Seconds of processor time; on an idle machine that is what the clock shows too."""


def processor_seconds(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "argosy", *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["db", "list", "--help"], ["db", "shell", "--help"]])
def test_it_starts_in_under_300_ms(arguments: list[str]) -> None:
    assert min(processor_seconds(*arguments) for _ in range(3)) < LIMIT * SLOWNESS


def test_a_command_over_the_api_loads_nothing_of_the_control_plane() -> None:
    script = (
        "import sys, json; import argosy.__main__, argosy.cli.db.life, argosy.cli.db.use, argosy.client.session;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(told.stdout))
    assert not loaded & {"sqlalchemy", "cryptography", "argosy.db", "argosy.engines", "argosy.workflows", "falcon"}
