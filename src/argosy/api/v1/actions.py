"""Actions on an instance: `POST …/action` with the action as the one key of its body."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import flavors, instance_rows, recovery, undos
from argosy.db.tables import Instance
from argosy.workflows import (
    rebuild_instance,
    reset_status,
    resize_flavor,
    resize_volume,
    restart_instance,
    start_instance,
    stop_instance,
)

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


def _stop(session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    request.permit(instance.project_id, "instance:stop")
    stop_instance.admit(session, request.caller, instance)


def _start(session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    request.permit(instance.project_id, "instance:start")
    start_instance.admit(session, request.caller, instance)


def _rebuild(session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    request.permit(instance.project_id, "instance:rebuild")
    rebuild_instance.admit(session, request.caller, instance)


def _resize(session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    what = _resize_volume if "volume" in fields else _resize_flavor
    what(session, request, instance, fields)


def _resize_volume(session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    request.permit(instance.project_id, "instance:resize_volume")
    size = _size(fields)
    resize_volume.admit(session, request.services.settings, request.caller, instance, size)


def _size(fields: Fields) -> int:
    """As Trove has it, `{"size": 4}`, or plainly the number, as openstacksdk sends it."""
    volume = (
        fields.object("volume") if isinstance(fields.get("volume"), dict) else Fields({"size": fields.get("volume")})
    )
    size = volume.integer("size", least=1)
    if size is None:
        raise errors.BadRequest("Volume size was not specified.")
    return size


def _resize_flavor(session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    request.permit(instance.project_id, "instance:resize_flavor")
    settings = request.services.settings
    resize_flavor.admit(session, settings, request.caller, instance, flavors.chosen(settings, fields))


def _promote(_session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    request.permit(instance.project_id, "instance:promote_to_replica_source")
    raise errors.BadRequest(f"Instance {instance.id} is not a replica.")


def _eject(_session: Session, request: Request, instance: Instance, _fields: Fields) -> None:
    request.permit(instance.project_id, "instance:eject_replica_source")
    raise errors.BadRequest(f"Instance {instance.id} has no replicas.")


def _reset_status(session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    """With `force_delete` it is the first half of Trove's forced delete, which the owner may do too."""
    rule = "force_delete" if "force_delete" in fields.values else "reset_status"
    request.permit(instance.project_id, f"instance:{rule}")
    reset_status.admit(session, request.caller, instance)


ACTIONS: Mapping[str, Act] = {
    "restart": _restart,
    "stop": _stop,
    "start": _start,
    "rebuild": _rebuild,
    "resize": _resize,
    "promote_to_replica_source": _promote,
    "eject_replica_source": _eject,
    "reset_status": _reset_status,
    "restore": undos.restore,
    "copy_from": recovery.copy_from,
    "undo": undos.undo,
}
