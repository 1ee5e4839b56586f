"""JSON or XML, and which version of the API: what path, Accept and Content-Type ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import falcon
import orjson

from argosy import errors
from argosy.api import xml
from argosy.api.xml_reading import Reader

VENDOR = "application/vnd.openstack.trove+"
VERSIONS = ("1.0", "v1.0")


class Format(StrEnum):
    JSON = "application/json"
    XML = "application/xml"

    def write(self, body: Mapping[str, Any]) -> bytes:
        return xml.write(body) if self is Format.XML else orjson.dumps(body)

    def read(self, data: bytes, reader: Callable[[], Reader] = Reader) -> Any:
        """Raises BadRequest for what is not well formed. `reader` knows what the body is to look like, in XML."""
        if self is Format.XML:
            return reader().read(data)
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise errors.BadRequest(f"Malformed request body: {error}") from error


SUFFIXES = {".json": Format.JSON, ".xml": Format.XML}
NAMES = {
    "application/json": Format.JSON,
    "application/xml": Format.XML,
    "text/xml": Format.XML,
    f"{VENDOR}json": Format.JSON,
    f"{VENDOR}xml": Format.XML,
}


@dataclass(frozen=True)
class Wanted:
    path: str
    """to route by: without suffix, doubled and trailing slashes, and with the version in front"""
    format: Format


def wanted(path: str, accept: str) -> Wanted:
    """Raises NotAcceptable for a version that is not spoken."""
    plain, suffix = _unsuffixed("/" + "/".join(part for part in path.split("/") if part))
    preferred = SUFFIXES.get(suffix) or _preferred(accept)
    return Wanted(_versioned(plain, accept), preferred)


def of_body(content_type: str) -> Format:
    """Raises UnsupportedMedia."""
    media_type, _ = falcon.parse_header(content_type)
    try:
        return NAMES[media_type.strip().lower()]
    except KeyError as error:
        raise errors.UnsupportedMedia(
            f"Content-Type {media_type} is not spoken here: use application/json or application/xml"
        ) from error


def _unsuffixed(path: str) -> tuple[str, str]:
    for suffix in SUFFIXES:
        if path.endswith(suffix):
            return path.removesuffix(suffix), suffix
    return path, ""


def _preferred(accept: str) -> Format:
    """What Accept likes best; JSON for whatever we do not speak, as Trove answers."""
    if "xml" not in accept:
        return Format.JSON
    try:
        best = falcon.mediatypes.best_match(tuple(NAMES), accept)
    except ValueError:
        return Format.JSON
    return NAMES.get(best, Format.JSON)


def _versioned(path: str, accept: str) -> str:
    """Accept may name the version, and the path then leave it out."""
    version = _version(accept)
    if version is None:
        return path
    if version not in VERSIONS:
        raise errors.NotAcceptable(f"version {version} of the API is not spoken here: only 1.0 is")
    return path if path.startswith("/v1") else f"/v1.0{path}"


def _version(accept: str) -> str | None:
    for each in accept.split(",") if VENDOR in accept else ():
        media_type, parameters = falcon.parse_header(each.strip())
        if media_type.startswith(VENDOR) and "version" in parameters:
            return parameters["version"]
    return None
