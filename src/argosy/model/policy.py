"""Who may do what: Trove's rule names with their shipped defaults, and the decision they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from argosy.model.caller import Caller


class Default(StrEnum):
    """The three checks that rules have by default, in oslo.policy's language."""

    ANYBODY = ""
    """any valid token"""
    ADMIN = "rule:admin"
    OWNER = "rule:admin_or_owner"
    """an administrator, or the project that owns the object"""


BASE: Mapping[str, str] = {
    "context_is_admin": "role:admin",
    "admin": "rule:context_is_admin",
    "admin_or_owner": "rule:admin or project_id:%(tenant)s",
    "default": "rule:admin_or_owner",
}
"""What the defaults refer to. `context_is_admin` decides who is an administrator, below `/mgmt` too."""


def _named(prefix: str, names: str) -> Iterable[str]:
    return (f"{prefix}:{name}" for name in names.split())


ANYBODY = (
    *_named("datastore", "index show version_index version_show version_show_by_uuid"),
    *_named("datastore", "list_associated_flavors list_associated_volume_types"),
    *_named("flavor", "index show"),
)
ADMIN = (
    "instance:reset_status",
    "cluster:reset-status",
    "datastore:delete",
    "backup:index:all_projects",
    "event:index:all_projects",
)
OWNER = (
    *_named("instance", "create delete force_delete index detail show update edit restart resize_volume"),
    *_named("instance", "resize_flavor promote_to_replica_source eject_replica_source configuration"),
    *_named("instance", "guest_log_list backups module_list module_apply module_remove"),
    *_named("instance", "guest_log_read guest_log_update"),  # ours
    *_named("instance", "recovery recovery_update copy_from"),  # ours
    *_named("instance", "operations cancel_operation stop start rebuild restore undo undos"),  # ours
    *_named("deleted_instance", "bring_back delete index"),  # ours
    *_named("backup_drill", "create index"),  # ours
    *_named("deleted_backup", "bring_back delete index"),  # ours
    *("event:index", "metric:index", "metric:show"),  # ours
    *_named("webhook", "create delete index show update"),  # ours
    *_named("instance:extension:database", "create delete index show"),
    *_named("instance:extension:user", "create delete index show update update_all"),
    *_named("instance:extension:user_access", "update delete index"),
    *_named("instance:extension:root", "create delete index"),
    *_named("cluster", "create delete force_delete index show show_instance action"),
    *_named("cluster:extension:root", "create delete index"),
    *_named("backup", "create delete index show"),
    *("backup:cancel", "backup:update"),  # ours
    *_named("backup_strategy", "create index delete"),
    *_named("backup_schedule", "create delete index run show update"),  # ours
    *_named("configuration", "create delete index show instances update edit"),
    *_named("configuration-parameter", "index show index_by_version show_by_version"),
    *_named("module", "create delete index show instances update reapply"),
    "limits:index",
)
RULES: Mapping[str, Default] = {
    **dict.fromkeys(ANYBODY, Default.ANYBODY),
    **dict.fromkeys(ADMIN, Default.ADMIN),
    **dict.fromkeys(OWNER, Default.OWNER),
}


def allowed(rule: str, caller: Caller, owner: str) -> bool:
    """Whether the shipped defaults let the caller do this to an object of project `owner`."""
    default = RULES[rule]
    if default is Default.ANYBODY or caller.is_admin:
        return True
    return default is Default.OWNER and caller.project_id == owner
