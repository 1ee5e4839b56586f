"""The legacy `trove` shell, every command of it."""

from __future__ import annotations

from reasons import BROKEN, CLUSTERS, CRASHES, MISTRAL, NEVER, NO_CLUSTER, REMOVED, REPLICAS, SWIFT
from story import Step

ID = r"\| id +\| (\S+)"
PARENT = r"parent_id +\| [0-9a-f-]{36}"
UNKNOWN = "4d9f1d1e-2b0a-4c6c-9e55-0d3a6b1f7c20"

LOOKING_ROUND = (
    Step("datastore-list", shows=("mysql", "redis"), keeps={"mysql": r"b'([0-9a-f-]{36})' \| b'mysql'"}),
    Step("datastore-show", "mysql", shows=("mysql",)),
    Step("datastore-version-list", "mysql", shows=("MariaDB",), keeps={"version": r"b'([0-9a-f-]{36})'"}),
    Step("datastore-version-show", "{version} --datastore mysql", shows=("MariaDB",)),
    Step("flavor-list", shows=("2xlarge.compute",)),
    Step("flavor-list", "--datastore_type mysql --datastore_version_id {version}", shows=("small",)),
    Step("flavor-show", "6.1", shows=("2xlarge.compute",)),
    Step("volume-type-list", shows=("local",)),
    Step("volume-type-list", "--datastore_type mysql --datastore_version_id {version}", shows=("local",)),
    Step("volume-type-show", "local", shows=("local",)),
    Step("limit-list", shows=("GET",)),
    Step("quota-show", "{project}", admin=True, shows=("instances",)),
    Step("quota-update", "{project} backups 900", admin=True, shows=("900",)),
)

AN_INSTANCE = (
    Step(
        "create",
        "old 2 --size 1 --datastore mysql --datastore_version {version} --databases shop blog"
        " --users anna:secret bert:secret",
        shows=("BUILD",),
        keeps={"old": ID},
        settles="old",
    ),
    Step("list", shows=("old", "ACTIVE")),
    Step("list", options="--debug", shows=("old", "REQ: curl", "RESP BODY")),
    Step("list", "--limit 1 --include_clustered"),
    Step("show", "old", shows=("10.11", r"ip +\|")),
    Step("restart", "old", settles="old"),
    Step("resize-volume", "old 2", settles="old"),
    Step("resize-instance", "old 3", settles="old"),
    Step("update", "old --name older", cannot=BROKEN, shows=("no attribute 'edit'",)),
    Step("reset-status", "{old}", admin=True, settles="old"),
    Step("detach-replica", "old", cannot=BROKEN, shows=("no attribute 'edit'",)),
    Step("promote-to-replica-source", "old", cannot=REPLICAS, shows=("HTTP 400", "replica")),
    Step("eject-replica-source", "old", cannot=REPLICAS, shows=("HTTP 400", "replica")),
)

AN_UPGRADE = (
    Step("datastore-version-list", "postgresql", keeps={"new": r"b'([0-9a-f-]{36})' \| b'17"}),
    Step(
        "create", "old-pg 2 --size 1 --datastore postgresql --datastore_version 15 --databases shop", settles="old-pg"
    ),
    Step("upgrade", "old-pg {new}", settles="old-pg"),
    Step("show", "old-pg", shows=(r"datastore_version +\| 17",)),
    Step("database-list", "old-pg", shows=("shop",)),
    Step("delete", "old-pg", settles="old-pg"),
)

DATABASES_AND_USERS = (
    Step("database-create", "old extra --character_set utf8mb4 --collate utf8mb4_general_ci", settles="old"),
    Step("database-list", "old", shows=("shop", "blog", "extra")),
    Step("database-delete", "old extra", settles="old"),
    Step("user-create", "old carl secret --host 10.0.0.1 --databases shop", settles="old"),
    Step("user-list", "old", shows=("anna", "bert", "carl", r"10\.0\.0\.1", "shop")),
    Step("user-show", "old carl --host 10.0.0.1", shows=("carl", "shop")),
    Step("user-show-access", "old carl --host 10.0.0.1", shows=("shop",)),
    Step("user-grant-access", "old anna shop blog", settles="old"),
    Step("user-revoke-access", "old anna blog", settles="old"),
    Step("user-update-attributes", "old anna --new_name anne --new_password other", settles="old"),
    Step("user-delete", "old carl --host 10.0.0.1", settles="old"),
    Step("root-enable", "old", shows=("root",), settles="old"),
    Step("root-enable", "old --root_password a-Secret-of-mine-12", shows=("a-Secret-of-mine-12",), settles="old"),
    Step("root-show", "old", shows=("True",)),
    Step("root-disable", "old", settles="old"),
)

CONFIGURATIONS = (
    Step("configuration-parameter-list", "{version} --datastore mysql", shows=("max_connections",)),
    Step("configuration-parameter-show", "{version} max_connections --datastore mysql", shows=("max_connections",)),
    Step("configuration-default", "old", shows=("max_connections|innodb",)),
    Step(
        "configuration-create",
        "old-group '{{\"max_connections\": 120}}' --datastore mysql --datastore_version {version} --description tuned",
        keeps={"group": ID},
    ),
    Step("configuration-list", shows=("old-group",)),
    Step("configuration-show", "{group}", shows=("max_connections",)),
    Step("configuration-attach", "old {group}", settles="old"),
    Step("configuration-instances", "{group}", shows=("old",)),
    Step("configuration-patch", "{group} '{{\"max_connections\": 130}}'", settles="old"),
    Step(
        "configuration-update",
        "{group} '{{\"max_connections\": 110}}' --name old-group --description less",
        settles="old",
    ),
    Step("configuration-detach", "old", settles="old"),
    Step("configuration-delete", "{group}"),
)

LOGS = (
    Step("log-list", "old", shows=("slow_query", "general")),
    Step("log-show", "old general", shows=("general",)),
    Step("log-enable", "old general", shows=("general",), settles="old"),
    Step("log-publish", "old general", shows=("general",), settles="old"),
    Step("log-tail", "old general", cannot=SWIFT, shows=("ClientException",)),
    Step("log-save", "old general", cannot=SWIFT, shows=("ClientException",)),
    Step("log-discard", "old general", shows=("general",), settles="old"),
    Step("log-disable", "old general", cannot=CRASHES, shows=("AttributeError",)),
)

MODULES = (
    Step(
        "module-create",
        "ping-module ping {file} --description hello --datastore mysql --live_update --full_access --apply_order 3",
        admin=True,
        keeps={"module": ID},
    ),
    Step("module-list", admin=True, shows=("ping-module",)),
    Step("module-list", "--datastore mysql", admin=True, shows=("ping-module",)),
    Step("module-show", "{module}", admin=True, shows=("ping",)),
    Step("module-update", "{module} --description again --file {file}", admin=True, shows=("again",)),
    Step("module-create", "mine ping {file} --datastore mysql --live_update", keeps={"mine": ID}),
    Step("module-apply", "old {mine}", shows=("mine",), settles="old"),
    Step("module-list-instance", "old", shows=("mine",)),
    Step("module-query", "old", shows=("mine",)),
    Step("module-retrieve", "old --directory {directory} --prefix got-", shows=("mine",)),
    Step("module-instances", "{mine}", shows=("old",)),
    Step("module-instance-count", "{mine}", shows=("1",)),
    Step("module-reapply", "{mine} --force", settles="old"),
    Step("module-remove", "old {mine}", settles="old"),
    Step("module-delete", "{mine}"),
    Step("module-delete", "{module}", admin=True),
)

BACKUPS = (
    Step("backup-create", "old b1 --description first", shows=("NEW|BUILDING",), keeps={"b1": ID}, settles="old"),
    Step("backup-show", "b1", shows=("COMPLETED",)),
    Step("backup-create", "old b2 --parent {b1}", shows=(PARENT,), keeps={"b2": ID}, settles="old"),
    Step("backup-create", "old b3 --incremental", shows=(PARENT,), settles="old"),
    Step("backup-list", shows=("b1", "b2", "b3", "COMPLETED")),
    Step("backup-list", "--datastore mysql --limit 5", shows=("b3",)),
    Step("backup-list-instance", "old", shows=("b1",)),
    Step(
        "create",
        "old-again 2 --size 2 --datastore mysql --datastore_version {version} --backup b2",
        shows=("BUILD",),
        settles="old-again",
    ),
    Step("database-list", "old-again", shows=("shop", "blog")),
    Step("delete", "old-again", settles="old-again"),
    Step("backup-delete", "b1"),
    Step("schedule-create", "old '0 3 * * *' nightly", cannot=MISTRAL, shows=("8989",)),
    Step("schedule-list", "old", cannot=MISTRAL, shows=("8989",)),
    Step("schedule-show", UNKNOWN, cannot=MISTRAL, shows=("8989",)),
    Step("schedule-delete", UNKNOWN, cannot=MISTRAL, shows=("8989",)),
    Step("execution-list", UNKNOWN, cannot=MISTRAL, shows=("8989",)),
    Step("execution-delete", UNKNOWN, cannot=MISTRAL, shows=("8989",)),
)

THE_CLUSTERS = (
    Step("cluster-list"),
    Step(
        "cluster-create",
        "c1 mysql {version} --instance flavor=2,volume=1 --instance flavor=2,volume=1",
        cannot=CLUSTERS,
        shows=("HTTP 501",),
    ),
    *(
        Step(
            f"cluster-{verb}",
            f"c1{rest}",
            cannot=NO_CLUSTER,
            shows=("No cluster|404",),
            admin=bool(verb == "reset-status"),
        )
        for verb, rest in (
            ("show", ""),
            ("instances", ""),
            ("modules", ""),
            ("grow", " --instance flavor=2,volume=1"),
            ("shrink", " c1-member"),
            ("upgrade", " 10.11"),
            ("reset-status", ""),
            ("force-delete", ""),
            ("delete", ""),
        )
    ),
)

REMOVED_BY_TROVE = (
    Step("secgroup-list", cannot=REMOVED, shows=("HTTP 404",)),
    Step("secgroup-show", UNKNOWN, cannot=REMOVED, shows=("HTTP 404",)),
    Step("secgroup-list-rules", UNKNOWN, cannot=REMOVED, shows=("HTTP 404",)),
    Step("secgroup-add-rule", f"{UNKNOWN} 10.0.0.0/8", cannot=REMOVED, shows=("HTTP 404",)),
    Step("secgroup-delete-rule", UNKNOWN, cannot=REMOVED, shows=("HTTP 404",)),
    Step("metadata-list", "{old}", cannot=NEVER, shows=("HTTP 404",)),
    Step("metadata-show", "{old} key", cannot=NEVER, shows=("HTTP 404",)),
    Step("metadata-create", "{old} key value", cannot=NEVER, shows=("HTTP 404",)),
    Step("metadata-edit", "{old} key value", cannot=NEVER, shows=("HTTP 404",)),
    Step("metadata-update", "{old} key new value", cannot=NEVER, shows=("HTTP 404",)),
    Step("metadata-delete", "{old} key", cannot=NEVER, shows=("HTTP 404",)),
)

AND_AWAY = (
    Step("create", "old-2 1 --size 1 --datastore redis", settles="old-2", keeps={"old2": ID}),
    Step("force-delete", "{old2}", admin=True, settles="old-2"),
    Step("delete", "old", settles="old"),
)

STEPS = (
    *LOOKING_ROUND,
    *AN_INSTANCE,
    *AN_UPGRADE,
    *DATABASES_AND_USERS,
    *CONFIGURATIONS,
    *LOGS,
    *MODULES,
    *BACKUPS,
    *THE_CLUSTERS,
    *REMOVED_BY_TROVE,
    *AND_AWAY,
)
