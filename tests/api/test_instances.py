"""Instances: create, list, show, rename, delete."""

from __future__ import annotations


def test_a_new_instance_is_told_whole(create):
    made = create("m1", availability_zone="nova", nics=[{"net-id": "7d5d5b6e-0b1c-4a3e-9d75-1f0f3b6c0a11"}])
    assert made["status"] == "BUILD"
    assert made["operating_status"] == ""
    assert len(made["password"]) == 36
    assert made["datastore"] == {"type": "postgresql", "version": "15", "version_number": "15.18"}
    assert made["flavor"]["id"] == "2"
    assert made["volume"] == {"size": 2}
    assert "ip" not in made
    assert "addresses" not in made
    assert "fault" not in made
    assert made["availability_zone"] == "nova"
    assert made["nics"] == [{"net-id": "7d5d5b6e-0b1c-4a3e-9d75-1f0f3b6c0a11"}]
    assert made["service_status_updated"] is None


def test_list_show_delete(create, member):
    made = create()
    (listed,) = member.get("/instances")["instances"]
    assert listed["id"] == made["id"]
    assert member.get(f"/instances/{made['id']}")["instance"]["name"] == "m1"
    gone = member("DELETE", f"/instances/{made['id']}")
    assert (gone.status_code, gone.content) == (202, b"")
    assert member.get(f"/instances/{made['id']}")["instance"]["status"] == "SHUTDOWN"
