"""What the owner changes is never looser in force than what a session began with, and never above a ceiling."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.broker.day_trades import DayTradeRule
from shared.domain.control.config import Limits, Span, StrategyConfig, Tighter
from shared.domain.orders.versions import Ceilings, Versions, beyond, following, held_by, in_force, tighter
from shared.errors import ConfigError
from tests.domain.made import DEFAULT, NOON, OPENS, at, config, position

BEFORE, AFTER = OPENS - timedelta(hours=1), at(391)
NO_CEILING = Ceilings()


def _changed(versions: Versions | None, now: datetime, **changes: Any) -> Versions:
    wanted = DEFAULT if versions is None else versions.newest.config
    for name, value in changes.items():
        group, _, setting = name.partition("__")
        wanted = replace(wanted, **{group: replace(getattr(wanted, group), **{setting: value})})
    return following(versions, DEFAULT, NO_CEILING, config=wanted, note="a test", now=now)


def _now(versions: Versions | None, when: datetime, most: Ceilings = NO_CEILING) -> StrategyConfig:
    return in_force(versions, DEFAULT, most, when).config


def test_without_a_version_the_file_counts() -> None:
    """What a system was started with is in force, as number 0, until the owner writes a version."""
    found = in_force(None, DEFAULT, NO_CEILING, NOON)
    assert (found.number, found.config) == (0, DEFAULT)


def test_what_tightens_counts_at_once_and_what_loosens_from_the_next_session() -> None:
    """In a session a lower limit is in force at once, a higher one after the close; both are one version."""
    versions = _changed(None, NOON, limits__positions_max=5, limits__entries_per_day=90)
    during, later = _now(versions, NOON).limits, _now(versions, AFTER).limits
    assert (during.positions_max, during.entries_per_day) == (5, DEFAULT.limits.entries_per_day)
    assert (later.positions_max, later.entries_per_day) == (5, 90)
    assert in_force(versions, DEFAULT, NO_CEILING, NOON).number == 1


@pytest.mark.parametrize("now", [BEFORE, AFTER])
def test_outside_a_session_a_change_counts_at_once(now: datetime) -> None:
    """Before the open and after the close there is no risk under other rules: all of it is in force."""
    assert _now(_changed(None, now, limits__entries_per_day=90), now).limits.entries_per_day == 90


def test_what_was_tightened_in_a_session_cannot_be_loosened_in_it() -> None:
    """A limit that was lowered at noon stays low until the close, also when it is put back a minute later."""
    versions = _changed(None, NOON, limits__positions_max=5)
    back = _changed(versions, NOON + timedelta(minutes=1), limits__positions_max=DEFAULT.limits.positions_max)
    assert _now(back, NOON + timedelta(minutes=2)).limits.positions_max == 5
    assert _now(back, AFTER) == DEFAULT


def test_what_is_neither_tighter_nor_looser_waits() -> None:
    """A target that is moved is in force from the next session."""
    versions = _changed(None, NOON, exits__target_factor=Decimal(3))
    assert _now(versions, NOON).exits.target_factor == DEFAULT.exits.target_factor
    assert _now(versions, AFTER).exits.target_factor == 3


def test_a_change_that_contradicts_what_stays_is_refused() -> None:
    """Half of a change that would stand against the other half until the close is refused, with both named."""
    base = _changed(None, BEFORE, signals__rsi_min=Decimal(55), signals__rsi_max=Decimal(80))
    with pytest.raises(ConfigError, match="until the close"):
        _changed(base, NOON, signals__rsi_min=Decimal(85), signals__rsi_max=Decimal(90))


@pytest.mark.parametrize(
    ("wanted", "during"),
    [
        ({"momentum": {}}, {"momentum": {}}),
        ({"momentum": {"change_min_pct": 9}, "opening_range": {}}, {"momentum": {}, "opening_range": {}}),
        ({"momentum": {}, "opening_range": {}, "mine": {}}, {"momentum": {}, "opening_range": {}}),
        ({"mine": {}}, {}),
    ],
)
def test_a_strategy_that_is_taken_out_is_out_at_once_and_all_else_of_strategies_waits(
    wanted: dict[str, Any], during: dict[str, Any]
) -> None:
    """A new strategy and a parameter, whichever way it is changed, are in force from the next session."""
    one_vote = replace(DEFAULT.signals, min_votes=1)
    begun = replace(DEFAULT, strategies={"momentum": {}, "opening_range": {}}, signals=one_vote)
    versions = following(None, begun, NO_CEILING, config=replace(begun, strategies=wanted), note="", now=NOON)
    assert in_force(versions, begun, NO_CEILING, NOON).config.strategies == during
    assert in_force(versions, begun, NO_CEILING, AFTER).config.strategies == wanted


def test_no_version_exceeds_a_ceiling() -> None:
    """A version above a ceiling is refused with its name; one that was written elsewhere is capped where it is read."""
    most = Ceilings(positions_max=4, daily_loss_pct=Decimal(1))
    assert len(beyond(DEFAULT, most)) == 2
    with pytest.raises(ConfigError, match=r"limits\.positions_max may be 4 at the most"):
        following(None, DEFAULT, most, config=DEFAULT, note="", now=NOON)
    written = _changed(None, BEFORE, limits__positions_max=50)
    assert _now(written, NOON, most).limits.positions_max == 4
    assert _now(None, NOON, most).limits.daily_loss_pct == 1


def test_every_ceiling_is_a_limit() -> None:
    """The names of the ceilings are those of the limits that they cap."""
    assert set(get_type_hints(Ceilings)) <= set(get_type_hints(Limits))


def _limits() -> st.SearchStrategy[StrategyConfig]:
    return st.builds(
        lambda usd, most, entries, cooldown, rule: replace(
            config(limits__order_usd_max=usd, limits__positions_max=most, limits__entries_per_day=entries,
                   limits__cooldown_minutes=cooldown), account=replace(DEFAULT.account, day_trade_rule=rule),
        ),
        st.integers(100, 100_000).map(Decimal), st.integers(1, 100), st.integers(1, 1000), st.integers(1, 390),
        st.sampled_from(DayTradeRule),
    )  # fmt: skip


def _no_looser(found: object, standing: object) -> bool:
    for name, hint in get_type_hints(type(standing), include_extras=True).items():
        ours, theirs = getattr(found, name), getattr(standing, name)
        if isinstance(ours, Mapping):
            if not ours.items() <= theirs.items():
                return False
            continue
        spans = [one for one in get_args(hint)[1:] if isinstance(one, Span)]
        if spans:
            way = spans[0].tighter
            fine = {Tighter.DOWN: ours <= theirs, Tighter.UP: ours >= theirs, Tighter.EITHER: ours == theirs}[way]
        elif isinstance(ours, DayTradeRule):
            fine = list(DayTradeRule).index(ours) <= list(DayTradeRule).index(theirs)
        else:
            fine = _no_looser(ours, theirs)
        if not fine:
            return False
    return True


Combine = Callable[[StrategyConfig, StrategyConfig], StrategyConfig]


def _holds(combine: Combine, standing: StrategyConfig, wanted: StrategyConfig) -> bool:
    return _no_looser(combine(standing, wanted), standing)


@given(_limits(), _limits())
def test_no_setting_is_looser_than_it_stands(standing: StrategyConfig, wanted: StrategyConfig) -> None:
    """Whatever is wanted, no setting of what a session works with is looser than before."""
    assert _holds(tighter, standing, wanted)


def test_a_change_that_counts_whole_would_be_caught() -> None:
    """If what is wanted counted at once, as a file that is read at each start does, a looser limit would be seen."""
    assert not _holds(lambda _standing, wanted: wanted, DEFAULT, config(limits__positions_max=90))


def test_a_held_position_keeps_its_rules_unless_new_ones_are_tighter() -> None:
    """A position is judged by the exits that it was opened under, setting by setting the tighter of then and now."""
    opened = replace(position(), exits=config(exits__hold_max_minutes=60, exits__trail_pct=Decimal("0.5")).exits)
    now = config(exits__hold_max_minutes=120, exits__trail_pct=Decimal("0.3"))
    rules = held_by(opened, now).exits
    assert (rules.hold_max_minutes, rules.trail_pct) == (60, Decimal("0.3"))
    assert held_by(position(), now) is now
