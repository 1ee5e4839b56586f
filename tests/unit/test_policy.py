"""The shipped policy as a pure function."""

import pytest

from argosy.model.caller import Caller
from argosy.model.policy import ADMIN, ANYBODY, OWNER, RULES, allowed

MEMBER = Caller("u", "u", "blue", "blue", frozenset({"member"}))
BOSS = Caller("a", "a", "red", "red", frozenset({"admin"}))


def test_each_rule_stands_once() -> None:
    assert len(RULES) == len(ANYBODY) + len(ADMIN) + len(OWNER)


@pytest.mark.parametrize(
    ("rules", "own", "foreign"), [(ANYBODY, True, True), (OWNER, True, False), (ADMIN, False, False)]
)
def test_members(rules: tuple[str, ...], own: bool, foreign: bool) -> None:
    for rule in rules:
        assert allowed(rule, MEMBER, "blue") is own
        assert allowed(rule, MEMBER, "green") is foreign


def test_admins_may_everything() -> None:
    assert all(allowed(rule, BOSS, owner) for rule in RULES for owner in ("red", "blue"))


def test_a_rule_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        allowed("instance:explode", BOSS, "red")
