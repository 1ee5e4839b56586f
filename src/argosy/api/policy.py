"""Enforces the policy: the shipped defaults by a pure function, an operator's file by oslo.policy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from argosy import errors
from argosy.model import policy
from argosy.model.caller import Caller


class Policy:
    """oslo.policy costs 200 ms and 20 MB to import: it is loaded only where there is a file to obey."""

    def __init__(self, file: str = "") -> None:
        self._enforcer = _enforcer(file) if file else None

    def check(self, rule: str, caller: Caller, owner: str) -> None:
        """Raises Forbidden unless the caller may do this to an object of project `owner`."""
        if not self._allows(rule, caller, owner):
            raise errors.Forbidden(f"Policy doesn't allow {rule} to be performed.")

    def recognise(self, caller: Caller) -> Caller:
        """The caller, as an administrator or not by the rule `context_is_admin`."""
        if self._enforcer is None:
            return caller
        return replace(caller, administrator=self._allows("context_is_admin", caller, caller.project_id))

    def _allows(self, rule: str, caller: Caller, owner: str) -> bool:
        if self._enforcer is None:
            return policy.allowed(rule, caller, owner)
        credentials = {"user_id": caller.user_id, "project_id": caller.project_id, "roles": sorted(caller.roles)}
        return bool(self._enforcer.enforce(rule, {"tenant": owner}, credentials))


def _enforcer(file: str) -> Any:
    from oslo_config import cfg
    from oslo_policy import policy as oslo

    configuration = cfg.ConfigOpts()
    configuration([], project="argosy", default_config_files=[])
    enforcer = oslo.Enforcer(configuration, policy_file=file)
    enforcer.register_defaults(
        [
            *(oslo.RuleDefault(rule, check) for rule, check in policy.BASE.items()),
            *(oslo.RuleDefault(rule, default) for rule, default in policy.RULES.items()),
        ]
    )
    enforcer.load_rules()
    return enforcer
