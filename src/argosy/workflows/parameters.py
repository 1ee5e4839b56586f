"""The parameters of a version: what its engine declares, as an operator has changed it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Parameter as Said
from argosy.engines import parameters
from argosy.engines.parameters import Kind, Parameter
from argosy.workflows import offers

Menu = Mapping[str, "Offered"]
"""By name in small letters."""


@dataclass(frozen=True)
class Offered:
    parameter: Parameter
    baseline: Any = None
    """what instances have unless their configuration says otherwise; None: what engine and Argosy say"""
    locked: bool = False
    """nobody but an operator can change it"""


def menu(session: Session, version_id: str) -> Menu:
    """What is offered for a version. Raises NotFound."""
    offer = offers.get(session, version_id)
    offered = {
        name: Offered(each) for name, each in parameters.offered(offer.engine.name, offer.version.number).items()
    }
    for said in session.scalars(select(Said).where(Said.version_id == version_id)):
        _heed(offered, said)
    return dict(sorted(offered.items()))


def check(menu: Menu, values: Mapping[str, Any]) -> dict[str, Any]:
    """A tenant's values under the engine's own names. Raises Unprocessable, and BadRequest for a name given twice."""
    if values and not menu:
        raise errors.Unprocessable("this datastore version has no configuration parameters")
    checked: dict[str, Any] = {}
    for name, value in values.items():
        offered = _known(menu, name)
        if offered.locked:
            raise errors.Unprocessable(f"parameter {name} is set by the operator and cannot be changed")
        if offered.parameter.name in checked:
            raise errors.BadRequest(f"parameter {name} is given more than once")
        checked[offered.parameter.name] = offered.parameter.check(value)
    return checked


def unlocked(menu: Menu, values: Mapping[str, Any]) -> dict[str, Any]:
    """Without those that an operator has locked: they count for nothing."""
    return {name: value for name, value in values.items() if name.lower() not in menu or not menu[name.lower()].locked}


def require_room(menu: Menu, values: Mapping[str, Any], ram: int) -> None:
    """Raises Unprocessable for a value that an instance of so many MiB cannot grant."""
    for name, value in values.items():
        if name.lower() in menu:
            menu[name.lower()].parameter.check_memory(value, ram)


def restart_needed(menu: Menu, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a running server cannot take the change."""
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return any(menu[name.lower()].parameter.restart for name in changed if name.lower() in menu)


def _known(menu: Menu, name: str) -> Offered:
    try:
        return menu[name.lower()]
    except KeyError as error:
        raise errors.Unprocessable(f"{name} is not a parameter of this datastore version") from error


def _heed(offered: dict[str, Offered], said: Said) -> None:
    if said.removed:
        offered.pop(said.name.lower(), None)
        return
    known = offered.get(said.name.lower())
    ruled = _ruled(known.parameter if known else None, said)
    offered[said.name.lower()] = Offered(ruled, said.baseline, said.locked)


def _ruled(declared: Parameter | None, said: Said) -> Parameter:
    """The operator's rule, where one was given, else the engine's."""
    if declared is not None and not said.data_type:
        return declared
    declared = declared or Parameter(said.name, Kind.STRING)
    return dataclasses.replace(
        declared,
        kind=Kind(said.data_type or Kind.STRING),
        minimum=_whole(said.minimum),
        maximum=_whole(said.maximum),
        restart=said.restart_required,
    )


def _whole(number: float | None) -> float | None:
    return int(number) if number is not None and number == int(number) else number
