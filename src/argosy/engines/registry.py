"""Finds engines: our own, and those that other packages declare under the entry point group `argosy.engines`."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from importlib import metadata

from argosy import errors
from argosy.engines.base import Engine

BUILT_IN = ("argosy.engines.mysql", "argosy.engines.postgresql", "argosy.engines.redis")


@functools.cache
def engines() -> Mapping[str, Engine]:
    """Every engine by name."""
    ours = [importlib.import_module(name).ENGINE for name in BUILT_IN]
    others = [each.load() for each in metadata.entry_points(group="argosy.engines")]
    return {engine.name: engine for engine in (*ours, *others)}


def get(name: str) -> Engine:
    """Raises NotFound."""
    try:
        return engines()[name]
    except KeyError as error:
        raise errors.NotFound(f"engine {name} cannot be found") from error
