"""A back-test's day of a market: what it shows, and that it shows nothing early."""

from datetime import timedelta

from infra.backtest.day import Resolution
from infra.backtest.quoted import tick_day
from infra.brokersim.market import open_market
from shared.domain.base.calendar import session_of


def test_a_day_has_each_second_of_its_session_once() -> None:
    """A market's session is 23,400 instants from the open on, and can be played again."""
    market = open_market("generated", seed=1)
    session = session_of(market.day)
    assert session is not None
    day = tick_day(market, session, market.symbols[:1], {}, source="generated")
    ticks = list(day.ticks())
    assert day.resolution is Resolution.TICK
    assert [tick.at for tick in ticks] == [session.opens_at + timedelta(seconds=second) for second in range(23_400)]
    assert list(day.ticks()) == ticks


def test_a_quote_is_what_the_market_showed_last() -> None:
    """At each instant a quote has the figures of the last row until then, and says when that was."""
    market = open_market("generated", seed=2)
    session = session_of(market.day)
    assert session is not None
    symbol = market.symbols[1]
    for tick in list(tick_day(market, session, [symbol], {}, source="generated").ticks())[::977]:
        row, quote = market.quote(symbol, tick.at), tick.quotes[symbol]
        assert row is not None
        assert (quote.bid, quote.ask_size, quote.last, quote.day_volume) == (
            row.bid, row.ask_size, row.last, row.day_volume,
        )  # fmt: skip
        assert quote.at == row.at <= tick.at == quote.received_at
        assert quote.traded_at is not None
        assert quote.traded_at <= quote.at
