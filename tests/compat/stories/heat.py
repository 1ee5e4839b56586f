"""Heat's OS::Trove::Instance and OS::Trove::Cluster: the requests that it has python-troveclient send."""

from __future__ import annotations

from reasons import CLUSTERS
from wire import Call

ACTIVE = {
    "instance": {
        "id": str,
        "status": "ACTIVE",
        "flavor": {"id": str},
        "volume": {"size": int},
        "links": [{"href": str, "rel": str}],
    }
}

CALLS = (
    Call(
        "validate",
        "GET /datastores/mysql/versions",
        shape={"versions": [{"id": str, "name": str}]},
        keeps={"version": "versions.0.id"},
    ),
    Call("find flavor", "GET /flavors", shape={"flavors": [{"id": (int, type(None)), "str_id": str, "name": str}]}),
    Call(
        "handle_create",
        "POST /instances",
        {
            "instance": {
                "name": "heat",
                "flavorRef": "2",
                "volume": {"size": 1},
                "databases": [{"name": "shop", "character_set": "utf8", "collate": "utf8_general_ci"}],
                "users": [{"name": "anna", "password": "secret", "host": "%", "databases": [{"name": "shop"}]}],
                "nics": [{"net-id": "8b9a5d70-5a5e-4d1c-8c3b-2f4f0a3f6a11", "v4-fixed-ip": "{address2}"}],
                "datastore": {"type": "mysql", "version": "{version}"},
                "replica_count": 1,
            }
        },
        shape={"instance": {"id": str, "status": "BUILD"}},
        keeps={"heat": "instance.id"},
    ),
    Call("check_create_complete", "GET /instances/{heat}", shape=ACTIVE, until=True, settles="heat"),
    Call("handle_check", "GET /instances/{heat}", shape=ACTIVE),
    Call("update databases", "GET /instances/{heat}/databases", shape={"databases": [{"name": "shop"}]}),
    Call(
        "update databases",
        "POST /instances/{heat}/databases",
        {"databases": [{"name": "blog", "character_set": "utf8", "collate": "utf8_general_ci"}]},
        codes=(202,),
        settles="heat",
    ),
    Call("update databases", "DELETE /instances/{heat}/databases/blog", codes=(202,), settles="heat"),
    Call(
        "update users",
        "GET /instances/{heat}/users",
        shape={"users": [{"name": str, "host": str, "databases": [{"name": str}]}]},
    ),
    Call(
        "update users",
        "POST /instances/{heat}/users",
        {"users": [{"name": "bert", "password": "secret", "host": "%", "databases": []}]},
        codes=(202,),
        settles="heat",
    ),
    Call(
        "update users",
        "PUT /instances/{heat}/users/bert",
        {"user": {"host": "%", "password": "other"}},
        codes=(202,),
        settles="heat",
    ),
    Call("update users", "GET /instances/{heat}/users/bert", shape={"user": {"name": "bert", "databases": []}}),
    Call(
        "update users",
        "PUT /instances/{heat}/users/bert/databases",
        {"databases": [{"name": "shop"}]},
        codes=(202,),
        settles="heat",
    ),
    Call("update users", "DELETE /instances/{heat}/users/bert/databases/shop", codes=(202,), settles="heat"),
    Call("update users", "DELETE /instances/{heat}/users/bert", codes=(202,), settles="heat"),
    Call(
        "update flavor", "POST /instances/{heat}/action", {"resize": {"flavorRef": "3"}}, codes=(202,), settles="heat"
    ),
    Call(
        "update size",
        "POST /instances/{heat}/action",
        {"resize": {"volume": {"size": 2}}},
        codes=(202,),
        settles="heat",
    ),
    Call("handle_delete", "DELETE /instances/{heat}", codes=(202,), settles="heat"),
    Call("check_delete_complete", "GET /instances/{heat}", codes=(404,), until=True),
    Call(
        "OS::Trove::Cluster handle_create",
        "POST /clusters",
        {
            "cluster": {
                "name": "heat-cluster",
                "datastore": {"type": "mysql", "version": "{version}"},
                "instances": [{"flavorRef": "2", "volume": {"size": 1}}, {"flavorRef": "2", "volume": {"size": 1}}],
            }
        },
        codes=(501,),
        shape={"notImplemented": {"code": 501, "message": str}},
        cannot=CLUSTERS,
    ),
)
