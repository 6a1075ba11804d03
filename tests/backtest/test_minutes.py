"""A session as bars of a minute."""

from datetime import timedelta
from decimal import Decimal

from infra.backtest.day import Resolution
from infra.backtest.minutes import as_minutes
from infra.backtest.quoted import tick_day
from infra.brokersim.market import open_market
from shared.domain.market.quality import faults
from tests.backtest.made import at, bar, day_of, session


def test_a_bar_is_shown_when_it_is_over() -> None:
    """Each instant is the end of a minute and has the bars that ended there, and the shares of the day so far."""
    day = day_of([bar(0, "100 101 99 100", volume=1000), bar(2, "100 100 100 100.5", volume=500)])
    ticks = list(day.ticks())
    assert day.resolution is Resolution.MINUTE
    assert [tick.at for tick in ticks] == [at(minute) for minute in range(1, 391)]
    assert [sorted(tick.bars) for tick in ticks[:4]] == [["IBM"], [], ["IBM"], []]
    quote = ticks[2].quotes["IBM"]
    assert (quote.last, quote.day_volume, quote.previous_close) == (Decimal("100.5"), 1500, Decimal(100))
    assert faults(quote, now=at(3), max_age_s=1) == ()
    assert all(sorted(tick.bars) == sorted(tick.quotes) for tick in ticks)


def test_a_bar_without_volume_is_no_quote_to_act_on() -> None:
    """Of a bar in which nobody traded there is a price, and nothing bid or offered."""
    tick = next(day_of([bar(0, "100 100 100 100", volume=0)]).ticks())
    assert faults(tick.quotes["IBM"], now=tick.at, max_age_s=1) == ("NO_SIZE",)


def test_a_quoted_days_minutes_are_those_of_its_seconds() -> None:
    """Of one-second quotes the bars are first, highest, lowest and last price of each minute, and its shares."""
    market = open_market("generated", seed=1)
    symbol = market.symbols[1]
    quoted = tick_day(market, session(market.day), [symbol], {}, source="generated")
    seconds = [tick.quotes[symbol] for tick in quoted.ticks()]
    for minute, tick in enumerate(as_minutes(quoted).ticks()):
        own = [quote.last for quote in seconds[minute * 60 : minute * 60 + 60]]
        made = tick.bars[symbol]
        assert made.end == tick.at == quoted.session.opens_at + timedelta(minutes=minute + 1)
        assert (made.open, made.high, made.low, made.close) == (own[0], max(own), min(own), own[-1])
        assert made.volume == seconds[minute * 60 + 59].day_volume - seconds[max(minute * 60 - 1, 0)].day_volume
