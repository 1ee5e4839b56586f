"""What can happen: the catalogue of event kinds. Trove's notification names and payload keys where Trove has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    name: str
    """as rows, webhooks and exports carry it"""
    meaning: str


def _operation(name: str, doing: str) -> tuple[Kind, ...]:
    """The three that every operation has, as Trove's notifications do."""
    return (
        Kind(f"dbaas.{name}.start", f"somebody asked for {doing}"),
        Kind(f"dbaas.{name}.end", f"{doing} is done"),
        Kind(f"dbaas.{name}.error", f"{doing} has failed"),
    )


CATALOGUE: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        *_operation("instance_create", "an instance"),
        *_operation("instance_delete", "the end of an instance"),
        *_operation("instance_restart", "a restart of the database server"),
        *_operation("root_enable", "a new password of the master user"),
        Kind("dbaas.instance_update", "an instance was renamed or tagged"),
    )
}
"""Every kind that is ever told, by name."""
