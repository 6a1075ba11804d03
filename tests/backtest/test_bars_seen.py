"""A session that is known by its bars is seen as one that was watched each second, at the end of each minute."""

from typing import cast

from infra.backtest.minutes import as_minutes
from infra.backtest.quoted import tick_day
from infra.brokersim.market import open_market
from shared.domain.market.daybook import DayBook
from shared.domain.market.quality import Sound
from shared.strategies.watch import Watch
from tests.backtest.made import session


def test_bars_show_what_watching_each_second_shows() -> None:
    """At each minute's end bars, indicators, opening range and extremes are those of whoever looked each second."""
    market = open_market("generated", seed=2)
    symbol = market.symbols[1]
    quoted = tick_day(market, session(market.day), [symbol], {}, source="generated")
    seconds, minutes = (Watch(symbol, DayBook(quoted.session), None) for _ in range(2))
    ticks = {tick.at: tick.quotes[symbol] for tick in quoted.ticks()}
    watched = {}
    for at, quote in ticks.items():
        high, low = seconds.book.session_high, seconds.book.session_low
        seen = seconds.see(cast(Sound, quote), at)
        watched[at] = (tuple(seen.bars[-30:]), len(seen.bars), seen.indicators, seen.opening_range, high, low)
    for tick in list(as_minutes(quoted).ticks())[:-1]:
        minutes.take(tick.bars[symbol])
        seen = minutes.view(cast(Sound, tick.quotes[symbol]), tick.at)
        shown = (tuple(seen.bars[-30:]), len(seen.bars), seen.indicators, seen.opening_range)
        assert (*shown, seen.session_high, seen.session_low) == watched[tick.at]
    assert minutes.book.day_volume == sum(bar.volume for bar in minutes.book.all_bars)


def test_a_book_of_bars_has_no_minute_that_runs() -> None:
    """Of a session that is known by bars all bars are whole ones."""
    market = open_market("generated", seed=2)
    symbol = market.symbols[1]
    day = as_minutes(tick_day(market, session(market.day), [symbol], {}, source="generated"))
    book, bars = DayBook(day.session), [tick.bars[symbol] for tick in day.ticks()]
    for bar in bars:
        book.take(bar)
    assert book.all_bars == book.bars == bars
