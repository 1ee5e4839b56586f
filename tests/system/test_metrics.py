"""Numbers and events of a real database, as its owner reads them."""

from __future__ import annotations

from typing import Any

from owners import Owner, values

from argosy.testing.waiting import eventually


def test_a_real_database_is_measured_and_told(owner: Owner) -> None:
    made = owner.ready("redis")
    instance_id = made["id"]

    def measured() -> dict[str, float]:
        seen = values(owner, instance_id)
        assert seen.get("argosy_instance_up") == 1
        assert seen["argosy_instance_cpu_seconds_total"] > 0
        assert seen["argosy_instance_resident_bytes"] > 1_000_000
        return seen

    seen = eventually(measured, within=60)
    assert {"argosy_instance_keys", "argosy_instance_memory_limit_bytes", "argosy_instance_volume_bytes"} <= set(seen)
    kinds = [each["event_type"] for each in _events(owner, instance_id)]
    assert kinds[0] == "dbaas.instance_create.start"
    assert {"dbaas.guest_enrolled", "dbaas.instance_health", "dbaas.instance_create.end"} <= set(kinds)


def _events(owner: Owner, instance_id: str) -> Any:
    return owner.client.session.get("/events", instance=instance_id)["events"]
