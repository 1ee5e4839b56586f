"""Every method of openstacksdk's database proxy, and of its instances.

Prints a list of [method, call, why it cannot, what went wrong].
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import openstack
from openstack.exceptions import MethodNotSupported

ENGINE = {"type": "mysql"}
NOT_OFFERED = "openstacksdk has the method, and refuses to fetch such a thing before it asks us"


class Every:
    """What was tried, in order."""

    def __init__(self) -> None:
        self.connection = openstack.connect()
        self.proxy: Any = self.connection.database
        self.told: list[tuple[str, str, str, str]] = []

    def tries(self, method: str, how: str, call: Callable[[], Any], good: Callable[[Any], Any]) -> Any:
        """Call it, and judge what comes."""
        answer, wrong = None, ""
        try:
            answer = call()
            wrong = "" if good(answer) else f"answered {answer!r}"
        except Exception as error:  # noqa: BLE001 - it is told
            wrong = f"{type(error).__name__}: {error}"
        self.told.append((method, how, "", wrong))
        return answer

    def refuses(self, method: str, how: str, call: Callable[[], Any]) -> None:
        """Call it: openstacksdk itself must say that it does not do this."""
        try:
            wrong = f"answered {call()!r}"
        except MethodNotSupported:
            wrong = ""
        except Exception as error:  # noqa: BLE001 - it is told
            wrong = f"{type(error).__name__}: {error}"
        self.told.append((method, how, NOT_OFFERED, wrong))

    def settled(self, instance: Any) -> None:
        """Until it is ACTIVE, and nothing goes on."""
        self.proxy.wait_for_status(instance, status="ACTIVE", failures=["ERROR"], interval=0.2, wait=90)


def main() -> None:
    every = Every()
    _flavors(every)
    instance = _an_instance(every)
    _databases(every, instance)
    _users(every, instance)
    _of_instances(every, instance)
    _away(every, instance)
    print(json.dumps(every.told))


def _flavors(every: Every) -> None:
    proxy = every.proxy
    every.tries(
        "flavors", "flavors()", lambda: list(proxy.flavors()), lambda found: any(x.name == "small" for x in found)
    )
    every.tries("get_flavor", 'get_flavor("2")', lambda: proxy.get_flavor("2"), lambda found: found.name == "small")
    every.tries(
        "find_flavor", 'find_flavor("small")', lambda: proxy.find_flavor("small"), lambda found: found.ram == 512
    )


def _an_instance(every: Every) -> Any:
    proxy = every.proxy
    asked = {"name": "sdk", "flavor": {"id": "2"}, "volume": {"size": 1}, "datastore": ENGINE}
    made = every.tries(
        "create_instance",
        'create_instance(name="sdk", flavor={"id": "2"}, volume={"size": 1}, datastore={"type": "mysql"})',
        lambda: proxy.create_instance(**asked),
        lambda found: found.status == "BUILD",
    )
    every.tries(
        "wait_for_status",
        'wait_for_status(instance, status="ACTIVE", failures=["ERROR"])',
        lambda: proxy.wait_for_status(made, status="ACTIVE", failures=["ERROR"], interval=0.2, wait=90),
        lambda found: found.status == "ACTIVE",
    )
    every.tries(
        "instances", "instances()", lambda: list(proxy.instances()), lambda found: "sdk" in {x.name for x in found}
    )
    every.tries(
        "get_instance", "get_instance(id)", lambda: proxy.get_instance(made.id), lambda found: found.name == "sdk"
    )
    every.tries(
        "find_instance", 'find_instance("sdk")', lambda: proxy.find_instance("sdk"), lambda found: found.id == made.id
    )
    every.tries(
        "update_instance",
        'update_instance(instance, name="sdk-2")',
        lambda: proxy.update_instance(made.id, name="sdk-2") and proxy.get_instance(made.id),
        lambda found: found.name == "sdk-2",
    )
    return proxy.get_instance(made.id)


def _databases(every: Every, instance: Any) -> None:
    proxy = every.proxy
    every.tries(
        "create_database",
        'create_database(instance, name="shop", character_set="utf8mb4")',
        lambda: proxy.create_database(instance, name="shop", character_set="utf8mb4"),
        lambda found: found.name == "shop",
    )
    every.tries("databases", "databases(instance)", lambda: _seen(lambda: proxy.databases(instance), "shop"), bool)
    every.refuses("find_database", 'find_database("shop", instance)', lambda: proxy.find_database("shop", instance))
    every.refuses("get_database", 'get_database("shop", instance)', lambda: proxy.get_database("shop", instance))
    every.tries(
        "delete_database",
        'delete_database("shop", instance)',
        lambda: proxy.delete_database("shop", instance, ignore_missing=False),
        lambda _: _seen(lambda: proxy.databases(instance), "shop", there=False),
    )


def _users(every: Every, instance: Any) -> None:
    proxy = every.proxy
    every.tries(
        "create_user",
        'create_user(instance, name="anna", password="secret", databases=[])',
        lambda: proxy.create_user(instance, name="anna", password="secret", databases=[]),
        lambda found: found.name == "anna",
    )
    every.tries("users", "users(instance)", lambda: _seen(lambda: proxy.users(instance), "anna"), bool)
    every.refuses("find_user", 'find_user("anna", instance)', lambda: proxy.find_user("anna", instance))
    every.refuses("get_user", 'get_user("anna", instance)', lambda: proxy.get_user("anna", instance))
    every.tries(
        "delete_user",
        'delete_user("anna", instance)',
        lambda: proxy.delete_user("anna", instance, ignore_missing=False),
        lambda _: _seen(lambda: proxy.users(instance), "anna", there=False),
    )


def _of_instances(every: Every, instance: Any) -> None:
    session = every.proxy
    every.tries(
        "Instance.enable_root_user",
        "instance.enable_root_user(session)",
        lambda: instance.enable_root_user(session),
        lambda user: user["name"] == "root" and user["password"],
    )
    every.tries(
        "Instance.is_root_enabled",
        "instance.is_root_enabled(session)",
        lambda: instance.is_root_enabled(session),
        lambda enabled: enabled is True,
    )
    for method, how, arguments in (
        ("restart", "restart(session)", ()),
        ("resize", 'resize(session, "3")', ("3",)),
        ("resize_volume", "resize_volume(session, 2)", (2,)),
    ):
        before = every.proxy.get_instance(instance.id)
        every.tries(
            f"Instance.{method}",
            f"instance.{how}",
            lambda method=method, arguments=arguments: getattr(instance, method)(session, *arguments),
            lambda _, before=before: _changed(every, before),
        )


def _changed(every: Every, before: Any) -> bool:
    """It was seen to do something, and is well again."""
    seen = every.proxy.get_instance(before.id).status
    every.settled(every.proxy.get_instance(before.id))
    return seen in ("REBOOT", "RESIZE") or every.proxy.get_instance(before.id).updated_at != before.updated_at


def _away(every: Every, instance: Any) -> None:
    proxy = every.proxy
    every.tries("delete_instance", "delete_instance(id)", lambda: proxy.delete_instance(instance.id), lambda _: True)
    every.tries(
        "wait_for_delete",
        "wait_for_delete(instance)",
        lambda: proxy.wait_for_delete(instance, interval=0.2, wait=60),
        lambda _: proxy.find_instance(instance.id) is None,
    )


def _seen(listed: Callable[[], Any], name: str, *, there: bool = True) -> bool:
    """What is asked for with a 202 is to be seen within a few seconds."""
    until = time.monotonic() + 20
    while (name in {each.name for each in listed()}) is not there:
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


if __name__ == "__main__":
    sys.exit(main())
