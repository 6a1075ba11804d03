"""Daily bars from before the day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from infra.one_machine.history import MarketHistory
from shared.domain.market.bars import DailyBar


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    date: date
    open: Decimal = Decimal(1)
    high: Decimal = Decimal(3)
    low: Decimal = Decimal("0.5")
    close: Decimal = Decimal(2)
    volume: int = 100


def test_bars_end_before_the_day() -> None:
    """The bars between two days come oldest first, the second day left out; where there are none, nothing does."""
    history = MarketHistory.of({"AAPL": [_Row(date=date(2013, 10, day)) for day in (4, 1, 3, 2, 7, 8)]})
    found = history.daily("AAPL", start=date(2013, 10, 2), before=date(2013, 10, 7))
    assert found is not None
    assert [bar.day.day for bar in found.bars] == [2, 3, 4]
    assert (found.source, found.splits, found.mixed) == ("market", (), False)
    assert found.bars[0] == DailyBar(
        day=date(2013, 10, 2),
        open=Decimal(1),
        high=Decimal(3),
        low=Decimal("0.5"),
        close=Decimal(2),
        volume=100,
    )
    assert history.daily("AAPL", start=date(2013, 9, 1), before=date(2013, 10, 1)) is None
    assert history.daily("AAPL", start=date(2013, 10, 9), before=date(2013, 10, 9)) is None
    assert history.daily("MSFT", start=date(2013, 9, 1), before=date(2013, 10, 9)) is None
