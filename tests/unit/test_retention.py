"""Which backups may go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy import errors
from argosy.model import retention
from argosy.model.retention import DAY, Kept, prunable

NOW = 1_800_000_000.0


def fulls(number: int, apart: float = DAY) -> list[Kept]:
    """b0 is the newest."""
    return [Kept(f"b{index}", "", NOW - index * apart, good=True) for index in range(number)]


def left(backups: list[Kept], rule: dict[str, int], timezone: str = "UTC") -> set[str]:
    return {each.id for each in backups} - prunable(backups, rule, NOW, timezone)


def test_without_a_rule_all_stay() -> None:
    assert prunable(fulls(50), {}, NOW) == set()


def test_so_many_stay() -> None:
    assert left(fulls(5), {"count": 2}) == {"b0", "b1"}


def test_what_is_young_stays() -> None:
    assert left(fulls(5), {"days": 2}) == {"b0", "b1", "b2"}


def test_the_last_of_each_period_stays() -> None:
    backups = fulls(60, DAY / 2)  # thirty days, two a day
    stay = left(backups, {"daily": 3, "monthly": 2})
    assert len(stay) == 4
    assert "b0" in stay


def test_days_are_those_of_the_time_zone() -> None:
    noon = NOW - NOW % DAY + DAY / 2
    pair = [Kept("late", "", noon + 0.45 * DAY, good=True), Kept("early", "", noon, good=True)]
    assert left(pair, {"daily": 9}) == {"late"}
    assert left(pair, {"daily": 9}, "Asia/Tokyo") == {"late", "early"}


def test_a_chain_stays_for_its_last() -> None:
    chain = [Kept("full", "", NOW - 9 * DAY, good=True), Kept("inc", "full", NOW - DAY, good=True)]
    older = Kept("old", "", NOW - 20 * DAY, good=True)
    assert left([*chain, older], {"count": 1}) == {"full", "inc"}


def test_the_last_good_one_stays_however_old_it_is() -> None:
    broken = [Kept(f"x{index}", "", NOW - index, good=False) for index in range(9)]
    assert left([*broken, Kept("good", "", NOW - 900 * DAY, good=True)], {"days": 1}) == {"good"}


def test_the_last_that_was_proven_stays_beside_the_last_that_was_not() -> None:
    backups = [*fulls(3), Kept("sure", "", NOW - 100 * DAY, good=True, proven=True)]
    assert left(backups, {"count": 1}) == {"b0", "sure"}


def test_what_is_held_stays() -> None:
    held = Kept("held", "", NOW - 100 * DAY, good=True, held=True)
    assert left([*fulls(3), held], {"count": 1}) == {"b0", "held"}


@pytest.mark.parametrize("rule", [{"count": 0}, {"count": True}, {"weeks": 3}, {"days": "7"}, {"yearly": 10**9}])
def test_a_rule_that_is_none_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(errors.BadRequest):
        retention.check(rule)


RULES = st.dictionaries(st.sampled_from(retention.RULES), st.integers(1, 5), max_size=4)


@st.composite
def histories(draw: st.DrawFn) -> list[Kept]:
    """Backups whose parents are older ones, or gone."""
    ages = sorted(draw(st.lists(st.floats(0, 1000), max_size=25)), reverse=True)
    made: list[Kept] = []
    for number, age in enumerate(ages):
        parent = draw(st.sampled_from(["", "gone", *[each.id for each in made]]))
        good, proven, held = draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 9)) == 0
        made.append(Kept(f"b{number}", parent, NOW - age * DAY, good, good and proven, held))
    return made


@given(histories(), RULES)
def test_whatever_the_rule_chains_stay_whole_and_the_last_good_one_stays(
    backups: list[Kept], rule: dict[str, int]
) -> None:
    gone = prunable(backups, rule, NOW)
    known = {each.id for each in backups}
    for each in backups:
        if each.parent in known:
            assert (each.id in gone) == (each.parent in gone)
        assert not (each.held and each.id in gone)
    good = max((each for each in backups if each.good), key=lambda each: each.at, default=None)
    assert good is None or good.id not in gone
    young = {each.id for each in backups if each.good and NOW - each.at <= rule.get("days", -1) * DAY}
    assert not young & gone


@given(histories(), RULES)
def test_asking_again_gives_nothing_more(backups: list[Kept], rule: dict[str, int]) -> None:
    gone = prunable(backups, rule, NOW)
    assert prunable([each for each in backups if each.id not in gone], rule, NOW) == set()
