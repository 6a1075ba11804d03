"""Daily bars from before the day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from infra.local.history import MarketHistory
from shared.domain.bars import DailyBar


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    date: date
    open: Decimal = Decimal(1)
    high: Decimal = Decimal(3)
    low: Decimal = Decimal("0.5")
    close: Decimal = Decimal(2)
    volume: int = 100


def test_bars_end_before_the_day() -> None:
    """The last bars strictly before the asked day come oldest first, and an unknown symbol has none."""
    history = MarketHistory.of({"AAPL": [_Row(date=date(2013, 10, day)) for day in (4, 1, 3, 2, 7, 8)]})
    found = history.daily("AAPL", before=date(2013, 10, 7), count=3)
    assert [bar.day.day for bar in found] == [2, 3, 4]
    assert found[0] == DailyBar(
        day=date(2013, 10, 2),
        open=Decimal(1),
        high=Decimal(3),
        low=Decimal("0.5"),
        close=Decimal(2),
        volume=100,
    )
    assert len(history.daily("AAPL", before=date(2013, 10, 9), count=99)) == 6
    assert history.daily("AAPL", before=date(2013, 10, 1), count=9) == ()
    assert history.daily("AAPL", before=date(2013, 10, 9), count=0) == ()
    assert history.daily("MSFT", before=date(2013, 10, 9), count=9) == ()
