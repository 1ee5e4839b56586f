"""One call as a handler sees it: a request that has been authenticated and routed, and the answer to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from argosy import errors
from argosy.api.bell import Bell
from argosy.api.fields import Fields
from argosy.api.links import Links
from argosy.api.measures import Measures
from argosy.api.policy import Policy
from argosy.api.rates import Rates
from argosy.db.session import Database
from argosy.model.caller import Caller
from argosy.settings import Settings


@dataclass(frozen=True)
class Services:
    """What handlers may reach."""

    settings: Settings
    database: Database
    policy: Policy
    rates: Rates
    bell: Bell
    measures: Measures = field(default_factory=Measures)


@dataclass(frozen=True)
class Request:
    services: Services
    rule: str
    """the policy rule that the route names"""
    path: Mapping[str, str]
    """the variables of the route: `id`, `datastore`, …"""
    query: Mapping[str, str]
    body: Mapping[str, Any] | None
    links: Links
    who: Caller | None = None
    address: str = ""
    """of the client, or of the proxy before it"""
    header: Callable[[str], str | None] = lambda _name: None
    """of the request, by name"""

    @property
    def caller(self) -> Caller:
        """Raises Unauthorized where the route asked for no token."""
        if self.who is None:
            raise errors.Unauthorized
        return self.who

    def permit(self, owner: str, rule: str = "") -> None:
        """Raises Forbidden unless the caller may do this to an object of project `owner`."""
        self.services.policy.check(rule or self.rule, self.caller, owner)

    def administer(self) -> None:
        """Raises Unauthorized, as Trove does, unless the caller is an administrator."""
        if not self.caller.is_admin:
            raise errors.Unauthorized("User does not have admin privileges.")

    def fields(self, name: str) -> Fields:
        """The object under the body's key `name`. Raises BadRequest when there is none."""
        return Fields(self.body or {}).object(name, required=True)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Mapping[str, Any] | None = None
    """None: an empty body"""
    text: str | None = None
    """what is sent instead of a JSON or XML body"""
    media_type: str = "text/plain; charset=utf-8"
    """of `text`"""
    headers: Mapping[str, str] = field(default_factory=dict)


ACCEPTED = Answer(202)
