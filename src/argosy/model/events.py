"""What can happen: the catalogue of event kinds. Trove's notification names and payload keys where Trove has them.

Changes of users, projects and roles have the names that Keystone gives its notifications.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

INSTANCE = ("tenant_id", "instance_id", "instance_name", "instance_type_id", "volume_size", "region")
"""Payload keys of every event about an instance."""


@dataclass(frozen=True)
class Kind:
    name: str
    """as rows, webhooks and exports carry it"""
    meaning: str
    keys: tuple[str, ...] = ()
    """of the payload, beside INSTANCE where it is about an instance"""


def _operation(name: str, doing: str, *keys: str) -> Iterator[Kind]:
    """The three that every operation has, as Trove's notifications do."""
    yield Kind(f"dbaas.{name}.start", f"somebody asked for {doing}", keys)
    yield Kind(f"dbaas.{name}.end", f"{doing} is done")
    yield Kind(f"dbaas.{name}.error", f"{doing} has failed", ("message", "exception"))


def _resource(name: str, *verbs: str) -> Iterator[Kind]:
    """Changes of the local identity service."""
    for verb in verbs:
        yield Kind(f"identity.{name}.{verb}", f"{name.replace('_', ' ')} {verb}", ("resource_info",))


def _instances() -> Iterator[Kind]:
    yield from _operation("instance_create", "an instance", "name", "flavor_id", "availability_zone", "region_name")
    yield from _operation("instance_delete", "the end of an instance")
    yield from _operation("instance_restart", "a restart of the database server")
    yield from _operation("instance_revive", "the return of a server that was gone")
    yield from _operation("root_enable", "a new password of the master user")
    yield from _operation("certificate_renew", "a new certificate of the database server")
    yield Kind("dbaas.instance_update", "an instance was renamed or tagged", ("name", "tags"))
    yield Kind("dbaas.instance_health", "the database server became another", ("health", "was", "message"))
    yield Kind("dbaas.guest_enrolled", "the agent of an instance proved itself")
    yield Kind("dbaas.guest_lost", "the agent of an instance is not heard of any more")
    yield Kind("dbaas.guest_returned", "the agent of an instance is heard of again")
    yield Kind(
        "dbaas.volume_usage", "the volume of an instance is nearly full, or is not any more", ("percent", "level")
    )


def _deployment() -> Iterator[Kind]:
    yield Kind("dbaas.quota", "a quota of a project was changed", ("resource", "limit", "in_use", "reserved"))
    yield Kind("dbaas.pool_usage", "the pool of volumes is nearly full, or is not any more", ("percent", "level"))
    yield Kind("dbaas.webhook_create", "a webhook was made", ("webhook_id", "url"))
    yield Kind("dbaas.webhook_update", "a webhook was changed", ("webhook_id", "url"))
    yield Kind("dbaas.webhook_delete", "a webhook was deleted", ("webhook_id", "url"))
    yield Kind("dbaas.webhook_failing", "a webhook is given up until somebody resumes it", ("webhook_id", "message"))


def _people() -> Iterator[Kind]:
    yield from _resource("user", "created", "updated", "deleted")
    yield from _resource("project", "created", "updated", "deleted")
    yield from _resource("role_assignment", "created", "deleted")
    yield from _resource("application_credential", "created", "deleted")


CATALOGUE: Mapping[str, Kind] = {kind.name: kind for each in (_instances, _deployment, _people) for kind in each()}
"""Every kind that is ever told, by name."""
