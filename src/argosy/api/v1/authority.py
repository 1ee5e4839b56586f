"""The deployment's certificate authority, so that clients can verify what they connect to. Public by nature."""

from __future__ import annotations

from argosy import errors
from argosy.api.exchange import Answer, Request


def show(request: Request) -> Answer:
    file = request.services.settings.keys / "ca.crt"
    try:
        return Answer(200, text=file.read_text(), media_type="application/x-pem-file")
    except FileNotFoundError as error:
        raise errors.NotFound("this deployment has no certificate authority yet: `argosy up` makes one") from error
