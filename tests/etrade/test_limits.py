"""The limiter's spacing at Market, to the microsecond, on a clock that only sleeping moves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.memory_store import MemoryStore
from shared.domain.turns import Purpose
from shared.errors import InvariantBroken
from shared.etrade.limits import MARKET_PER_SECOND, MARKET_SHARES, PAPER_SHARES, Limits, Module, Role
from shared.etrade.turns import AccountTurns
from tests.etrade.world import START, KeptLines, SeededChance, SteadyClock

SECOND = timedelta(seconds=1)
EVERY = timedelta(milliseconds=1060)
"""The interval of Market's calls in the role of placement."""
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
    ("role", "microseconds"),
    [
        (Role.SCAN, 393_334),
        (Role.PLACEMENT, 1_060_000),
    ],
)
def test_turns_are_evenly_spaced(role: Role, microseconds: int) -> None:
    """Each role's turns at Market lie exactly its interval apart, and the first one comes at once."""
    clock = SteadyClock()
    found = turns(made(clock, role=role), clock, Module.MARKET, 5)
    assert found == [START + n * timedelta(microseconds=microseconds) for n in range(5)]


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
    assert (first, second - first) == (START + timedelta(hours=1), EVERY)


def test_a_distant_turn_is_not_taken() -> None:
    """A turn beyond the caller's patience is refused, and the slot stays free for others."""
    clock = SteadyClock()
    limits = made(clock)
    limits.take(Module.MARKET, PURPOSE)
    assert limits.take(Module.MARKET, PURPOSE, within=EVERY - timedelta(milliseconds=1)) is None
    assert limits.take(Module.MARKET, PURPOSE, within=EVERY)
    assert clock.now() == START + EVERY


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
    """Sixteen threads that ask at once get different slots, each an interval from the next."""
    clock = SteadyClock()
    limits = made(clock)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: limits.take(Module.MARKET, PURPOSE), range(64)))
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
    assert clock.now() == START + timedelta(milliseconds=700) + EVERY
