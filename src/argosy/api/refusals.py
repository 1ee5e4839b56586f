"""What waitress refuses by itself (a header too long, a body beyond everything) in the API's words and form."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from argosy.api import faults

KEYS = {413: "overLimit", 500: "instanceFault", 501: "notImplemented"}


class Refusal(ErrorTask):  # type: ignore[misc]  # waitress has no types
    def execute(self) -> None:
        error = self.request.error
        body = orjson.dumps(
            faults.body(error.code, KEYS.get(error.code, "badRequest"), f"{error.reason}: {error.body}")
        )
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.response_headers.append(("x-openstack-request-id", f"req-{uuid.uuid4()}"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    error_task_class = Refusal


def speak(server: Any) -> None:
    """Have this server refuse in our words."""
    server.channel_class = Channel
