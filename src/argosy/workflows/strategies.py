"""Which strategy takes a backup: what was asked for, what the version has, or the best that there is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from argosy import errors
from argosy.engines.backups import Strategy
from argosy.engines.base import Engine


@dataclass(frozen=True)
class Wish:
    asked: str = ""
    """by whoever wants the backup; empty: nothing"""
    preferred: str = ""
    """by the operator, for this version; empty: nothing"""
    parent: str = ""
    """strategy of the backup to build on; empty: everything is to be taken"""
    snapshots: bool = False
    """the provider can make them"""
    small: bool = False
    """so little data that a copy of the volume costs more than it saves"""


def choose(engine: Engine, wish: Wish) -> Strategy:
    """Raises NotSupported for an engine or a provider without one, BadRequest for one that cannot be meant."""
    if not engine.strategies:
        raise errors.NotSupported(f"{engine.title} does not support backups")
    known = {each.name: each for each in engine.strategies}
    if wish.asked and wish.asked not in known:
        raise errors.BadRequest(
            f"{engine.title} has no backup strategy {wish.asked!r}: choose one of {_names(engine.strategies)}"
        )
    return _increment(engine, wish) if wish.parent else _full(engine, wish)


def builds_on(engine: Engine, parent: str) -> Sequence[Strategy]:
    """The strategies that can add to a backup of this one."""
    return [each for each in engine.strategies if parent in each.parents]


def _full(engine: Engine, wish: Wish) -> Strategy:
    full = [each for each in engine.strategies if not each.parents]
    possible = [each for each in full if wish.snapshots or not each.offline]
    named = next((each for each in full if each.name == wish.asked), None)
    if wish.asked and named is None:
        raise errors.BadRequest(f"{wish.asked} takes what changed since another backup: name that one as parent_id")
    if named is not None and named not in possible:
        raise errors.NotSupported(
            f"{named.name} needs snapshots of volumes, which this provider does not make:"
            f" choose one of {_names(possible)}"
        )
    return named or _default(engine, possible, wish)


def _default(engine: Engine, possible: Sequence[Strategy], wish: Wish) -> Strategy:
    """The version's where it can be had. Else of much data a copy of the volume, if what changes later can be added to
    it; of little, and where it cannot, the first that reads the running server.
    """
    if not possible:
        raise errors.NotSupported(f"{engine.title} cannot be backed up where this provider makes no snapshots")
    preferred = [each for each in possible if each.name == wish.preferred]
    large = [each for each in possible if each.offline and not wish.small and _has_a_future(engine, each)]
    running = [each for each in possible if not each.offline]
    return next(iter([*preferred, *large, *running, *possible]))


def _has_a_future(engine: Engine, strategy: Strategy) -> bool:
    """Whoever asks for an incremental backup later is not told that the last full one is of the wrong kind."""
    return bool(builds_on(engine, strategy.name)) or not any(each.parents for each in engine.strategies)


def _increment(engine: Engine, wish: Wish) -> Strategy:
    """The name of one that takes full backups says how those are to be taken, and nothing here."""
    possible = builds_on(engine, wish.parent)
    if not possible:
        kinds = sorted({parent for each in engine.strategies for parent in each.parents})
        cure = f"take one by {' or '.join(kinds)} first" if kinds else "take a full one"
        raise errors.BadRequest(f"nothing can be added to a backup of {engine.title} taken by {wish.parent}: {cure}")
    named = [each for each in possible if each.name == wish.asked]
    increments = {each.name for each in engine.strategies if each.parents}
    if wish.asked in increments and not named:
        raise errors.BadRequest(
            f"{wish.asked} cannot add to a backup taken by {wish.parent}: choose one of {_names(possible)}"
        )
    return next(iter([*named, *possible]))


def _names(strategies: Sequence[Strategy]) -> str:
    return ", ".join(each.name for each in strategies)
