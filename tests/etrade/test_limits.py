"""The limiter's spacing, to the microsecond, on a clock that only sleeping moves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import InvariantBroken
from shared.etrade.limits import MARKET_PER_SECOND, SHARES, Limits, Module, Role
from tests.etrade.world import START, SteadyClock

SECOND = timedelta(seconds=1)
ORDERS_EVERY = timedelta(milliseconds=1060)


def turns(limits: Limits, clock: SteadyClock, module: Module, count: int) -> list[datetime]:
    """Take so many turns and give the instants at which they came."""
    found = []
    for _ in range(count):
        assert limits.take(module)
        found.append(clock.now())
    return found


@pytest.mark.parametrize(
    ("role", "module", "microseconds"),
    [
        (Role.SCAN, Module.MARKET, 393_334),
        (Role.PLACEMENT, Module.MARKET, 1_060_000),
        (Role.PLACEMENT, Module.ORDERS, 1_060_000),
        (Role.PLACEMENT, Module.ACCOUNTS, 1_060_000),
        (Role.SETTLEMENT, Module.ORDERS, 1_060_000),
        (Role.SETTLEMENT, Module.ACCOUNTS, 1_060_000),
    ],
)
def test_turns_are_evenly_spaced(role: Role, module: Module, microseconds: int) -> None:
    """Each role's turns at a module lie exactly its interval apart, and the first one comes at once."""
    clock = SteadyClock()
    found = turns(Limits(clock=clock, role=role), clock, module, 5)
    assert found == [START + n * timedelta(microseconds=microseconds) for n in range(5)]


def test_the_roles_together_keep_the_brokers_limits() -> None:
    """The shares of all roles add up to no more than Market 4, Orders 2 and Accounts 2 a second."""
    total = {module: sum(share.get(module, 0) for share in SHARES.values()) for module in Module}
    assert total == {Module.MARKET: MARKET_PER_SECOND, Module.ORDERS: 2, Module.ACCOUNTS: 2}


def test_a_module_without_a_share_is_a_bug() -> None:
    """A role that asks for a module which it has no share of is stopped as our own bug."""
    with pytest.raises(InvariantBroken):
        Limits(clock=SteadyClock(), role=Role.SCAN).take(Module.ORDERS)


@pytest.mark.parametrize(
    ("per_minute", "burst", "microseconds"),
    [
        (240, 10, 393_334),
        (10_000, 10_000, 393_334),
        (120, 10, 666_667),
        (60, 10, 1_333_334),
        (240, 2, 666_667),
    ],
)
def test_settings_can_only_slow_market(per_minute: int, burst: int, microseconds: int) -> None:
    """A cap on calls a minute or a second stretches the scan's turns, and a high one changes nothing."""
    clock = SteadyClock()
    limits = Limits(clock=clock, role=Role.SCAN, market_per_minute=per_minute, market_burst=burst)
    first, second = turns(limits, clock, Module.MARKET, 2)
    assert second - first == timedelta(microseconds=microseconds)


def test_a_cap_on_market_leaves_orders_alone() -> None:
    """The Market cap of the settings does not touch the turns at Orders."""
    clock = SteadyClock()
    limits = Limits(clock=clock, role=Role.PLACEMENT, market_per_minute=1)
    first, second = turns(limits, clock, Module.ORDERS, 2)
    assert second - first == ORDERS_EVERY


def test_a_cap_below_one_is_refused() -> None:
    """A cap of no call at all is refused at once."""
    with pytest.raises(InvariantBroken):
        Limits(clock=SteadyClock(), role=Role.SCAN, market_per_minute=0)


def test_a_quiet_time_earns_no_burst() -> None:
    """After a long silence one turn comes at once and the next one waits as always."""
    clock = SteadyClock()
    limits = Limits(clock=clock, role=Role.PLACEMENT)
    limits.take(Module.ORDERS)
    clock.at += timedelta(hours=1)
    first, second = turns(limits, clock, Module.ORDERS, 2)
    assert (first, second - first) == (START + timedelta(hours=1), ORDERS_EVERY)


def test_a_distant_turn_is_not_taken() -> None:
    """A turn beyond the caller's patience is refused, and the slot stays free for others."""
    clock = SteadyClock()
    limits = Limits(clock=clock, role=Role.PLACEMENT)
    limits.take(Module.ORDERS)
    assert not limits.take(Module.ORDERS, within=ORDERS_EVERY - timedelta(milliseconds=1))
    assert limits.take(Module.ORDERS, within=ORDERS_EVERY)
    assert clock.now() == START + ORDERS_EVERY


def test_a_throttle_answer_pauses_longer_each_time() -> None:
    """After throttle answers in a row the module rests 1, 2, 4, 8 and 8 s, and an answer ends the row."""
    clock = SteadyClock()
    limits = Limits(clock=clock, role=Role.SCAN)
    rests = []
    for _ in range(5):
        limits.throttled(Module.MARKET)
        before = clock.now()
        limits.take(Module.MARKET)
        rests.append((clock.now() - before).total_seconds())
    limits.answered(Module.MARKET)
    limits.throttled(Module.MARKET)
    before = clock.now()
    limits.take(Module.MARKET)
    assert rests == [1, 2, 4, 8, 8]
    assert clock.now() - before == SECOND


def test_threads_never_share_a_slot() -> None:
    """Sixteen threads that ask at once get different slots, each an interval from the next."""
    clock = SteadyClock()
    limits = Limits(clock=clock, role=Role.PLACEMENT)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: limits.take(Module.ORDERS), range(64)))
    slots = sorted(clock.woken)
    assert len(slots) >= 63 - 1
    assert all(later - earlier >= SECOND for earlier, later in pairwise(slots))


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 3_000_000), max_size=30),
    per_minute=st.integers(1, 400),
    burst=st.integers(1, 12),
)
def test_no_pattern_of_calls_exceeds_the_rate(gaps: list[int], per_minute: int, burst: int) -> None:
    """Whatever the gaps between calls, no second holds more scan calls than 3 or than the caps allow."""
    clock = SteadyClock()
    limits = Limits(clock=clock, role=Role.SCAN, market_per_minute=per_minute, market_burst=burst)
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
    limits = Limits(clock=clock, role=Role.SETTLEMENT)
    assert limits.take(Module.ORDERS)
    clock.sleep_until(START + timedelta(milliseconds=700))
    limits.sent(Module.ORDERS)
    assert limits.take(Module.ORDERS)
    assert clock.now() == START + timedelta(milliseconds=700) + ORDERS_EVERY
