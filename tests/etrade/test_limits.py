"""The limiter at Market, to the microsecond, on a clock that only sleeping moves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.one_machine.memory_store import MemoryStore
from shared.domain.broker.turns import Purpose
from shared.errors import InvariantBroken
from shared.etrade.limits import (
    APART,
    GUARD,
    LATE,
    MARKET_PER_SECOND,
    MARKET_SHARES,
    PAPER_SHARES,
    Limits,
    Module,
    Role,
)
from shared.etrade.turns import AccountTurns
from tests.etrade.world import START, KeptLines, SeededChance, SteadyClock

SECOND = timedelta(seconds=1)
WINDOW = timedelta(milliseconds=1060)
"""A second with the guard: what the limit counts in."""
PURPOSE = Purpose.PROTECT


def made(
    clock: SteadyClock, *, role: Role = Role.PLACEMENT, market_per_minute: int = 240, market_burst: int = 4
) -> Limits:
    """Give the limits of an instance that is alone with its store."""
    turns = AccountTurns(store=MemoryStore(), clock=clock, chance=SeededChance(), journal=KeptLines())
    return Limits(
        clock=clock, role=role, turns=None if role is Role.SCAN else turns, market_per_minute=market_per_minute,
        market_burst=market_burst,
    )  # fmt: skip


def turns(limits: Limits, clock: SteadyClock, module: Module, count: int) -> list[datetime]:
    """Take so many turns and give the instants at which they came."""
    found = []
    for _ in range(count):
        assert limits.take(module, PURPOSE)
        found.append(clock.now())
    return found


@pytest.mark.parametrize(
    ("role", "milliseconds"),
    [
        (Role.SCAN, [0, 60, 120, 1060, 1120, 1180, 2120]),
        (Role.PLACEMENT, [0, 1060, 2120]),
    ],
)
def test_turns_come_together_as_far_as_the_share_goes(role: Role, milliseconds: list[int]) -> None:
    """A role's share of calls leaves at once, 60 ms apart; the next waits until the window has room for it."""
    clock = SteadyClock()
    found = turns(made(clock, role=role), clock, Module.MARKET, len(milliseconds))
    assert found == [START + timedelta(milliseconds=one) for one in milliseconds]


def test_a_call_each_second_never_waits() -> None:
    """One or two calls in each second leave in that second at once, for as long as it goes on."""
    clock = SteadyClock()
    limits = made(clock, role=Role.SCAN)
    for second in range(60):
        clock.at = START + second * SECOND
        assert turns(limits, clock, Module.MARKET, 2) == [clock.at - APART, clock.at]


def seconds(limits: Limits, clock: SteadyClock, *, wanted: int, count: int) -> list[tuple[int, timedelta]]:
    """Ask in each second for one call and as many more as have room; gives how many left, and how late the first."""
    found = []
    for second in range(count):
        at = START + second * SECOND
        clock.sleep_until(at)
        more = min(limits.room(besides=1, keep=at + SECOND), wanted)
        left = turns(limits, clock, Module.MARKET, 1 + more)
        found.append((len(left), left[0] - at))
    return found


@pytest.mark.parametrize(("shares", "pattern"), [(MARKET_SHARES, [3, 2]), (PAPER_SHARES, [2, 1])])
def test_what_fits_in_does_not_delay_the_next_second(shares: dict[Role, int], pattern: list[int]) -> None:
    """Calls that fit in leave the next second's first call its place, at most a guard late, for as long as it goes."""
    clock = SteadyClock()
    limits = Limits(clock=clock, role=Role.SCAN, turns=None, shares=shares)
    found = seconds(limits, clock, wanted=9, count=121)
    assert [many for many, _ in found] == [1, *pattern * 60]
    assert max(late for _, late in found) == GUARD


@pytest.mark.parametrize(("shares", "calls"), [(MARKET_SHARES, 2.4), (PAPER_SHARES, 1.4)])
def test_a_machine_that_wakes_late_fits_as_much_in(shares: dict[Role, int], calls: float) -> None:
    """Where each second begins some milliseconds late, as many calls leave, and the first one is never much later."""
    clock, chance = SteadyClock(), SeededChance()
    limits, left, late = Limits(clock=clock, role=Role.SCAN, turns=None, shares=shares), 0, timedelta(0)
    for second in range(200):
        at = START + second * SECOND
        clock.sleep_until(at + timedelta(seconds=chance.uniform(0.001, 0.015)))
        found = turns(limits, clock, Module.MARKET, 1 + limits.room(besides=1, keep=at + SECOND))
        left, late = left + len(found), max(late, found[0] - at)
    assert left >= 200 * calls
    assert late <= LATE


class Eager(Limits):
    """A mistake: as many calls have room as the limit lets out at once."""

    def room(self, *, besides: int, keep: datetime) -> int:
        return 3 - besides


def test_more_than_fits_in_is_found() -> None:
    """Three calls in each second push the first one of the next back, further each time."""
    clock = SteadyClock()
    found = seconds(Eager(clock=clock, role=Role.SCAN, turns=None), clock, wanted=9, count=20)
    assert found[-1][1] > SECOND


def test_after_a_pause_nothing_is_asked_but_what_must_be() -> None:
    """Whoever has not called for some seconds leaves room for the last calls of another instance."""
    clock = SteadyClock()
    limits = made(clock, role=Role.SCAN)
    assert limits.room(besides=1, keep=START + SECOND) == 0
    turns(limits, clock, Module.MARKET, 1)
    clock.at = START + SECOND
    assert limits.room(besides=1, keep=START + 2 * SECOND) == 2
    clock.at = START + 5 * SECOND
    assert limits.room(besides=1, keep=START + 6 * SECOND) == 0


def test_there_is_no_room_while_the_module_rests() -> None:
    """After a throttle answer nothing beside what has to be asked is asked."""
    clock = SteadyClock()
    limits = made(clock, role=Role.SCAN)
    turns(limits, clock, Module.MARKET, 1)
    limits.throttled(Module.MARKET)
    limits.throttled(Module.MARKET)
    assert limits.room(besides=1, keep=START + SECOND) == 0


def test_the_roles_together_keep_the_brokers_limit() -> None:
    """The shares of all roles add up to no more than Market's 4 a second, on paper, too."""
    assert sum(MARKET_SHARES.values()) == MARKET_PER_SECOND
    assert sum(PAPER_SHARES.values()) == MARKET_PER_SECOND


@pytest.mark.parametrize(("role", "module"), [(Role.SCAN, Module.ORDERS), (Role.SETTLEMENT, Module.MARKET)])
def test_a_module_without_a_share_is_a_bug(role: Role, module: Module) -> None:
    """A role that asks for a module which it has no share of is stopped as our own bug."""
    with pytest.raises(InvariantBroken):
        made(SteadyClock(), role=role).take(module, PURPOSE)


@pytest.mark.parametrize(
    ("per_minute", "burst", "microseconds"),
    [
        (240, 10, 60_000),
        (10_000, 10_000, 60_000),
        (120, 10, 666_667),
        (60, 10, 1_333_334),
        (240, 2, 666_667),
    ],
)
def test_settings_can_only_slow_market(per_minute: int, burst: int, microseconds: int) -> None:
    """A cap on calls a minute or a second spaces the scan's turns evenly, and a high one changes nothing."""
    clock = SteadyClock()
    limits = made(clock, role=Role.SCAN, market_per_minute=per_minute, market_burst=burst)
    first, second = turns(limits, clock, Module.MARKET, 2)
    assert second - first == timedelta(microseconds=microseconds)


def test_a_cap_on_market_leaves_orders_alone() -> None:
    """The Market cap of the settings does not touch the turns at Orders: two at once, the third an interval later."""
    clock = SteadyClock()
    limits = made(clock, market_per_minute=1)
    first, second, third = turns(limits, clock, Module.ORDERS, 3)
    assert first == second < third < START + 2 * SECOND


def test_a_cap_below_one_is_refused() -> None:
    """A cap of no call at all is refused at once."""
    with pytest.raises(InvariantBroken):
        made(SteadyClock(), role=Role.SCAN, market_per_minute=0)


def test_a_quiet_time_earns_no_burst() -> None:
    """After a long silence one turn comes at once and the next one waits as always."""
    clock = SteadyClock()
    limits = made(clock)
    limits.take(Module.MARKET, PURPOSE)
    clock.at += timedelta(hours=1)
    first, second = turns(limits, clock, Module.MARKET, 2)
    assert (first, second - first) == (START + timedelta(hours=1), WINDOW)


def test_a_distant_turn_is_not_taken() -> None:
    """A turn beyond the caller's patience is refused, and the slot stays free for others."""
    clock = SteadyClock()
    limits = made(clock)
    limits.take(Module.MARKET, PURPOSE)
    assert limits.take(Module.MARKET, PURPOSE, within=WINDOW - timedelta(milliseconds=1)) is None
    assert limits.take(Module.MARKET, PURPOSE, within=WINDOW)
    assert clock.now() == START + WINDOW


def test_a_throttle_answer_pauses_longer_each_time() -> None:
    """After throttle answers in a row the module rests 1, 2, 4, 8 and 8 s, and an answer ends the row."""
    clock = SteadyClock()
    limits = made(clock, role=Role.SCAN)
    rests = []
    for _ in range(5):
        limits.throttled(Module.MARKET)
        before = clock.now()
        limits.take(Module.MARKET, PURPOSE)
        rests.append((clock.now() - before).total_seconds())
    limits.answered(Module.MARKET)
    limits.throttled(Module.MARKET)
    before = clock.now()
    limits.take(Module.MARKET, PURPOSE)
    assert rests == [1, 2, 4, 8, 8]
    assert clock.now() - before == SECOND


def test_threads_never_share_a_slot() -> None:
    """Of sixteen threads that ask at once no four leave within a window, and no two closer than they may."""
    clock = SteadyClock()
    limits = made(clock, role=Role.SCAN)
    with ThreadPoolExecutor(16) as pool:
        found = pool.map(lambda _: limits.take(Module.MARKET, PURPOSE), range(64))
    left = sorted(turn.at for turn in found if turn is not None)
    assert len(left) == 64
    assert all(later - earlier >= APART for earlier, later in pairwise(left))
    assert all(fourth - first >= WINDOW for first, fourth in zip(left, left[3:], strict=False))


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 3_000_000), max_size=30),
    per_minute=st.integers(1, 400),
    burst=st.integers(1, 12),
)
def test_no_pattern_of_calls_exceeds_the_rate(gaps: list[int], per_minute: int, burst: int) -> None:
    """Whatever the gaps between calls, no second holds more scan calls than 3 or than the caps allow."""
    clock = SteadyClock()
    limits = made(clock, role=Role.SCAN, market_per_minute=per_minute, market_burst=burst)
    found = []
    for gap in gaps:
        clock.at += timedelta(microseconds=gap)
        found += turns(limits, clock, Module.MARKET, 1)
    for start in found:
        assert sum(start <= at < start + SECOND for at in found) <= min(3, burst)
        assert sum(start <= at < start + 60 * SECOND for at in found) <= per_minute


def test_a_call_that_leaves_late_pushes_back_the_next() -> None:
    """The next call keeps its distance from the instant at which the one before really left."""
    clock = SteadyClock()
    limits = made(clock)
    turn = limits.take(Module.MARKET, PURPOSE)
    assert turn is not None
    clock.sleep_until(START + timedelta(milliseconds=700))
    limits.sent(Module.MARKET, turn)
    assert limits.take(Module.MARKET, PURPOSE)
    assert clock.now() == START + timedelta(milliseconds=700) + WINDOW


@pytest.mark.parametrize("back", [timedelta(seconds=2), timedelta(hours=1)])
def test_a_clock_that_is_set_back_costs_a_window(back: timedelta) -> None:
    """Calls that left later than the clock now says keep nobody waiting for that instant."""
    clock = SteadyClock()
    limits = made(clock, role=Role.SCAN)
    turns(limits, clock, Module.MARKET, 3)
    clock.at -= back
    begins = clock.now()
    found = turns(limits, clock, Module.MARKET, 3)
    assert found[0] == begins + WINDOW
    assert found[-1] < begins + 2 * WINDOW
