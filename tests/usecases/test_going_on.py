"""Who scans goes on until somebody else does: no second is lost between two minutes, and a lost tick costs none."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

import pytest

from shared.codec import decode
from shared.domain.market.quotes import Quote
from shared.domain.market.receipts import marks
from shared.domain.market.sight import BLIND, LOOKED, Looks, looks
from shared.topology import TOPOLOGY
from shared.usecases.market import minutes
from shared.usecases.market.minutes import Minute
from shared.usecases.scanning.scan import WORKS_AT_MOST
from shared.usecases.scanning.scan_memory import Memories, ScanMemory
from tests.domain.made import at
from tests.usecases.post import SCAN
from tests.usecases.shifts import Shifts
from tests.usecases.stage import BEGUN, HELD, WATCHED, sound, stage

LATE = (0.4, 1.3, 4.7, 0.1, 2.5)


def unlooked(seconds: Sequence[int], first: int, last: int) -> list[int]:
    """Name the seconds between two that nobody looked at, or that two looked at."""
    return [second for second in range(first, last + 1) if seconds.count(second) != 1]


def scanned(shifts: Shifts, late: Sequence[float | None], *, name: Callable[[int], str] = lambda _: SCAN) -> None:
    """Let the ticks of the first minutes come so late; None is lost."""
    for minute, late_s in enumerate(late):
        if late_s is not None:
            shifts.tick(minute, ScanMemory(), late_s=late_s, name=name(minute))


def sight_of(shifts: Shifts, minute: int) -> str:
    """Give which seconds of a minute were looked at, as the scan wrote them down."""
    row = shifts.store.get(f"minutes/{shifts.begins(minute):%Y%m%dT%H%M}")
    assert row is not None
    sight = decode(Minute, row.data).sight
    assert sight is not None
    return sight.seconds


def looked(shifts: Shifts, count: int) -> Looks:
    """Count the looks of the first minutes as the owner's status does."""
    rows = [decode(Minute, row.data) for row in shifts.store.query("minutes")]
    return looks([row.sight for row in rows if row.sight], shifts.begins(0), shifts.begins(count))


@pytest.mark.parametrize("slow", [False, True])
def test_late_ticks_cost_no_second(slow: bool) -> None:
    """With ticks up to 4.7 s late each second is looked at once, and written down; with slow calls few are missed."""
    shifts, draws = Shifts(), Random("slow")
    if slow:
        shifts.broker.takes_s = lambda: min(1.2, draws.lognormvariate(-2.0, 0.85))
    scanned(shifts, LATE)
    shifts.run(5)
    found = looked(shifts, 5)
    assert found.looked == len(shifts.broker.asked)
    if slow:
        assert found.blind <= 10
    else:
        assert unlooked(shifts.seconds(), 0, 299) == []
        assert (found.seconds, found.looked, found.unseen_s) == (300, 300, 0)
        assert [sight_of(shifts, one) for one in range(5)] == [LOOKED * 60] * 5


def test_a_scan_that_ends_with_its_minute_would_be_found() -> None:
    """The same check finds the seconds that nobody looks at where an invocation ends with its minute."""
    shifts = Shifts()
    scanned(shifts, LATE, name=lambda minute: f"scan {minute}")
    for minute in range(5):
        shifts.kernel.spawn(
            lambda minute=minute: shifts.kernel.crash(f"scan {minute}"),  # type: ignore[misc]
            at=shifts.begins(minute + 1) - timedelta(milliseconds=100), name="end",
        )  # fmt: skip
    shifts.run(5)
    assert len(unlooked(shifts.seconds(), 0, 299)) > 10


def test_a_lost_tick_costs_nothing() -> None:
    """A minute whose tick never comes is scanned by who scanned the one before, with receipts and sight of its own."""
    shifts = Shifts()
    scanned(shifts, (0.4, None, 3.1))
    shifts.run(3)
    assert unlooked(shifts.seconds(), 1, 179) == []
    assert sight_of(shifts, 1) == sight_of(shifts, 2) == LOOKED * 60
    assert [line["minute"] for line in shifts.journal.named("minute_scanned")] == [
        shifts.begins(minute).isoformat() for minute in range(3)
    ]
    assert len(shifts.store.query("receipts")) == 3


@pytest.mark.parametrize("late_s", [25.0, 58.0])
def test_a_tick_that_counts_as_lost_and_comes_finds_the_minute_taken(late_s: float) -> None:
    """A tick that comes after its minute was taken for lost does nothing, and who scans goes on to the next minute."""
    shifts = Shifts()
    scanned(shifts, (0.4, late_s, 1.0))
    shifts.run(3)
    assert unlooked(shifts.seconds(), 1, 179) == []
    assert len(shifts.journal.named("minute_scanned")) == 3


def test_who_goes_on_dies() -> None:
    """Where whoever should hand over has died the next waits three seconds, and scans from the store's books."""
    shifts = Shifts()
    scanned(shifts, (0.4, 2.2), name=lambda minute: f"scan {minute}")
    shifts.kernel.spawn(
        lambda: shifts.kernel.crash("scan 0"), at=shifts.begins(1) + timedelta(seconds=1.5), name="killer"
    )
    shifts.run(2)
    missed = unlooked(shifts.seconds(), 1, 119)
    assert missed == [62, 63, 64]
    assert len(shifts.journal.named("scan_not_handed_over")) == 1
    assert sight_of(shifts, 1) == BLIND * 5 + LOOKED * 55


def test_one_that_stood_still_puts_no_old_books_over_newer_ones() -> None:
    """Who comes to himself after the next has gone on without him leaves books, receipts and minute as they are."""
    shifts = Shifts()
    shifts.broker.takes_s = lambda: 30.0 if shifts.seconds()[-1] == 58 else 0.0
    scanned(shifts, (0.4, 0.4))
    shifts.run(1.4)
    before = shifts.left(("bars",))
    shifts.run(1.6)
    assert shifts.left(("bars",)) == before
    shifts.run(2)
    assert shifts.left(("bars",)) != before
    assert len(shifts.journal.named("minute_scanned")) == 2


def test_it_ends_in_time() -> None:
    """Where no tick comes any more an invocation ends in its longest time, well within its time-out."""
    shifts = Shifts()
    scanned(shifts, (5.0,))
    shifts.run(10)
    assert shifts.kernel.idle
    last = shifts.broker.asked[-1] - shifts.begins(0)
    assert timedelta(seconds=150) < last <= timedelta(seconds=5) + WORKS_AT_MOST
    assert WORKS_AT_MOST + timedelta(seconds=15) <= timedelta(seconds=TOPOLOGY.function(SCAN).timeout_s)
    assert 2 * minutes.MINUTE + timedelta(seconds=30) <= WORKS_AT_MOST


def test_the_receipts_of_a_minute_are_those_of_both_who_looked() -> None:
    """What a minute's first seconds said of a symbol, seen by who went on, stands before what the next one saw."""
    shifts = Shifts()
    scanned(shifts, (0.4, 4.7))
    shifts.run(2)
    row = shifts.store.get(f"receipts/{shifts.begins(1):%Y%m%dT%H%M}")
    assert row is not None
    for symbol in row.data["symbols"]:
        lines = marks(row.data, symbol)
        assert lines[0].second == 0
        assert [line.second for line in lines] == sorted({line.second for line in lines})


@pytest.mark.parametrize("back", [timedelta(minutes=3), timedelta(hours=1)])
def test_nobody_waits_for_a_clock_that_was_set_back(back: timedelta) -> None:
    """Who scans when the clock is set back far ends, and does not sleep until the old time has come again."""
    played, jumps = stage(), at(BEGUN) + timedelta(seconds=30)

    def script(symbol: str, now: datetime) -> Quote:
        if now == jumps:
            played.clock.at -= back
        return sound(symbol, now)

    played.play(script)
    assert played.clock.at <= jumps - back + timedelta(minutes=1)


@pytest.mark.parametrize("second", [1, 2, 3])
def test_what_is_held_is_looked_at_in_the_first_second(second: int) -> None:
    """Whoever takes a minute over, at whichever second, asks for what is held at once: it knows of none before."""
    played, asked = stage(), list[tuple[str, datetime]]()

    def script(symbol: str, now: datetime) -> Quote:
        asked.append((symbol, now))
        return sound(symbol, now)

    played.play(script, late_s=second)
    first = at(BEGUN) + timedelta(seconds=second)
    assert asked[:2] == [(WATCHED, first), (HELD, first)]
    assert played.verdict(HELD, first) == "held"


def test_two_invocations_of_a_process_have_a_memory_each() -> None:
    """A memory is lent to one invocation at a time, and the one that was given back last is lent first."""
    memories = Memories(ScanMemory)
    with memories.lent() as first:
        with memories.lent() as second:
            assert first is not second
        with memories.lent() as third:
            assert third is second
    with memories.lent() as fourth:
        assert fourth is first
