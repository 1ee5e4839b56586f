"""What `argosy db connect-info` says is what works: each snippet whose client is installed here is run as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from owners import ENGINES, Owner

from argosy.testing.deployments import Deployment

SHELLS = {"postgresql": "psql", "mariadb": "mariadb", "redis": "redis-cli"}
SAY = {"postgresql": "SELECT 41 + 1;\n", "mariadb": "SELECT 41 + 1;\n", "redis": "ECHO 42\n"}
SECRET = {"postgresql": "PGPASSWORD", "mariadb": "MYSQL_PWD", "redis": "REDISCLI_AUTH"}
WORKS = {"postgresql": "(1,)", "mariadb": "(1,)", "redis": "True"}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("mode", ["enforced", "mtls"])
def test_it_is_what_works(argosy: Deployment, owner: Owner, engine: str, mode: str, tmp_path: Path) -> None:
    instance = owner.ready(engine, "m", flavor="1", tls=mode)
    if mode == "mtls":
        argosy.cli("db", "tls-client", "m", "app", "--into", str(tmp_path))
    password = owner.passwords[instance["id"]]
    secrets = {**os.environ, "DATABASE_PASSWORD": password, SECRET[engine]: password}
    python = run([sys.executable, "-c", snippet(argosy, "python")], tmp_path, secrets)
    assert WORKS[engine] in python
    assert "42" in run(["sh", "-c", unasked(snippet(argosy, SHELLS[engine]))], tmp_path, secrets, SAY[engine])


def unasked(command: str) -> str:
    """The command as it is where nobody can be asked for a password."""
    return re.sub(r" --askpass| -p(?= \S*$)", "", command)


def run(argv: list[str], place: Path, environment: Mapping[str, str], said: str = "") -> str:
    ended = subprocess.run(argv, env=environment, cwd=place, input=said, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_node_can_read_it(argosy: Deployment, owner: Owner, engine: str, tmp_path: Path) -> None:
    owner.ready(engine, "m", flavor="1")
    file = tmp_path / "snippet.js"
    file.write_text(snippet(argosy, "node"))
    subprocess.run(["node", "--check", str(file)], check=True)


def snippet(argosy: Deployment, language: str) -> str:
    """Without the lines that connect-info puts above it."""
    return argosy.cli("db", "connect-info", "m", "--language", language).stdout.partition(f"--- {language}\n")[2]
