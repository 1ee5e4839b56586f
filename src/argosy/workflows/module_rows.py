"""Modules of an instance, as rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Instance, InstanceModule, Module
from argosy.model.caller import Caller
from argosy.model.modules import AT_ONCE
from argosy.workflows import offers

PENDING = "PENDING"
"""asked for, and not answered by the guest yet"""


def visible(session: Session, caller: Caller, module_id: str) -> Module:
    """Raises NotFound, also for another project's and for a hidden one."""
    module = session.get(Module, module_id)
    if module is None or not (caller.is_admin or _is_for(module, caller.project_id)):
        raise errors.NotFound(f"Module with ID '{module_id}' could not be found.")
    return module


def _is_for(module: Module, project_id: str) -> bool:
    return module.visible and module.project_id in (None, project_id)


def require_fitting(session: Session, instance: Instance, modules: Sequence[Module]) -> None:
    """Raises BadRequest for a module of another datastore or version, or for too many at once."""
    offer = offers.get(session, instance.version_id)
    for each in modules:
        if not fits(each, offer.datastore.id, offer.version.id):
            raise errors.BadRequest(f"Module {each.name} is not for {offer.datastore.name} {offer.version.name}.")
    if sum(len(each.contents) for each in modules) > AT_ONCE:
        raise errors.BadRequest("These modules are too large to be applied at once: apply fewer of them.")


def fits(module: Module, datastore_id: str, version_id: str) -> bool:
    return module.datastore_id in (None, datastore_id) and module.version_id in (None, version_id)


def automatic(session: Session, instance: Instance) -> list[Module]:
    """Those that every new instance of its kind is given."""
    offer = offers.get(session, instance.version_id)
    mine = or_(Module.project_id.is_(None), Module.project_id == instance.project_id)
    found = session.scalars(select(Module).where(Module.auto_apply.is_(True), mine)).all()
    return [each for each in found if fits(each, offer.datastore.id, offer.version.id)]


def expect(session: Session, instance: Instance, modules: Sequence[Module]) -> None:
    """The instance is to have them: from now on they cannot be deleted."""
    for each in modules:
        row = session.get(InstanceModule, (instance.id, each.id)) or InstanceModule(
            instance_id=instance.id, module_id=each.id, created=clock.now()
        )
        row.md5, row.status, row.message, row.updated = each.md5, PENDING, "", clock.now()
        session.add(row)


def expect_again(session: Session, instance: Instance) -> None:
    """All that it has, for a guest that was told nothing yet."""
    mine = InstanceModule.instance_id == instance.id
    joined = select(Module).join(InstanceModule, InstanceModule.module_id == Module.id).where(mine)
    expect(session, instance, session.scalars(joined).all())


def pending(session: Session, instance_id: str) -> list[Module]:
    """What its guest is still to be told, in the order in which modules are applied."""
    mine = (InstanceModule.instance_id == instance_id) & (InstanceModule.status == PENDING)
    joined = select(Module).join(InstanceModule, InstanceModule.module_id == Module.id).where(mine)
    order = (Module.priority_apply.desc(), Module.apply_order, Module.name, Module.id)
    return list(session.scalars(joined.order_by(*order)))


def settle(session: Session, instance_id: str, module_id: str, status: str, message: str) -> None:
    row = session.get(InstanceModule, (instance_id, module_id))
    if row is not None:
        row.status, row.message, row.updated = status, message, clock.now()


def forget(session: Session, instance_id: str, module_id: str = "") -> None:
    """One of them, or all."""
    mine = [InstanceModule.instance_id == instance_id]
    if module_id:
        mine.append(InstanceModule.module_id == module_id)
    session.execute(delete(InstanceModule).where(*mine))


def count(session: Session, module_id: str) -> int:
    """Instances that have it."""
    mine = select(func.count()).select_from(InstanceModule).where(InstanceModule.module_id == module_id)
    return session.scalar(mine) or 0
