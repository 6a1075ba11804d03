"""Where nobody else works the orders, settlement lets what rests meet the market before each of its polls."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from shared.domain.base.values import Side
from shared.usecases.settling.settle import settle
from tests.usecases.bench import START, SYMBOL, Bench, Variant

OFTEN = timedelta(seconds=3)
"""Two seconds and what a poll takes."""
BETWEEN = timedelta(seconds=13)
"""The ten seconds of a minute in which nobody polls, and the first poll of the next one."""


class Meeting:
    """What a desk is given as `meet`: notes when it is called; `says` whether anything rests."""

    def __init__(self, *, says: bool) -> None:
        self.says = says
        self.at: list[datetime] = []
        self.bench = Bench(variant=Variant(settle=lambda desk, **how: settle(replace(desk, meet=self), **how)))
        self.fills_from = datetime.max.replace(tzinfo=START.tzinfo)

    def __call__(self) -> bool:
        """Note it, and let the stop fill when its time has come."""
        now = self.bench.kernel.now()
        self.at.append(now)
        if now >= self.fills_from:
            for stop in self.bench.exchange.live(SYMBOL, Side.SELL):
                self.bench.exchange.fill(stop.order_id, stop.quantity, Decimal("99.00"))
        return self.says

    def hold(self, seconds: float) -> "Meeting":
        """Enter, and hold behind a stop that rests for so long."""
        self.bench.send(self.bench.signal())
        self.bench.run(seconds)
        assert len(self.bench.exchange.live(SYMBOL, Side.SELL)) == 1
        return self


def seldom(meeting: Meeting, minutes: int) -> list[timedelta]:
    """Give the gaps between two meetings that are too long, but one of each minute."""
    gaps = [after - before for before, after in pairwise(meeting.at)]
    long = sorted(gap for gap in gaps if gap > OFTEN)
    return long[: max(0, len(long) - minutes)] + [gap for gap in long if gap > BETWEEN]


def test_a_resting_stop_meets_the_market_every_two_seconds() -> None:
    """While a stop rests and nothing else moves, settlement comes to it every two seconds for fifty of each minute."""
    meeting = Meeting(says=True).hold(300)
    assert len(meeting.at) > 100
    assert seldom(meeting, minutes=5) == []


def test_what_stays_in_motion_is_looked_at_with_a_pause_to_the_last() -> None:
    """While an order neither fills nor ends, no two looks but the last of each settlement follow without a pause."""
    meeting = Meeting(says=False)
    exchange = meeting.bench.exchange
    exchange.entry_fill, exchange.refuses_term, exchange.cancel_takes = 0, True, timedelta(hours=1)
    meeting.bench.send(meeting.bench.signal())
    meeting.bench.run(300)
    assert len(meeting.at) > 100
    hasty = [before for before, after in pairwise(meeting.at) if after - before < timedelta(seconds=1)]
    assert len(hasty) <= 6, hasty  # one each of five ticks, and of the settlement that the order itself woke


def test_a_settlement_that_rests_too_long_is_found() -> None:
    """A settlement that does not know that something rests comes only every five seconds."""
    assert len(seldom(Meeting(says=False).hold(300), minutes=5)) > 20


def test_a_stop_that_fills_at_a_ticks_meeting_is_booked_by_that_tick() -> None:
    """The meeting comes before the list is read: what fills in the gap between two minutes is seen at once."""
    meeting = Meeting(says=True).hold(58)
    meeting.fills_from = START + timedelta(seconds=55)
    meeting.bench.run(6)
    (position,) = meeting.bench.positions()
    assert (position.is_open, meeting.bench.kernel.now() - START) == (False, timedelta(seconds=64))
