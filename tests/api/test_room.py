"""Health that tells what will need somebody before long."""

from __future__ import annotations

import falcon.testing
import pytest

from argosy.db.session import Database
from argosy.db.tables import Fact


@pytest.mark.parametrize(
    ("level", "text"), [("fine", "OK"), ("critical", "OK\ncritical: the pool of volumes is 93.5 % full")]
)
def test_a_full_pool(client: falcon.testing.TestClient, database: Database, level: str, text: str) -> None:
    room = {"pool": {"used": 935, "total": 1000, "percent": 93.5, "level": level}}
    with database.write() as session:
        session.add(Fact(name="room", value=room))
    answer = client.simulate_get("/healthcheck")
    assert (answer.status_code, answer.text) == (200, text)
    assert 'argosy_pool_used_bytes{place="pool"} 935' in client.simulate_get("/metrics").text
