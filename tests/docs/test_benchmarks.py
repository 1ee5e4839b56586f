"""The benchmark of every GET can be run, and so knows of every route that there is."""

import subprocess
import sys
from pathlib import Path

GETS = Path(__file__).parents[2] / "benchmarks" / "gets.py"


def test_every_get_is_measured() -> None:
    """A route with a noun that has no rows in seeds.py ends it; so does any answer but the expected one."""
    few = ("--sizes", "10", "20", "--requests", "2")
    ended = subprocess.run([sys.executable, str(GETS), *few], capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "| `instances/{id}` |" in ended.stdout
