"""Finds engines: our own, and those that other packages declare under the entry point group `argosy.engines`."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping

from argosy import errors
from argosy.engines.base import Engine

BUILT_IN = ("argosy.engines.mysql", "argosy.engines.postgresql", "argosy.engines.redis")


@functools.cache
def engines() -> Mapping[str, Engine]:
    """Every engine by name. Ours cannot be replaced."""
    return {**{engine.name: engine for engine in _others()}, **_ours()}


def get(name: str) -> Engine:
    """Raises NotFound."""
    try:
        return _ours().get(name) or engines()[name]
    except KeyError as error:
        raise errors.NotFound(f"engine {name} cannot be found") from error


@functools.cache
def _ours() -> Mapping[str, Engine]:
    found: list[Engine] = [importlib.import_module(name).ENGINE for name in BUILT_IN]
    return {engine.name: engine for engine in found}


def _others() -> Iterator[Engine]:
    from importlib import metadata  # 2 MB, in every agent

    return (each.load() for each in metadata.entry_points(group="argosy.engines"))
