"""A network namespace per guest: clients of the host reach it, guests do not reach each other."""

from __future__ import annotations

import os

import pytest

from argosy.testing.deployments import Deployment


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_every_engine_answers_in_a_namespace_of_its_own() -> None:
    with Deployment(level="root", provider={"network": "namespace"}) as argosy:
        for engine, question in (("redis", "PING"), ("postgresql", "SELECT 1"), ("mariadb", "SELECT 1")):
            argosy.cli("db", "create", engine, "--engine", engine, "--flavor", "2", "--size", "1")
            shown = argosy.cli("db", "show", engine).stdout
            assert "network-isolation" in shown
            assert argosy.cli("db", "shell", engine, "-c", question).stdout.strip()
