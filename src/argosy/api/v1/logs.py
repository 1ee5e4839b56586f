"""Logs of an instance's database server: list, show, switch, publish, discard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import asking, instance_rows
from argosy.db.tables import Guest, GuestLog, Instance
from argosy.engines.logfiles import GUEST, Log
from argosy.model.log_status import Extent, Published, extent, pending, status
from argosy.model.status import Task
from argosy.workflows import change_log, offers, overrides
from argosy.workflows.change_log import Wanted
from argosy.workflows.log_places import Place

PATIENCE = 20.0
"""Seconds that a client waits for a change; what takes longer goes on without it."""
KEYS = ("enable", "disable", "publish", "discard")


@dataclass(frozen=True)
class Known:
    """What our own rows tell of a log."""

    log: Log
    place: Place
    published: Published
    wanted: bool
    restart: bool
    container: str


def index(request: Request) -> Answer:
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        told = overrides.effective(session, instance)
        known = [_known(session, request, instance, log, told) for log in exposed(session, request, instance)]
    extents = _extents(request, instance)
    return Answer(200, {"logs": [_view(each, extents.get(each.log.name)) for each in known]})


def change(request: Request) -> Answer:
    """Answers when the change is done; only a name shows that log."""
    fields = Fields(request.body or {})
    name, wanted = fields.needed_text("name", most=32), _wanted(fields)
    with request.services.database.read() as session:
        instance = instance_rows.one(session, request)
        log = find(session, request, instance, name)
    if wanted.anything:
        _change(request, instance.id, log, wanted)
    with request.services.database.read() as session:
        seen = session.get_one(Instance, instance.id)
        known = _known(session, request, seen, log, overrides.effective(session, seen))
    return Answer(200, {"log": _view(known, _extents(request, instance).get(name))})


def exposed(session: Session, request: Request, instance: Instance) -> list[Log]:
    """The logs of the instance that the caller may see."""
    logs = (*offers.get(session, instance.version_id).engine.logs, GUEST)
    return [each for each in logs if request.caller.is_admin or not each.admin_only]


def find(session: Session, request: Request, instance: Instance, name: str) -> Log:
    """Raises NotFound, and Forbidden for a log that is not for the caller."""
    for log in (*offers.get(session, instance.version_id).engine.logs, GUEST):
        if log.name == name and (request.caller.is_admin or not log.admin_only):
            return log
        if log.name == name:
            raise errors.Forbidden(f"The log {name} is not exposed.")
    raise errors.NotFound(f"Instance {instance.id} has no log {name!r}.")


def _wanted(fields: Fields) -> Wanted:
    """Raises BadRequest for what contradicts itself."""
    told = {key: bool(fields.integer(key, least=0, most=1)) for key in KEYS}
    if told["disable"] and (told["enable"] or told["publish"]):
        raise errors.BadRequest("A log cannot be enabled or published and disabled at once.")
    switch = True if told["enable"] else False if told["disable"] else None
    return Wanted(switch, discard=told["discard"], publish=told["publish"])


def _change(request: Request, instance_id: str, log: Log, wanted: Wanted) -> None:
    with asking.seat(request):
        with request.services.database.write() as session:
            instance = session.get_one(Instance, instance_id)
            run = change_log.admit(session, request.caller, instance, log, wanted)
        asking.outcome(request, run.id, PATIENCE)


def _known(session: Session, request: Request, instance: Instance, log: Log, told: Mapping[str, Any]) -> Known:
    """`told`: the settings in force, which are the same for all logs of an instance."""
    row = session.get(GuestLog, (instance.id, log.name))
    container = request.services.settings.logs.container
    return Known(
        log,
        change_log.place(session, container, instance.id, log.name),
        Published(row.published, row.position, row.digest) if row else Published(),
        wanted=log.switch.is_on(told) if log.switch else True,
        restart=instance.task == Task.RESTART_REQUIRED,
        container=row.container if row else "",
    )


def _extents(request: Request, instance: Instance) -> Mapping[str, Extent]:
    """Nothing when the guest does not answer: its logs are unavailable then."""
    with request.services.database.read() as session:
        guest = session.get(Guest, instance.id)
    if guest is None or not guest.connected:
        return {}
    with asking.seat(request):
        try:
            answer = asking.ask(request, instance.id, "logs")
            return {name: extent(told) for name, told in dict(answer.get("logs", {})).items()}
        except (errors.Unavailable, errors.Broken, errors.NotSupported, TypeError, ValueError):
            return {}


def _view(known: Known, seen: Extent | None) -> dict[str, Any]:
    told = status(seen, known.published, wanted=known.wanted, restart=known.restart)
    return {
        "name": known.log.name,
        "type": known.log.kind,
        "status": told,
        "published": known.published.bytes,
        "pending": pending(seen, known.published) if seen else 0,
        "container": known.container or "None",
        "prefix": known.place.prefix if known.container else "None",
        "metafile": known.place.metafile,
    }
