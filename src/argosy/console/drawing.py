"""Pages from templates. Everything that is told is escaped."""

from __future__ import annotations

from typing import Any

import falcon
from jinja2 import Environment, PackageLoader, StrictUndefined

from argosy.client.words import pace, report, size

TEMPLATES = Environment(
    loader=PackageLoader("argosy.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"size": size, "pace": pace, "report": report}


def draw(resp: falcon.Response, template: str, status: int = 200, **told: Any) -> None:
    resp.status = falcon.code_to_http_status(status)
    resp.content_type = falcon.MEDIA_HTML
    resp.text = TEMPLATES.get_template(template).render(**told)
