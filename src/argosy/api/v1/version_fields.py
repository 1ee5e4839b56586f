"""What an operator may say about a datastore version."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.fields import Fields
from argosy.db.tables import Datastore, DatastoreVersion
from argosy.engines import registry
from argosy.workflows import offers

IMAGES = ("image", "image_tags", "packages", "registry_ext", "repl_strategy")
CHANGES = ("name", "datastore_manager", "active", "default", "backup_strategy", *IMAGES)
NEW = (*CHANGES, "datastore_name", "version")
TAGS, TAG = 5, 20
"""Most tags, and the longest."""


def change(session: Session, datastore: Datastore, version: DatastoreVersion, fields: Fields) -> None:
    """Everything but the name. Raises BadRequest, also for an active version without a build on this machine."""
    _change_image(version, fields)
    version.manager = fields.text("datastore_manager", most=64) or version.manager
    version.backup_strategy = _strategy(datastore, version, fields)
    active, default = fields.flag("active"), fields.flag("default")
    if active is not None:
        version.withdrawn = not active
    session.flush()
    offers.settle(session, version)
    if active and not version.active:
        raise errors.BadRequest(
            f"no build of {datastore.engine} {version.number} is on this machine: install it, or do not activate it"
        )
    _choose_default(session, datastore, version, default=default)


def _change_image(version: DatastoreVersion, fields: Fields) -> None:
    if fields.get("image"):
        version.image = _image(fields)
    if "image_tags" in fields:
        version.image_tags = _words(fields, "image_tags", TAG)
        if len(version.image_tags) > TAGS:
            raise fields.wrong("image_tags", f"must not be more than {TAGS}")
    if "packages" in fields:
        version.packages = _words(fields, "packages", 255)
    version.registry_ext = fields.text("registry_ext") or version.registry_ext
    version.repl_strategy = fields.text("repl_strategy") or version.repl_strategy


def _strategy(datastore: Datastore, version: DatastoreVersion, fields: Fields) -> str:
    """What takes full backups where nobody says how; null: the engine's default. Raises BadRequest."""
    if "backup_strategy" not in fields.values:
        return version.backup_strategy or ""
    known = [each.name for each in registry.get(datastore.engine).strategies if not each.parents]
    return fields.choice("backup_strategy", known) or ""


def _image(fields: Fields) -> str:
    try:
        return str(uuid.UUID(fields.needed_text("image")))
    except ValueError as error:
        raise fields.wrong("image", "must be a uuid") from error


def _words(fields: Fields, name: str, longest: int) -> list[str]:
    words = list(fields.list(name))
    if any(not isinstance(each, str) or not 1 <= len(each) <= longest or not each.isprintable() for each in words):
        raise fields.wrong(name, f"must hold strings of 1 to {longest} characters")
    return words


def _choose_default(session: Session, datastore: Datastore, version: DatastoreVersion, *, default: bool | None) -> None:
    """A version that cannot be asked for is nobody's default, whatever was said."""
    if default and not version.active:
        raise errors.BadRequest(f"version {version.name} is not active: it cannot be the default")
    if default:
        datastore.default_version_id = version.id
    elif default is False and datastore.default_version_id == version.id:
        datastore.default_version_id = None
        return
    offers.choose_default(session, datastore.id)
