"""Exact versions where two datastores of an engine count alike: whose the server is follows the number that it tells,
as in `8.0.1-valkey`.
"""

from __future__ import annotations


def of(datastore: str, told: str) -> str:
    """The exact version of a server of that datastore's own, by what it tells of itself."""
    return f"{told}-{datastore}"


def is_of(datastore: str, number: str) -> bool:
    return number.endswith(of(datastore, ""))


def told(datastore: str, number: str) -> str:
    """What the server tells of itself."""
    return number.removesuffix(of(datastore, ""))
