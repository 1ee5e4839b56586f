"""Flavors: the sizes that the settings offer. Ids are strings; those that look like numbers are told as numbers too."""

from __future__ import annotations

from typing import Any

from argosy import errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.links import Links
from argosy.settings import Flavor, Settings


def index(request: Request) -> Answer:
    return Answer(200, {"flavors": views(request)})


def views(request: Request) -> list[dict[str, Any]]:
    return [_view(request.links, flavor) for flavor in request.services.settings.flavors]


def show(request: Request) -> Answer:
    flavor = request.services.settings.flavor(request.path["id"])
    return Answer(200, {"flavor": _view(request.links, flavor)})


def _view(links: Links, flavor: Flavor) -> dict[str, Any]:
    return {
        "id": int(flavor.id) if flavor.id.isdigit() else None,
        "str_id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram,
        "vcpus": int(flavor.vcpus) if flavor.vcpus == int(flavor.vcpus) else flavor.vcpus,
        "disk": 0,
        "ephemeral": 0,
        "links": links.of("flavors", flavor.id),
    }


def chosen(settings: Settings, fields: Fields) -> Flavor:
    """What `flavorRef` (or openstacksdk's `flavor`) names: an id, a number or a link. Raises BadRequest."""
    reference = fields.get("flavorRef")
    if reference is None:
        reference = _plain(fields.get("flavor"))
    if reference is None:
        raise fields.wrong("flavorRef", "is a required property")
    name = _id(reference)
    if name is None:
        raise fields.wrong("flavorRef", "must be the id of a flavor or a link to it")
    try:
        return settings.flavor(name)
    except errors.NotFound as error:
        raise errors.BadRequest(f"Flavor {name} cannot be found.") from error


def _plain(flavor: Any) -> Any:
    return flavor.get("id", flavor.get("str_id")) if isinstance(flavor, dict) else flavor


def _id(reference: Any) -> str | None:
    """None for what cannot be one. JSON knows no difference between 2 and 2.0."""
    if isinstance(reference, float) and reference.is_integer():
        reference = int(reference)
    if isinstance(reference, bool) or not isinstance(reference, int | float | str):
        return None
    text = str(reference)
    return text.rstrip("/").rpartition("/")[2] if 1 <= len(text) <= 255 else None
