"""What can happen: the catalogue of event kinds. Trove's notification names and payload keys where Trove has them.

Changes of users, projects and roles have the names that Keystone gives its notifications.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

INSTANCE = ("tenant_id", "instance_id", "instance_name", "instance_type_id", "volume_size", "region")
"""Payload keys of every event about an instance."""


@dataclass(frozen=True)
class Kind:
    name: str
    """as rows, webhooks and exports carry it"""
    meaning: str
    keys: tuple[str, ...] = ()
    """of the payload, beside INSTANCE where it is about an instance"""


def _operation(name: str, doing: str, *keys: str) -> Iterator[Kind]:
    """The three that every operation has, as Trove's notifications do."""
    yield Kind(f"dbaas.{name}.start", f"somebody asked for {doing}", keys)
    yield Kind(f"dbaas.{name}.end", f"{doing} is done", keys)
    yield Kind(f"dbaas.{name}.error", f"{doing} has failed", (*keys, "message", "exception"))


def _resource(name: str, *verbs: str) -> Iterator[Kind]:
    """Changes of the local identity service."""
    for verb in verbs:
        yield Kind(f"identity.{name}.{verb}", f"{name.replace('_', ' ')} {verb}", ("resource_info",))


def _instances() -> Iterator[Kind]:
    yield from _operation("instance_create", "an instance", "name", "flavor_id", "availability_zone", "region_name")
    yield from _operation("instance_delete", "the end of an instance")
    yield from _operation("instance_restore", "data of a backup in the place of an instance's", "backup_id")
    yield from _operation("instance_undo", "the data that an instance had before", "undo_id")
    yield Kind("dbaas.instance_undo_forget", "what could be gone back to is let go of before its time", ("undo_id",))
    yield from _operation("instance_quarantine", "the end of a protected instance, which can be brought back")
    yield from _operation("instance_bring_back", "an instance that was deleted")
    yield from _operation("instance_restart", "a restart of the database server")
    yield from _operation("instance_resize_instance", "another flavor", "new_flavor_id")
    yield from _operation("instance_resize_volume", "a larger volume", "new_size")
    yield from _operation("instance_reboot", "a start of the whole server anew")
    yield from _operation("instance_stop", "a stop of the database server")
    yield from _operation("instance_start", "a start of the database server")
    yield from _operation("instance_rebuild", "a new server over the same data")
    yield from _operation("instance_upgrade", "a later version of the datastore", "datastore_version")
    yield from _operation("instance_reset_status", "an end of whatever was being done")
    yield from _operation("instance_revive", "the return of a server that was gone")
    yield from _operation("root_enable", "a new password of the master user")
    yield from _operation("instance_modules", "modules to be applied to or removed from an instance")
    yield from _operation("module_reapply", "a module to be applied again wherever it is")
    yield from _operation("instance_log", "a log to be switched, published or discarded")
    yield from _operation("instance_access", "others to reach an instance from outside", "access")
    yield from _operation("instance_tls", "another way to speak TLS")
    yield from _operation("root_disable", "the end of the master user's password")
    yield Kind("dbaas.certificate_ending", "a certificate that was brought ends soon", ("days", "expire_at"))
    yield from _operation("agent_renew", "the agent of the installed release")
    yield from _operation("certificate_renew", "a new certificate of the database server")
    yield from _operation("instance_attach_configuration", "an instance to follow a configuration", "configuration_id")
    yield from _operation("instance_detach_configuration", "an instance to leave a configuration", "configuration_id")
    yield from _operation("instance_configure", "a changed configuration in an instance", "configuration_id")
    yield Kind("dbaas.configuration_taken_back", "a server does not start with settings and runs without", ("message",))
    yield Kind("dbaas.operation_cancel", "somebody wants an operation no more", ("operation",))
    yield Kind(
        "dbaas.instance_update", "an instance was renamed, tagged or protected", ("name", "tags", "deletion_protection")
    )
    yield Kind("dbaas.instance_health", "the database server became another", ("health", "was", "message"))
    yield Kind("dbaas.client_certificate_create", "a certificate was issued to a client", ("name", "expire_at"))
    yield Kind("dbaas.guest_enrolled", "the agent of an instance proved itself")
    yield Kind("dbaas.guest_lost", "the agent of an instance is not heard of any more")
    yield Kind("dbaas.guest_returned", "the agent of an instance is heard of again")
    yield from _operation("archive_begin", "another stream of the log of an instance in the store", "message")
    yield from _operation("archive_end", "the log of an instance not to be archived any more", "message")
    yield Kind("dbaas.archive_update", "the log of an instance is wanted, or for how long", ("enabled", "keep_days"))
    yield Kind("dbaas.archive_gap", "a stream of archived log has ended, and another begins", ("message", "stream"))
    yield Kind(
        "dbaas.archive_backlog",
        "the archive of a log is far behind its instance, or is not any more",
        ("level", "seconds", "bytes"),
    )
    yield Kind(
        "dbaas.volume_usage", "the volume of an instance is nearly full, or is not any more", ("percent", "level")
    )


def _accounts() -> Iterator[Kind]:
    yield from _operation("database_create", "databases in an instance", "dbname")
    yield from _operation("database_copy", "a database or tables from another instance", "dbname", "from")
    yield from _operation("database_delete", "the end of a database in an instance", "dbname")
    yield from _operation("user_create", "users of an instance", "username")
    yield from _operation("user_delete", "the end of a user of an instance", "username")
    yield from _operation("user_change_password", "other passwords of users of an instance", "username")
    yield from _operation("user_update_attributes", "another name, host or password of a user", "username")
    yield from _operation("user_grant", "rights of a user in databases", "username", "database")
    yield from _operation("user_revoke", "the end of a user's rights in a database", "username", "database")


def _backups() -> Iterator[Kind]:
    keys = ("backup_id", "instance_id", "name", "parent_id", "strategy")
    yield from _operation("backup_create", "a backup", *keys)
    yield from _operation("backup_delete", "the end of a backup and of what builds on it", *keys)
    yield Kind(
        "dbaas.backup_register", "a backup that was made elsewhere was registered", (*keys, "location", "region")
    )
    yield Kind("dbaas.backup_cancel", "somebody wants a backup that is being made no more", keys)


def _configurations() -> Iterator[Kind]:
    keys = ("configuration_id", "name", "datastore", "datastore_version")
    yield Kind("dbaas.configuration_create", "a configuration was made", keys)
    yield Kind("dbaas.configuration_update", "a configuration was replaced", keys)
    yield Kind("dbaas.configuration_edit", "values of a configuration were changed", keys)
    yield Kind("dbaas.configuration_delete", "a configuration was deleted", keys)
    rule = ("datastore_version_id", "name", "baseline", "locked")
    yield Kind("dbaas.parameter_create", "a parameter of a datastore version was added by an operator", rule)
    yield Kind("dbaas.parameter_update", "a parameter of a datastore version was changed by an operator", rule)
    yield Kind("dbaas.parameter_delete", "a parameter of a datastore version is not offered any more", rule)


def _deployment() -> Iterator[Kind]:
    yield from _operation("self_backup", "a backup of the deployment's own state")
    yield from _operation("authority_rotate", "another certificate authority")
    yield Kind("dbaas.keys_import", "backups that another deployment made can be opened from now on", ("master",))
    yield Kind("dbaas.project_key_rotate", "backups of a project are sealed by another key from now on", ("number",))
    for verb, done in (("create", "registered"), ("update", "changed"), ("delete", "deleted")):
        yield Kind(f"dbaas.datastore_version_{verb}", f"a datastore version was {done}", ("name", "number"))
    yield Kind("dbaas.datastore_version_flavors", "the menu of a datastore version was changed", ("flavors",))
    yield Kind("dbaas.datastore_delete", "a datastore was deleted", ("name",))
    yield Kind("dbaas.backup_strategy_create", "a project or instance has a place for backups", ("swift_container",))
    yield Kind("dbaas.backup_strategy_delete", "a place for backups was taken back", ("swift_container",))
    for verb, done in (("create", "made"), ("update", "changed"), ("delete", "deleted")):
        yield Kind(
            f"dbaas.backup_schedule_{verb}", f"a schedule of backups was {done}", ("schedule_id", "name", "cron")
        )
    yield Kind(
        "dbaas.backup_quarantine", "a protected backup was deleted: it can be brought back", ("backup_id", "name")
    )
    yield from _operation("backup_drill", "a trial of a backup in a sandbox", "backup_id", "instance_id", "name")
    yield Kind("dbaas.backup_broken", "a backup cannot be restored", ("backup_id", "name", "message"))
    yield Kind(
        "dbaas.backup_update",
        "a backup was renamed, described or protected",
        ("backup_id", "name", "deletion_protection"),
    )
    yield Kind("dbaas.backup_hold", "nobody deletes a backup before a time", ("backup_id", "name", "until"))
    yield Kind("dbaas.backup_release", "a backup may be deleted again", ("backup_id", "name", "until"))
    yield Kind("dbaas.backup_bring_back", "a backup that was deleted is there again", ("backup_id", "name"))
    yield Kind(
        "dbaas.backup_schedule_missed",
        "backups that were due were not begun in time",
        ("schedule_id", "name", "missed", "message"),
    )
    for verb, done in (("create", "made"), ("update", "changed"), ("delete", "deleted")):
        yield Kind(f"dbaas.module_{verb}", f"a module was {done}", ("name", "type"))
    yield Kind("dbaas.quota", "a quota of a project was changed", ("resource", "limit", "in_use", "reserved"))
    yield Kind("dbaas.pool_usage", "the pool of volumes is nearly full, or is not any more", ("percent", "level"))
    yield Kind(
        "dbaas.store_health",
        "the object store cannot be used or is nearly full, or it is well again",
        ("percent", "level", "message"),
    )
    yield Kind("dbaas.webhook_create", "a webhook was made", ("webhook_id", "url"))
    yield Kind("dbaas.webhook_update", "a webhook was changed", ("webhook_id", "url"))
    yield Kind("dbaas.webhook_delete", "a webhook was deleted", ("webhook_id", "url"))
    yield Kind("dbaas.webhook_failing", "a webhook is given up until somebody resumes it", ("webhook_id", "message"))


def _people() -> Iterator[Kind]:
    yield from _resource("user", "created", "updated", "deleted")
    yield from _resource("project", "created", "updated", "deleted")
    yield from _resource("role_assignment", "created", "deleted")
    yield from _resource("application_credential", "created", "deleted")


CATALOGUE: Mapping[str, Kind] = {
    kind.name: kind
    for each in (_instances, _accounts, _backups, _configurations, _deployment, _people)
    for kind in each()
}
"""Every kind that is ever told, by name."""
