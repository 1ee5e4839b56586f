"""The whole way on a control database that is a server: PostgreSQL and MariaDB by URL."""

from __future__ import annotations

import os

import pytest

from argosy.testing import databases
from argosy.testing.deployments import Deployment


@pytest.mark.skipif(os.geteuid() != 0, reason="the whole product at level root needs root")
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_is_made_used_and_taken_away(kind: str) -> None:
    with databases.serve(kind) as server, server.empty() as control:
        url = control.url.render_as_string(hide_password=False)
        with Deployment(level="root", database={"url": url}) as argosy:
            argosy.cli("db", "create", "m1", "--engine", "redis", "--flavor", "1", "--size", "1")
            assert argosy.cli("db", "shell", "m1", "-c", "PING").stdout.strip() == "PONG"
            argosy.cli("db", "delete", "m1", "--yes")
            assert not (argosy.state / "control.db").exists()
