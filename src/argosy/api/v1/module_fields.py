"""The body of a request that makes or changes a module."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from sqlalchemy.orm import Session

from argosy import errors
from argosy.api.exchange import Request
from argosy.api.fields import Fields
from argosy.api.v1 import catalogue
from argosy.db.tables import Module
from argosy.model.modules import LONGEST_CONTENTS, MODULE_TYPES

FLAGS = ("auto_apply", "visible", "live_update", "priority_apply", "full_access")


def read(session: Session, request: Request, fields: Fields, module: Module) -> None:
    """Put what the body says into the module. Raises BadRequest, NotFound for a type, Forbidden for what only
    administrators may ask for.
    """
    for name in FLAGS:
        if (told := flag(fields, name)) is not None:
            setattr(module, name, told)
    if (order := fields.integer("apply_order", least=0, most=9)) is not None:
        module.apply_order = order
    module.name = fields.text("name") or module.name
    module.description = fields.text("description", most=LONGEST_CONTENTS) or module.description
    _read_type(fields, module)
    _read_contents(fields, module)
    _read_project(request, fields, module)
    _read_datastore(session, fields, module)
    _judge(request, module)


def _read_type(fields: Fields, module: Module) -> None:
    name = fields.text("module_type")
    if name is not None and name not in MODULE_TYPES:
        raise errors.NotFound(f"Module type '{name}' was not found.")
    module.type = name or module.type


def _read_contents(fields: Fields, module: Module) -> None:
    contents = fields.get("contents")
    if contents is None:
        return
    if not isinstance(contents, str) or not 1 <= len(contents) <= LONGEST_CONTENTS:
        raise fields.wrong("contents", f"must be base64 of 1 to {LONGEST_CONTENTS} characters")
    try:
        base64.b64decode(contents, validate=True)
    except (binascii.Error, ValueError) as error:
        raise fields.wrong("contents", f"must be base64: {error}") from error
    module.contents = contents
    module.md5 = hashlib.md5(contents.encode(), usedforsecurity=False).hexdigest()


def _read_project(request: Request, fields: Fields, module: Module) -> None:
    everybody = flag(fields, "all_tenants")
    if everybody is not None:
        module.project_id = None if everybody else request.caller.project_id


def _read_datastore(session: Session, fields: Fields, module: Module) -> None:
    told = fields.object("datastore")
    name, number = told.text("type"), told.text("version")
    if number and not name:
        raise told.wrong("type", "is required where a version is given")
    if name:
        offered = catalogue.datastore(session, name)
        module.datastore_id = offered.datastore.id
        module.version_id = catalogue.version(offered, number).id if number else None
    if flag(fields, "all_datastores"):
        module.datastore_id = module.version_id = None
    if flag(fields, "all_datastore_versions"):
        module.version_id = None


def _judge(request: Request, module: Module) -> None:
    """What reaches beyond a project, or hides, is for administrators, and what they make so stays theirs."""
    special: list[Any] = [module.auto_apply, module.priority_apply, not module.visible, module.project_id is None]
    if any(special) and not request.caller.is_admin:
        raise errors.Forbidden("auto_apply, all_tenants, priority_apply and hidden modules are for administrators.")
    if module.full_access and any(special):
        raise errors.BadRequest("A module with full_access has no options that are for administrators.")
    module.is_admin = any(special)


def flag(fields: Fields, name: str) -> bool | None:
    """0 or 1, as Trove's clients send it, or a boolean."""
    value = fields.get(name)
    if isinstance(value, bool):
        return value
    number = fields.integer(name, least=0, most=1)
    return None if number is None else bool(number)
