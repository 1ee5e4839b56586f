"""gophercloud's package db/v1, and with it Terraform's provider: bodies, status codes and types as it has them."""

from __future__ import annotations

from wire import TIME, Call, Perhaps

LINKS = [{"href": str, "rel": str}]
NEXT = [{"href": str, "rel": "next"}]
"""Under the name of the list: gophercloud does not look at `links`."""
INSTANCE = {
    "id": str,
    "name": str,
    "status": str,
    "created": TIME,
    "updated": TIME,
    "flavor": {"id": str, "links": LINKS},
    "volume": {"size": int, "used": Perhaps((int, float))},
    "datastore": {"type": str, "version": str},
    "links": LINKS,
    "hostname": Perhaps(str),
    "ip": Perhaps([str]),
    "addresses": Perhaps([{"type": str, "address": str}]),
    "fault": Perhaps({"created": TIME, "message": str}),
}
FLAVOR = {"id": (int, type(None)), "str_id": str, "name": str, "ram": int, "links": LINKS}
VERSION = {"id": str, "name": str, "links": LINKS}
DATASTORE = {"id": str, "name": str, "links": LINKS, "versions": [VERSION], "default_version": Perhaps(str)}
CONFIGURATION = {
    "id": str,
    "name": str,
    "description": str,
    "created": TIME,
    "updated": TIME,
    "datastore_name": str,
    "datastore_version_id": str,
    "datastore_version_name": str,
    "values": Perhaps(dict),
}
PARAMETER = {
    "name": str,
    "type": str,
    "restart_required": bool,
    "max": Perhaps((int, float)),
    "min": Perhaps((int, float)),
}
USER = {"name": str, "host": str, "databases": [{"name": str}]}
NETWORK = "8b9a5d70-5a5e-4d1c-8c3b-2f4f0a3f6a11"

CALLS = (
    Call("datastores.List", "GET /datastores", shape={"datastores": [DATASTORE]}),
    Call("datastores.Get", "GET /datastores/mysql", shape={"datastore": DATASTORE}, keeps={"store": "datastore.id"}),
    Call(
        "datastores.ListVersions",
        "GET /datastores/{store}/versions",
        shape={"versions": [VERSION]},
        keeps={"version": "versions.0.id"},
    ),
    Call("datastores.GetVersion", "GET /datastores/{store}/versions/{version}", shape={"version": VERSION}),
    Call("flavors.List", "GET /flavors", shape={"flavors": [FLAVOR]}),
    Call("flavors.Get", "GET /flavors/6.1", shape={"flavor": FLAVOR}),
    Call(
        "quotas.Get",
        "GET /mgmt/quotas/{project}",
        shape={"quotas": [{"resource": str, "in_use": int, "reserved": int, "limit": int}]},
    ),
    Call(
        "instances.Create",
        "POST /instances",
        {
            "instance": {
                "flavorRef": "2",
                "name": "go",
                "availability_zone": "nova",
                "databases": [{"name": "shop", "character_set": "utf8mb3", "collate": "utf8mb3_general_ci"}],
                "users": [{"name": "anna", "password": "secret", "host": "%", "databases": [{"name": "shop"}]}],
                "datastore": {"type": "mysql", "version": "{version}"},
                "nics": [{"net-id": NETWORK, "v4-fixed-ip": "{address}"}],
                "volume": {"size": 1, "type": "local"},
            }
        },
        shape={"instance": {**INSTANCE, "status": "BUILD"}},
        keeps={"go": "instance.id"},
    ),
    Call(
        "instances.Get",
        "GET /instances/{go}",
        shape={"instance": {**INSTANCE, "status": "ACTIVE"}},
        until=True,
        settles="go",
    ),
    Call(
        "instances.List",
        "GET /instances?limit=1",
        shape={"instances": [{**INSTANCE, "created": Perhaps(TIME), "updated": Perhaps(TIME)}]},
    ),
    Call(
        "databases.Create",
        "POST /instances/{go}/databases",
        {"databases": [{"name": "blog"}]},
        codes=(202,),
        settles="go",
    ),
    Call("databases.List", "GET /instances/{go}/databases", shape={"databases": [{"name": str}]}),
    Call("databases.List", "GET /instances/{go}/databases?limit=1", shape={"databases_links": NEXT}),
    Call("databases.Delete", "DELETE /instances/{go}/databases/blog", codes=(202, 204), settles="go"),
    Call(
        "users.Create",
        "POST /instances/{go}/users",
        {"users": [{"name": "bert", "password": "secret", "databases": [{"name": "shop"}]}]},
        codes=(202,),
        settles="go",
    ),
    Call("users.List", "GET /instances/{go}/users", shape={"users": [USER]}),
    Call("users.List", "GET /instances/{go}/users?limit=1", shape={"users_links": NEXT}),
    Call("users.Delete", "DELETE /instances/{go}/users/bert", codes=(202, 204), settles="go"),
    Call("instances.EnableRootUser", "POST /instances/{go}/root", shape={"user": {"name": "root", "password": str}}),
    Call("instances.IsRootEnabled", "GET /instances/{go}/root", shape={"rootEnabled": True}),
    Call(
        "configurations.Create",
        "POST /configurations",
        {
            "configuration": {
                "name": "go-group",
                "values": {"max_connections": 120},
                "datastore": {"type": "mysql", "version": "{version}"},
                "description": "tuned",
            }
        },
        shape={"configuration": CONFIGURATION},
        keeps={"group": "configuration.id"},
    ),
    Call("configurations.List", "GET /configurations", shape={"configurations": [CONFIGURATION]}),
    Call("configurations.Get", "GET /configurations/{group}", shape={"configuration": CONFIGURATION}),
    Call(
        "instances.AttachConfigurationGroup",
        "PUT /instances/{go}",
        {"instance": {"configuration": "{group}"}},
        codes=(202,),
        settles="go",
    ),
    Call(
        "configurations.ListInstances",
        "GET /configurations/{group}/instances",
        shape={"instances": [{"id": str, "name": "go"}]},
    ),
    Call(
        "configurations.Update",
        "PATCH /configurations/{group}",
        {"configuration": {"values": {"max_connections": 130}}},
        codes=(200, 202, 204),
        settles="go",
    ),
    Call(
        "configurations.Replace",
        "PUT /configurations/{group}",
        {"configuration": {"name": "go-group", "values": {"max_connections": 110}}},
        codes=(201, 202),
        settles="go",
    ),
    Call("instances.DetachConfigurationGroup", "PUT /instances/{go}", {"instance": {}}, codes=(202,)),
    Call(
        "instances.AttachConfigurationGroup",
        "PUT /instances/{go}",
        {"instance": {"configuration": "{group}"}},
        codes=(202,),
        settles="go",
    ),
    Call("instances.DetachConfigurationGroup", "PUT /instances/{go}", {"instance": {}}, codes=(202,), settles="go"),
    Call("configurations.Delete", "DELETE /configurations/{group}", codes=(202, 204)),
    Call(
        "configurations.ListDatastoreParams",
        "GET /datastores/{store}/versions/{version}/parameters",
        shape={"configuration-parameters": [PARAMETER]},
    ),
    Call(
        "configurations.GetDatastoreParam",
        "GET /datastores/{store}/versions/{version}/parameters/max_connections",
        shape=PARAMETER,
    ),
    Call(
        "configurations.ListGlobalParams",
        "GET /datastores/versions/{version}/parameters",
        shape={"configuration-parameters": [PARAMETER]},
    ),
    Call(
        "configurations.GetGlobalParam",
        "GET /datastores/versions/{version}/parameters/max_connections",
        shape=PARAMETER,
    ),
    Call("instances.Restart", "POST /instances/{go}/action", {"restart": {}}, codes=(202,)),
    Call(
        "instances.Get",
        "GET /instances/{go}",
        shape={"instance": {**INSTANCE, "status": "ACTIVE"}},
        until=True,
        settles="go",
    ),
    Call("instances.Resize", "POST /instances/{go}/action", {"resize": {"flavorRef": "3"}}, codes=(202,), settles="go"),
    Call(
        "instances.ResizeVolume",
        "POST /instances/{go}/action",
        {"resize": {"volume": {"size": 2}}},
        codes=(202,),
        settles="go",
    ),
    Call("instances.Delete", "DELETE /instances/{go}", codes=(202, 204), settles="go"),
    Call("instances.Get", "GET /instances/{go}", codes=(404,)),
)
