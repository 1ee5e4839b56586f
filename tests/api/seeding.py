"""What the other processes would have written: the provider's catalogue, and guests that came up."""

from __future__ import annotations

from sqlalchemy import delete, update

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import (
    Account,
    Datastore,
    DatastoreVersion,
    Endpoint,
    Fact,
    Guest,
    Instance,
    Lock,
    Project,
    RoleAssignment,
    Run,
)
from argosy.identity.local import tokens

POSTGRESQL = "11111111-1111-4111-8111-111111111111"
MARIADB = "22222222-2222-4222-8222-222222222222"
REDIS = "33333333-3333-4333-8333-333333333333"
VERSIONS = {
    "15": "11111111-1111-4111-8111-000000000015",
    "17": "11111111-1111-4111-8111-000000000017",
    "10.11": "22222222-2222-4222-8222-000000001011",
    "7.0": "33333333-3333-4333-8333-000000000070",
}


def fill(database: Database) -> None:
    with database.write() as session:
        session.add(Fact(name="provider", value={"name": "local", "features": ["isolation", "volume-size"]}))
        session.add(Datastore(id=POSTGRESQL, name="postgresql", engine="postgresql", default_version_id=VERSIONS["15"]))
        session.add(Datastore(id=MARIADB, name="mariadb", engine="mysql", default_version_id=VERSIONS["10.11"]))
        session.add(Datastore(id=REDIS, name="redis", engine="redis", default_version_id=VERSIONS["7.0"]))
        for datastore, name, number in (
            (POSTGRESQL, "15", "15.18"),
            (POSTGRESQL, "17", "17.10"),
            (MARIADB, "10.11", "10.11.19"),
            (REDIS, "7.0", "7.0.15"),
        ):
            version = DatastoreVersion(id=VERSIONS[name], datastore_id=datastore, name=name, number=number)
            version.capabilities = ["accounts", "backups", "databases", "tls"]
            session.add(version)


def finish(database: Database, instance_id: str, host: str) -> None:
    with database.write() as session:
        session.get_one(Instance, instance_id).task = "NONE"
        session.execute(update(Run).where(Run.subject == instance_id).values(state="done"))
        session.execute(delete(Lock).where(Lock.subject == instance_id))
        session.merge(
            Guest(
                id=instance_id,
                generation=1,
                health="healthy",
                seen_at=clock.now(),
                volume_used=2**30 // 2,
                volume_total=2 * 2**30,
            )
        )
        writer = Endpoint(id=f"w-{instance_id}"[:36], instance_id=instance_id, role="writer", host=host, port=5432)
        writer.network = "7d5d5b6e-0b1c-4a3e-9d75-1f0f3b6c0a11"
        session.add(writer)


def issue(database: Database, project: str, *roles: str) -> str:
    """A token of a new user with these roles in a project of this id."""
    with database.write() as session:
        if session.get(Project, project) is None:
            session.add(Project(id=project, name=project))
        name = f"{project}-{'-'.join(roles)}"
        session.add(Account(id=f"user-{name}", name=name))
        session.add_all(RoleAssignment(account_id=f"user-{name}", project_id=project, role=role) for role in roles)
        who = tokens.Ref(f"user-{name}", name)
        grant = tokens.Grant(who, tokens.Ref(project, project), roles, ("password",), clock.now() + 600)
        token, _ = tokens.issue(session, grant)
    return token
