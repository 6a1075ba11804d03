"""A source is asked evenly, no more than a day's calls, and not at all while it wants to be left alone."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.errors import SourceRefused
from shared.sources.allowance import Allowance, OwnBudget
from tests.etrade.world import SteadyClock

NOON = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 11, 4, 0, tzinfo=UTC)


def opened(clock: SteadyClock, *, per_day: int = 100, budget: OwnBudget | None = None) -> Allowance:
    """Make an allowance of one call every two seconds."""
    return Allowance("made", clock=clock, per_minute=30, per_day=per_day, budget=budget)


def test_calls_leave_evenly() -> None:
    """The first call leaves at once, each further one two seconds after the one before."""
    clock = SteadyClock(NOON)
    allowance = opened(clock)
    left = []
    for _ in range(4):
        allowance.take()
        left.append(clock.now())
    assert left == [NOON + timedelta(seconds=2 * at) for at in range(4)]


def test_a_day_has_so_many_calls() -> None:
    """The call after the day's last is refused until midnight in New York, and not sent; then they begin anew."""
    clock = SteadyClock(NOON)
    allowance = opened(clock, per_day=3)
    for _ in range(3):
        allowance.take()
    with pytest.raises(SourceRefused) as refused:
        allowance.take()
    assert refused.value.wait_s == (MIDNIGHT - clock.now()).total_seconds()
    clock.at = MIDNIGHT
    allowance.take()


def test_a_budget_is_shared() -> None:
    """Two allowances over one budget have the day's calls together; each source has its own."""
    budget, clock = OwnBudget(), SteadyClock(NOON)
    opened(clock, per_day=2, budget=budget).take()
    opened(clock, per_day=2, budget=budget).take()
    with pytest.raises(SourceRefused):
        opened(clock, per_day=2, budget=budget).take()
    assert budget.spend("another", date(2026, 3, 10)) == 1
    opened(clock, per_day=2).take()  # seeded mistake: with a budget of its own it asks on


@pytest.mark.parametrize(
    ("retry_after", "reset", "wait_s"),
    [
        ("30", None, 30),
        ("Tue, 10 Mar 2026 16:05:00 GMT", None, 300),
        ("0", None, 1),
        ("soon", None, 60),
        (None, str(int(NOON.timestamp()) + 45), 45),
        (None, "later", 60),
        (None, None, 60),
        ("9" * 30, None, 24 * 3600),
    ],
)
def test_a_refusal_is_believed(retry_after: str | None, reset: str | None, wait_s: float) -> None:
    """A Retry-After in seconds or as a date counts, else the reset, else a minute; a day at most."""
    clock = SteadyClock(NOON)
    allowance = opened(clock)
    assert allowance.refused(retry_after, reset).wait_s == wait_s
    with pytest.raises(SourceRefused) as still:
        allowance.take()
    assert still.value.wait_s == wait_s
    clock.at += timedelta(seconds=wait_s)
    allowance.take()


def test_refusals_that_go_on_wait_longer() -> None:
    """Each refusal without a time doubles the rest, up to an hour; an answer forgets them."""
    clock = SteadyClock(NOON)
    allowance = opened(clock)
    waits = []
    for _ in range(8):
        waits.append(allowance.refused(None).wait_s)
        clock.at += timedelta(hours=2)
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    allowance.answered()
    assert allowance.refused(None).wait_s == 60


def test_what_rests_spends_nothing() -> None:
    """A call that the rest refuses does not count for the day."""
    clock, budget = SteadyClock(NOON), OwnBudget()
    allowance = opened(clock, budget=budget)
    allowance.refused("60")
    for _ in range(5):
        with pytest.raises(SourceRefused):
            allowance.take()
    assert budget.spend("made", date(2026, 3, 10)) == 1
