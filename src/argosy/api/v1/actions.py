"""Actions on an instance: `POST …/action` with the action as the one key of its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import instance_rows
from argosy.db.tables import Instance
from argosy.workflows import restart_instance

Act = Callable[[Session, Request, Instance, Fields], None]


def act(request: Request) -> Answer:
    """If several actions are named, the last one counts, as in Trove."""
    body = Fields(request.body or {})
    named = [name for name in body.values if name in ACTIONS]
    if not named:
        raise errors.BadRequest(f"the body must name one action of {', '.join(ACTIONS)}")
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        ACTIONS[named[-1]](session, request, instance, body.object(named[-1]))
    return ACCEPTED


def _restart(session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    request.permit(instance.project_id, "instance:restart")
    restart_instance.admit(session, request.caller, instance)


def _resize(_session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    what = "volume" if "volume" in fields else "flavor"
    request.permit(instance.project_id, f"instance:resize_{what}")
    raise errors.NotSupported("resizing is not supported by this release of Argosy")


def _promote(_session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    request.permit(instance.project_id, "instance:promote_to_replica_source")
    raise errors.BadRequest(f"Instance {instance.id} is not a replica.")


def _eject(_session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    request.permit(instance.project_id, "instance:eject_replica_source")
    raise errors.BadRequest(f"Instance {instance.id} has no replicas.")


def _reset_status(_session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    """The first half of Trove's forced delete needs nothing here: DELETE is accepted whatever is being done."""
    if "force_delete" in fields.values:
        request.permit(instance.project_id, "instance:force_delete")
        return
    request.permit(instance.project_id, "instance:reset_status")
    raise errors.NotSupported("resetting a status is not supported by this release of Argosy: DELETE always works")


ACTIONS: Mapping[str, Act] = {
    "restart": _restart,
    "resize": _resize,
    "promote_to_replica_source": _promote,
    "eject_replica_source": _eject,
    "reset_status": _reset_status,
}
