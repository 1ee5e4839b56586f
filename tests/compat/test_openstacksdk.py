"""openstacksdk: its database and identity proxies, by small programs in sdk/."""

from __future__ import annotations

from public_clients import Clients


def test_the_life_of_an_instance(demo: Clients) -> None:
    told = demo.sdk("life_of_an_instance", "by-sdk", "redis")
    assert told == {
        "seen": ["BUILD", "ACTIVE"],
        "listed": True,
        "found": True,
        "renamed": "by-sdk-renamed",
        "gone": True,
    }


def test_flavors(demo: Clients) -> None:
    told = demo.sdk("flavors")
    assert told["listed"]["tiny"] == 256
    assert (told["one"], told["found"]) == ("tiny", "small")


def test_people(admin: Clients) -> None:
    assert admin.sdk("people") == {"given": True, "mine": ["sdk-project"], "gone": True}
