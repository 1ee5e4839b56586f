"""Every route: method, path, handler, policy rule. Without a rule the handler checks, or nobody has to.

What is below `/v1.0/{project}` needs a token of that project. A route of Trove's that is not built yet answers 501;
whatever is not in this table answers 404.
"""

from __future__ import annotations

from argosy.api.route import Route
from argosy.api.v1 import (
    actions,
    authority,
    creation,
    datastores,
    document,
    events,
    flavors,
    health,
    instances,
    limits,
    metrics,
    operations,
    quotas,
    root,
    unbuilt,
    versions,
    webhooks,
)

P = "/v1.0/{project}"
I = f"{P}/instances/{{id}}"  # noqa: E741 - the table reads like an index


ROUTES: tuple[Route, ...] = (
    # of the whole deployment, for anybody
    Route("GET", "/", versions.index),
    Route("GET", "/v1.0", versions.show),
    Route("GET", "/healthcheck", health.show),
    Route("HEAD", "/healthcheck", health.head),
    Route("GET", "/openapi", document.show),
    Route("GET", "/v1/ca", authority.show),
    Route("GET", "/metrics", metrics.deployment),
    # instances
    Route("GET", f"{P}/instances", instances.index, "instance:index"),
    Route("POST", f"{P}/instances", creation.create, "instance:create"),
    Route("GET", f"{P}/instances/detail", instances.detail, "instance:detail"),
    Route("GET", I, instances.show, "instance:show"),
    Route("PUT", I, instances.update, "instance:update"),
    Route("PATCH", I, instances.modify, "instance:update"),
    Route("DELETE", I, instances.delete, "instance:delete"),
    Route("POST", f"{I}/action", actions.act),
    Route("GET", f"{I}/operations", operations.index, "instance:operations"),
    Route("GET", f"{I}/root", root.show, "instance:extension:root:index"),
    Route("POST", f"{I}/root", root.create, "instance:extension:root:create"),
    # what can be asked for
    Route("GET", f"{P}/datastores", datastores.index, "datastore:index"),
    Route("GET", f"{P}/datastores/{{datastore}}", datastores.show, "datastore:show"),
    Route("GET", f"{P}/datastores/{{datastore}}/versions", datastores.versions, "datastore:version_index"),
    Route("GET", f"{P}/datastores/{{datastore}}/versions/{{version}}", datastores.version, "datastore:version_show"),
    Route(
        "GET",
        f"{P}/datastores/{{datastore}}/versions/{{version}}/flavors",
        datastores.flavors,
        "datastore:list_associated_flavors",
    ),
    Route("GET", f"{P}/datastores/versions/{{version}}", datastores.version_by_id, "datastore:version_show_by_uuid"),
    Route("GET", f"{P}/flavors", flavors.index, "flavor:index"),
    Route("GET", f"{P}/flavors/{{id}}", flavors.show, "flavor:show"),
    Route("GET", f"{P}/limits", limits.index, "limits:index"),
    # what happened
    Route("GET", f"{P}/events", events.index, "event:index"),
    Route("GET", f"{P}/webhooks", webhooks.index, "webhook:index"),
    Route("POST", f"{P}/webhooks", webhooks.create, "webhook:create"),
    Route("GET", f"{P}/webhooks/{{id}}", webhooks.show, "webhook:show"),
    Route("PUT", f"{P}/webhooks/{{id}}", webhooks.update, "webhook:update"),
    Route("DELETE", f"{P}/webhooks/{{id}}", webhooks.delete, "webhook:delete"),
    Route("GET", f"{P}/metrics", metrics.project, "metric:index"),
    Route("GET", f"{I}/metrics", metrics.instance, "metric:show"),
    Route("GET", f"{P}/mgmt/quotas/{{id}}", quotas.show, own=True),
    Route("PUT", f"{P}/mgmt/quotas/{{id}}", quotas.update),
    # known to Trove, and not built yet
    *unbuilt.routes(P),
)
