"""Health and metrics tell that backups have no place to go to, and nothing of where that is."""

from __future__ import annotations

import falcon.testing
import pytest

from argosy.db.session import Database
from argosy.db.tables import Fact

AWAY = {"level": "critical", "percent": None, "message": "https://store.example: no route to host"}
FULL = {"level": "warning", "percent": 80.0, "message": "it is 80 % full"}
FINE = {"level": "fine", "percent": 10.0, "message": ""}
UNKNOWN = {"level": "fine", "percent": None, "message": ""}
REMARK = "OK\ncritical: the object store cannot be used: argosy store check says why"


@pytest.mark.parametrize(
    ("told", "text", "up"),
    [
        (AWAY, REMARK, 0),
        (FULL, "OK\nwarning: the object store is 80 % full", 1),
        (FINE, "OK", 1),
        (UNKNOWN, "OK", 1),
    ],
)
def test_a_store(
    client: falcon.testing.TestClient, database: Database, told: dict[str, object], text: str, up: int
) -> None:
    with database.write() as session:
        session.add(Fact(name="store", value=told))
    answer = client.simulate_get("/healthcheck")
    assert (answer.status_code, answer.text) == (200, text)
    assert f"argosy_store_up{{}} {up}" in client.simulate_get("/metrics").text
