"""The OpenAPI document of this API, as it is kept in the repository."""

from __future__ import annotations

from importlib import resources

from argosy.api.exchange import Answer, Request


def show(_request: Request) -> Answer:
    text = resources.files("argosy.api").joinpath("openapi.json").read_text()
    return Answer(200, text=text, media_type="application/json")
