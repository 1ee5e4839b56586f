"""Who asks: project, user, roles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    user_id: str
    user_name: str
    project_id: str
    project_name: str
    roles: frozenset[str] = frozenset()
    administrator: bool | None = None
    """what an operator's policy says; None: whoever has the role `admin` is one"""

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles if self.administrator is None else self.administrator
