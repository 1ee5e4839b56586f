"""Runs in the clients' own environment: says which commands and methods they have, so that none is forgotten."""

from __future__ import annotations

import inspect
import json
from importlib.metadata import entry_points

from openstack.database.v1._proxy import Proxy
from openstack.database.v1.instance import Instance
from troveclient.v1 import shell


def _openstack() -> list[str]:
    return sorted(each.name.replace("_", " ") for each in entry_points(group="openstack.database.v1"))


def _trove() -> list[str]:
    return sorted(name[3:].replace("_", "-") for name in dir(shell) if name.startswith("do_"))


def _methods(kind: type) -> list[str]:
    return sorted(name for name, each in vars(kind).items() if inspect.isfunction(each) and not name.startswith("_"))


if __name__ == "__main__":
    sdk = [*_methods(Proxy), *(f"Instance.{name}" for name in _methods(Instance))]
    print(json.dumps({"openstack": _openstack(), "trove": _trove(), "openstacksdk": sdk}))
