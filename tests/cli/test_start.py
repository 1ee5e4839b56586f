"""The command starts at once, and sees only what a user may see."""

import json
import resource
import subprocess
import sys
from collections.abc import Sequence

import pytest

MOST = 4.5
"""times the processor time of a Python that loads the heaviest of what every client needs: 0.3 s where that takes
65 ms, and as much more on a machine that is slower or busy just then
"""
LOADING = ("-c", "import asyncio, http.client, ssl, tomllib")


def processor_seconds(*arguments: str) -> float:
    """The least of three."""
    return min(_once(arguments) for _ in range(3))


def _once(arguments: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["db", "list", "--help"], ["db", "shell", "--help"]])
def test_it_starts_as_soon_as_a_client_can(arguments: list[str]) -> None:
    assert processor_seconds("-m", "argosy", *arguments) < MOST * processor_seconds(*LOADING)


def test_a_command_over_the_api_loads_nothing_of_the_control_plane() -> None:
    script = (
        "import sys, json; import argosy.__main__, argosy.cli.db.life, argosy.cli.db.use, argosy.client.session;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(told.stdout))
    assert not loaded & {"sqlalchemy", "cryptography", "argosy.db", "argosy.engines", "argosy.workflows", "falcon"}
