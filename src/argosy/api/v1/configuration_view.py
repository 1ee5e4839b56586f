"""A configuration group as clients read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from argosy import clock
from argosy.api.v1.configuration_rows import Seen

SECRETIVE = re.compile(r"passw|secret|token|credential|(^|[-_])auth$", re.IGNORECASE)
"""Names of parameters whose values nobody is shown again."""
MASK = "***"


def summary(seen: Seen) -> dict[str, Any]:
    """An item of the list."""
    configuration = seen.configuration
    return {
        "id": configuration.id,
        "name": configuration.name,
        "description": configuration.description,
        "created": clock.timestamp(configuration.created),
        "updated": clock.timestamp(configuration.updated),
        "datastore_version_id": configuration.version_id,
        "datastore_name": seen.datastore.name if seen.datastore else None,
        "datastore_version_name": seen.version.name if seen.version else None,
    }


def detail(seen: Seen, instances: int) -> dict[str, Any]:
    number = seen.version.number if seen.version else None
    view = {**summary(seen), "datastore_version_number": number, "instance_count": instances}
    return {**view, "values": masked(seen.configuration.settings)}


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: MASK if SECRETIVE.search(name) else value for name, value in sorted(values.items())}
