"""`openstack database …` and `openstack datastore …`: every command of python-troveclient's plug-in."""

from __future__ import annotations

from reasons import CLUSTERS, MISTRAL, NO_CLUSTER, REPLICAS, SAME, SWIFT
from story import Step

ID = r'"id": "([^"]+)"'
IMAGE = "4d9f1d1e-2b0a-4c6c-9e55-0d3a6b1f7c20"

LOOKING_ROUND = (
    Step("datastore list", shows=("mysql", "mariadb", "postgresql", "redis")),
    Step("datastore show", "mysql", shows=("mysql",)),
    Step("datastore version list", "mysql -f json", shows=("MariaDB",), keeps={"version": r'"ID": "([^"]+)"'}),
    Step("datastore version list", "redis -f json", keeps={"redis_version": r'"ID": "([^"]+)"'}),
    Step("datastore version show", "{version} --datastore mysql", shows=("MariaDB",)),
    Step("database flavor list", shows=(r"6\.1",)),
    Step("database flavor list", "--datastore-type mysql --datastore-version-id {version}", shows=("small",)),
    Step("database flavor show", "6.1", shows=("2xlarge.compute",)),
    Step("database limit list", shows=("Remaining",)),
    Step("database quota show", "demo", admin=True, shows=("instances", "volumes")),
    Step("database quota update", "demo instances 150", admin=True, shows=("150",)),
)

AN_INSTANCE = (
    Step(
        "database instance create",
        "osc --flavor 2 --size 1 --datastore mysql --datastore-version {version} --databases shop blog"
        " --users anna:secret bert:secret --availability-zone az01 --is-public --allowed-cidr 10.0.0.0/8 -f json",
        shows=('"status": "BUILD"',),
        keeps={"osc": ID},
        settles="osc",
    ),
    Step("database instance list", shows=("osc", "ACTIVE", "10.11")),
    Step("database instance list", "--all-projects", admin=True, shows=("osc", "[0-9a-f]{32}")),
    Step("database instance list", "--limit 1 --include-clustered"),
    Step("database instance show", "osc", shows=("HEALTHY",)),
    Step("database instance restart", "osc", settles="osc"),
    Step("database instance update", "osc --name osc-renamed", settles="{osc}"),
    Step("database instance update", "osc-renamed --name osc", settles="osc"),
    Step("database instance update", "osc --is-private --allowed-cidr 10.0.0.0/8", settles="osc"),
    Step("database instance resize volume", "osc 2", settles="osc"),
    Step("database instance resize flavor", "osc small", cannot=SAME, shows=("HTTP 400",)),
    Step("database instance resize flavor", "osc 3", settles="osc"),
    Step("database instance show", "osc", shows=(r"flavor +\| 3 ", r"volume +\| 2 ")),
    Step("database instance reboot", "{osc}", admin=True, settles="osc"),
    Step("database instance rebuild", "{osc} {image}", admin=True, settles="osc"),
    Step("database instance reset status", "{osc}", admin=True, settles="osc"),
    Step("database instance promote", "osc", cannot=REPLICAS, shows=("HTTP 400", "replica")),
    Step("database instance eject", "osc", cannot=REPLICAS, shows=("HTTP 400", "replica")),
    Step("database instance detach", "osc", cannot=REPLICAS, shows=("HTTP 400", "replica")),
)

AN_UPGRADE = (
    Step("datastore version list", "postgresql -f json", keeps={"new": r'"ID": "([^"]+)",\s+"Name": "17'}),
    Step(
        "database instance create",
        "osc-pg --flavor 2 --size 1 --datastore postgresql --datastore-version 15 --databases shop",
        settles="osc-pg",
    ),
    Step("database instance upgrade", "osc-pg {new}", settles="osc-pg"),
    Step("database instance show", "osc-pg", shows=(r"datastore_version +\| 17", "HEALTHY")),
    Step("database db list", "osc-pg", shows=("shop",)),
    Step("database instance delete", "osc-pg", settles="osc-pg"),
)

DATABASES_AND_USERS = (
    Step("database db create", "osc extra --character_set utf8mb4 --collate utf8mb4_general_ci", settles="osc"),
    Step("database db list", "osc", shows=("shop", "blog", "extra")),
    Step("database db delete", "osc extra", settles="osc"),
    Step("database user create", "osc carl secret --host 10.0.0.1 --databases shop", settles="osc"),
    Step("database user list", "osc", shows=("anna", "bert", "carl", r"10\.0\.0\.1", "shop")),
    Step("database user show", "osc carl --host 10.0.0.1", shows=("carl", "shop")),
    Step("database user show access", "osc carl --host 10.0.0.1", shows=("shop",)),
    Step("database user grant access", "osc anna shop blog"),
    Step("database user revoke access", "osc anna blog"),
    Step("database user update attributes", "osc anna --new_name anne --new_password other", settles="osc"),
    Step("database user delete", "osc carl --host 10.0.0.1", settles="osc"),
    Step("database user list", "osc", shows=("anne", "bert")),
    Step("database root enable", "osc", shows=("root", "password")),
    Step("database root enable", "osc --root_password a-Secret-of-mine-12", shows=("a-Secret-of-mine-12",)),
    Step("database root show", "osc", shows=("True",)),
    Step("database root disable", "osc"),
)

CONFIGURATIONS = (
    Step("database configuration parameter list", "{version} --datastore mysql", shows=("max_connections", "integer")),
    Step("database configuration parameter show", "{version} max_connections", shows=("max_connections",)),
    Step("database configuration default", "osc", shows=("max_connections|innodb",)),
    Step(
        "database configuration create",
        "osc-group '{{\"max_connections\": 120}}' --datastore mysql --datastore-version {version}"
        " --description tuned -f json",
        keeps={"group": ID},
    ),
    Step("database configuration list", shows=("osc-group",)),
    Step("database configuration show", "osc-group", shows=("max_connections", "tuned")),
    Step("database configuration attach", "osc osc-group", settles="osc"),
    Step("database configuration instances", "osc-group", shows=("osc",)),
    Step("database configuration parameter set", "{group} '{{\"max_connections\": 130}}'", settles="osc"),
    Step(
        "database configuration set",
        "{group} '{{\"max_connections\": 110}}' --name osc-group --description less",
        settles="osc",
    ),
    Step("database configuration detach", "osc", settles="osc"),
    Step("database instance update", "osc --configuration {group}", settles="osc"),
    Step("database instance update", "osc --remove-configuration", settles="osc"),
    Step("database configuration delete", "osc-group"),
)

TLS_AND_LOGS = (
    Step("database ssl show", "osc", shows=("enforced",)),
    Step("database ssl show", "osc --include-certificate", shows=("BEGIN CERTIFICATE",)),
    Step("database ssl enable", "osc builtin --mode basic", settles="osc"),
    Step("database ssl rollback", "osc", settles="osc"),
    Step("database ssl enable", "osc builtin --mode enforced", settles="osc"),
    Step("database ssl disable", "osc", settles="osc"),
    Step("database log list", "osc", shows=("slow_query", "general")),
    Step("database log show", "osc general", shows=("general",)),
    Step("database log set", "osc general --enable", shows=("general",), settles="osc"),
    Step("database log set", "osc general --publish", shows=("general",), settles="osc"),
    Step("database log tail", "osc general", cannot=SWIFT, shows=("ClientException",)),
    Step("database log save", "osc general", cannot=SWIFT, shows=("ClientException",)),
    Step("database log set", "osc general --disable --discard", shows=("general",), settles="osc"),
)

BACKUPS = (
    Step("database backup list"),
    Step("database backup strategy create", "--instance-id {osc} --swift-container mine", shows=("mine",)),
    Step("database backup strategy list", shows=("mine",)),
    Step(
        "database backup create",
        "b1 --instance osc --description first -f json",
        shows=('"status": "(NEW|BUILDING)"',),
        keeps={"b1": ID},
        settles="osc",
    ),
    Step(
        "database backup show",
        "b1 -f json",
        shows=('"status": "COMPLETED"', "/mine/"),
        keeps={"location": r'"locationRef": "([^"]+)"'},
    ),
    Step("database backup strategy delete", "--instance-id {osc}"),
    Step(
        "database backup create",
        "b2 --instance osc --parent {b1} -f json",
        shows=('"parent_id": "[0-9a-f-]{36}"',),
        keeps={"b2": ID},
        settles="osc",
    ),
    Step(
        "database backup create",
        "b3 --instance osc --incremental",
        shows=(r"parent_id .*[0-9a-f-]{36}",),
        settles="osc",
    ),
    Step("database backup list", "--instance osc", shows=("b1", "b2", "b3", "COMPLETED")),
    Step("database backup list", "--datastore mysql --limit 1"),
    Step("database backup list", "--all-projects", admin=True, shows=("b1",)),
    Step("database backup list instance", "osc", shows=("b1", "b2")),
    Step(
        "database instance create",
        "osc-again --flavor 2 --size 2 --datastore mysql --datastore-version {version} --backup b2",
        settles="osc-again",
    ),
    Step("database db list", "osc-again", shows=("shop", "blog")),
    Step("database instance delete", "osc-again", settles="osc-again"),
    Step(
        "database backup create",
        "b4 --restore-from {location} --restore-datastore-version {version} --restore-size 1",
        shows=("RESTORED",),
    ),
    Step("database backup delete", "b4"),
    Step("database backup delete", "{b1}"),
    Step(
        "database backup execution delete",
        "4d9f1d1e-2b0a-4c6c-9e55-0d3a6b1f7c20",
        cannot=MISTRAL,
        shows=("8989",),
    ),
)

THE_CLUSTERS = (
    Step("database cluster list"),
    Step(
        "database cluster create",
        "c1 mysql {version} --instance flavor=2,volume=1 --instance flavor=2,volume=1",
        cannot=CLUSTERS,
        shows=("HTTP 501",),
    ),
    *(
        Step(f"database cluster {verb}", f"c1{rest}", cannot=NO_CLUSTER, shows=("No cluster|404",))
        for verb, rest in (
            ("show", ""),
            ("list instances", ""),
            ("modules", ""),
            ("grow", " --instance flavor=2,volume=1"),
            ("shrink", " c1-member"),
            ("upgrade", " 10.11"),
        )
    ),
    *(
        Step(f"database cluster {verb}", "c1", cannot=NO_CLUSTER, shows=("No cluster|404",), admin=True)
        for verb in ("reset status", "force delete", "delete")
    ),
)

OF_OPERATORS = (
    Step(
        "datastore version create",
        "9.9.9 osc-store redis {image} --image-tags redis --version-number 9.9.9",
        admin=True,
    ),
    Step("datastore version list", "osc-store -f json", admin=True, keeps={"made": r'"ID": "([^"]+)"'}),
    Step("datastore version set", "{made} --version-name 9.9.10 --disable", admin=True),
    Step("datastore version delete", "{made}", admin=True),
    Step("datastore delete", "osc-store", admin=True),
)

AND_AWAY = (
    Step("database instance create", "osc-2 --flavor 1 --size 1 --datastore redis -f json", settles="osc-2"),
    Step(
        "database instance create",
        "osc-3 --flavor 1 --size 1 --datastore redis -f json",
        keeps={"osc3": ID},
        settles="osc-3",
    ),
    Step("database instance force delete", "{osc3}", admin=True, settles="osc-3"),
    Step("database instance delete", "osc osc-2", settles="osc"),
)

STEPS = (
    *LOOKING_ROUND,
    *AN_INSTANCE,
    *AN_UPGRADE,
    *DATABASES_AND_USERS,
    *CONFIGURATIONS,
    *TLS_AND_LOGS,
    *BACKUPS,
    *THE_CLUSTERS,
    *OF_OPERATORS,
    *AND_AWAY,
)
