"""Take a backup, or register one that was made elsewhere: the body of `POST /backups`; unknown keys are ignored."""

from __future__ import annotations

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import backup_view, instance_rows
from argosy.api.v1.backup_strategies import CONTAINER
from argosy.db.tables import Backup
from argosy.workflows import create_backup, register_backup
from argosy.workflows.new_backups import CINDER, SWIFT, NewBackup
from argosy.workflows.register_backup import Elsewhere

NICEST = 19
FASTEST = 1 << 40
"""bytes in a second, beyond any disk"""


def create(request: Request) -> Answer:
    """202 with the backup in NEW, or in RESTORED when it was registered."""
    fields = request.fields("backup")
    name, description = fields.needed_text("name"), fields.text("description")
    if "restore_from" in fields:
        backup = _register(request, fields.object("restore_from"), name, description)
    else:
        backup = _take(request, fields, name, description)
    with request.services.database.read() as session:
        (view,) = backup_view.of(session, [backup])
    return Answer(202, {"backup": view})


def _take(request: Request, fields: Fields, name: str, description: str | None) -> Backup:
    instance_id = fields.text("instance")
    if instance_id is None:
        raise errors.BadRequest("Validation error: backup.instance is a required property")
    limits, services = fields.object("limits"), request.services
    with services.database.write() as session:
        wanted = NewBackup(
            name=name,
            description=description,
            instance=instance_rows.named(session, request, instance_id),
            parent_id=fields.text("parent_id"),
            incremental=_incremental(fields),
            container=container(fields),
            storage_driver=fields.choice("storage_driver", (SWIFT, CINDER)) or SWIFT,
            strategy=fields.text("strategy", most=32) or "",
            bytes_per_second=limits.integer("bytes_per_second", least=0, most=FASTEST),
            nice=limits.integer("nice", least=0, most=NICEST),
        )
        return create_backup.admit(session, services.settings, request.caller, wanted)


def _register(request: Request, fields: Fields, name: str, description: str | None) -> Backup:
    size = fields.get("size")
    if not isinstance(size, int | float) or isinstance(size, bool) or not 0 < size < FASTEST:
        raise fields.wrong("size", "must be a number of GB")
    elsewhere = Elsewhere(
        name=name,
        description=description,
        location=fields.needed_text("remote_location", most=1000),
        version_id=fields.needed_text("local_datastore_version_id", most=36),
        size=float(size),
    )
    services = request.services
    return register_backup.register(services.settings, services.database, request.caller, elsewhere)


def _incremental(fields: Fields) -> bool:
    value = fields.get("incremental")
    if isinstance(value, bool):
        return value
    return bool(fields.integer("incremental", least=0, most=1))


def container(fields: Fields) -> str:
    name = fields.text("swift_container") or ""
    if name and not CONTAINER.fullmatch(name):
        raise fields.wrong("swift_container", "must be of letters, digits and @%+=:,.-_")
    return name
