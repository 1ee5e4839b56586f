"""To which versions an instance can go: what the engine can do, with all that the instance has and was given."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Datastore, DatastoreVersion, Fact, Instance
from argosy.engines import roots
from argosy.engines.base import Capability, Engine
from argosy.engines.upgrades import Jump
from argosy.model.guest import TlsMode
from argosy.providers.base import Feature
from argosy.workflows import offers, overrides, parameters


def targets(session: Session, version: DatastoreVersion) -> Sequence[DatastoreVersion]:
    """Active versions that its instances can go to: of its datastore first, the nearest first."""
    engine = offers.get(session, version.id).engine
    ours = select(Datastore.id).where(Datastore.engine == engine.name)
    others = session.scalars(
        select(DatastoreVersion).where(DatastoreVersion.datastore_id.in_(ours), DatastoreVersion.active)
    )
    found = [
        each
        for each in others
        if _related(engine, version, each) and _possible(session, each, engine.jump(version.number, each.number))
    ]
    return sorted(found, key=lambda each: (each.datastore_id != version.datastore_id, roots.order(each.number)))


def called(session: Session, version: DatastoreVersion, target: DatastoreVersion) -> str:
    """As its instances' owners name a target: with its datastore, where that is another."""
    if target.datastore_id == version.datastore_id:
        return target.name
    return f"{session.get_one(Datastore, target.datastore_id).name} {target.name}"


def require(session: Session, instance: Instance, target: DatastoreVersion) -> None:
    """Raises BadRequest for a version that the instance cannot go to, saying which ones it can; Unprocessable for
    settings and TLS that it would have to go without.
    """
    _require_way(session, instance, target)
    offers.require_flavor(session, target, instance.flavor_id)
    if instance.tls_mode != TlsMode.OFF and Capability.TLS not in target.capabilities:
        raise errors.Unprocessable(
            f"version {target.name} speaks no TLS on this machine ({target.note or 'its build lacks it'}), and instance"
            f" {instance.id} does: a build with TLS can be gone to, or this one after the instance's TLS mode is off"
        )
    _require_settings(session, instance, target)


def _require_way(session: Session, instance: Instance, target: DatastoreVersion) -> None:
    offer = offers.get(session, instance.version_id)
    able = targets(session, offer.version)
    if target.id in {each.id for each in able}:
        return
    names = ", ".join(called(session, offer.version, each) for each in able)
    choice = f"it can go to {names}" if able else "there is none here that it can go to"
    raise errors.BadRequest(
        f"Instance {instance.id} of {offer.datastore.name} {offer.version.name} cannot be upgraded to"
        f" {offers.get(session, target.id).datastore.name} {target.name}: {choice}."
    )


def _related(engine: Engine, version: DatastoreVersion, target: DatastoreVersion) -> bool:
    """Of one datastore, or served by another kind of server: a name that the same servers answer to is no way to go."""
    if target.datastore_id == version.datastore_id:
        return True
    return engine.native(target.number) is not engine.native(version.number)


def _possible(session: Session, target: DatastoreVersion, jump: Jump) -> bool:
    """A major one needs programs that convert, and something to go back to."""
    if jump is not Jump.MAJOR:
        return jump is Jump.MINOR
    fact = session.get(Fact, "provider")
    features = fact.value["features"] if fact else ()
    return Capability.UPGRADES in target.capabilities and Feature.SNAPSHOT in features


def _require_settings(session: Session, instance: Instance, target: DatastoreVersion) -> None:
    """What an operator has locked there replaces what was chosen."""
    menu = parameters.menu(session, target.id)
    chosen = overrides.values(session, instance.configuration_id)
    unknown = sorted(name for name in chosen if name.lower() not in menu)
    if unknown:
        raise errors.Unprocessable(
            f"version {target.name} has no parameter {', '.join(unknown)}: take it out of configuration"
            f" {instance.configuration_id}, or detach that, and try again"
        )
    parameters.require_room(menu, parameters.check(menu, parameters.unlocked(menu, chosen)), instance.ram)
