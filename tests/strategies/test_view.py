import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.market.bars import DailyBar
from shared.domain.market.daybook import DayBook
from shared.domain.market.quotes import Quote
from shared.domain.market.series import Series, Split
from shared.strategies.decide import decide
from shared.strategies.view import quality
from shared.strategies.watch import Watch
from tests.domain.made import DEFAULT, OPENS, at, quote, session
from tests.strategies.seen import USED


def history(days: int) -> Series:
    one = Decimal(1)
    bars = tuple(
        DailyBar(day=OPENS.date() - timedelta(days=ago), open=one, high=one, low=one, close=one, volume=1)
        for ago in range(days, 0, -1)
    )
    return Series(symbol="IBM", bars=bars, source="file", made="by hand", at=OPENS)


@pytest.mark.parametrize(
    ("days", "tier"),
    [
        (0, "0.2"),
        (19, "0.2"),
        (20, "0.6"),
        (49, "0.6"),
        (50, "0.8"),
        (199, "0.8"),
        (200, "1.0"),
        (400, "1.0"),
    ],
)
def test_quality_is_a_matter_of_history(days: int, tier: str) -> None:
    """The quality tier rises at 20, 50 and 200 daily bars; minimal lies below every entry gate."""
    assert quality(days) == Decimal(tier)
    assert (quality(days) >= DEFAULT.signals.quality_min) is (days >= 20)


def test_watch_computes_once_a_minute() -> None:
    """Within a minute the indicators stay the very same object, after it they are new."""
    watch = Watch("IBM", DayBook(session()), history(200))
    first = watch.see(quote(), at(0)).indicators
    assert watch.see(quote(), at(0.9)).indicators is first
    assert watch.see(quote(), at(1)).indicators is not first


def test_view_shows_the_day_so_far() -> None:
    """After a quarter of an hour the range is known, and after five minutes times three the ATR."""
    watch = Watch("IBM", DayBook(session()), history(200))
    seen = watch.see(quote(), at(0))
    for minute in range(1, 17):
        seen = watch.see(quote(f"{100 + minute % 3}.00"), at(minute))
    assert seen.opening_range == (Decimal(100), Decimal(102))
    assert seen.indicators.atr == Decimal(2)
    assert seen.indicators.rsi is not None
    assert watch.rsi(at(16)) == seen.indicators.rsi
    assert len(seen.bars) == 16


def test_view_shows_longer_bars_and_the_session_s_extremes() -> None:
    """Bars of any number of minutes end with their last minute; high and low are of every second since the open."""
    watch = Watch("IBM", DayBook(session()), None)
    seen = watch.see(quote(), at(0))
    for half in range(1, 40):
        seen = watch.see(quote(f"{100 + half % 7}.00"), at(half / 2))
    assert [bar.end for bar in seen.bars_of(7)] == [at(7), at(14)]
    assert seen.bars_of(1) == seen.bars
    assert (seen.session_low, seen.session_high) == (Decimal(100), Decimal(106))
    with pytest.raises(ValueError, match="one minute is the shortest"):
        seen.bars_of(0)


def test_view_shows_the_days_before_in_today_s_shares() -> None:
    """Daily bars, their means and the last close are divided by the splits in force, also where they come later."""
    known = history(60)
    split = Split(day=known.bars[-10].day, ratio=Decimal(2))
    watch = Watch("IBM", DayBook(session()), None)
    assert watch.see(quote(), at(0)).indicators.sma_20 is None
    watch.know(replace(known, splits=(split,)))
    seen = watch.see(quote(), at(0.5))
    assert [(bar.close, bar.volume) for bar in seen.days[49:51]] == [(Decimal("0.5"), 2), (Decimal(1), 1)]
    assert (seen.indicators.sma_20, seen.indicators.sma_50) == (Decimal("0.75"), Decimal("0.6"))
    assert (seen.indicators.sma_200, seen.daily_close) == (None, Decimal(1))


def test_an_rsi_of_old_bars_is_none() -> None:
    """An RSI whose last bar ended more than two minutes ago sells nothing; with the next bars it is known again."""
    watch = Watch("IBM", DayBook(session()), history(200))
    for minute in range(20):
        watch.see(quote(f"{100 - minute}.00"), at(minute))
    assert (watch.rsi(at(21)), watch.rsi(at(21.1))) == (0.0, None)
    watch.see(quote(), at(30))
    assert watch.rsi(at(30)) is None
    watch.see(quote(), at(31))
    assert watch.rsi(at(31)) is not None


def test_only_the_close_of_the_session_before_is_compared_with_the_broker_s() -> None:
    """Daily bars that end earlier say nothing of the previous close."""
    bars = history(60)
    friday = replace(bars, bars=tuple(one for one in bars.bars if one.day.weekday() < 5))
    thursday = replace(friday, bars=friday.bars[:-1])
    seen = [Watch("IBM", DayBook(session()), one).see(quote(), at(0)).prior_close for one in (friday, thursday, None)]
    assert seen == [Decimal(1), None, None]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (quote(when=at(1)), ()),
        (quote(when=at(1), source="yahoo"), ("SOURCE",)),
        (quote(when=at(0.5)), ("OUT_OF_ORDER",)),
        (quote("100", bid="2", ask="1", when=at(0.5)), ("CROSSED", "OUT_OF_ORDER")),
        (None, ("NO_QUOTE",)),
    ],
)
def test_every_fault_of_a_quote_is_named(seen: Quote | None, expected: tuple[str, ...]) -> None:
    """A quote is doubted for what it holds, for coming after a later one, and for not being there."""
    watch = Watch("IBM", DayBook(session()), history(60))
    watch.see(quote(when=at(1)), at(1))
    assert watch.doubt(seen, at(1.1), DEFAULT) == expected


@settings(max_examples=30)
@given(
    moves=st.lists(st.integers(-30, 32), min_size=40, max_size=160),
    cut=st.integers(1, 159),
    step=st.integers(17, 75),
)
def test_restored_watch_decides_as_if_it_had_never_died(moves: list[int], cut: int, step: int) -> None:
    """After a cold start from the stored book every decision equals the one without a cold start."""
    price, now, volume = 10_000, OPENS, 1_000_000
    watch = Watch("IBM", DayBook(session()), history(60))
    again = watch
    for number, move in enumerate(moves):
        if number == cut:
            stored = json.loads(json.dumps(watch.book.to_plain()))
            again = Watch("IBM", DayBook.from_plain(stored, session()), history(60))
        price, now, volume = price + move, now + timedelta(seconds=step), volume + abs(move) * 1000
        tick = quote(f"{Decimal(price) / 100:.2f}", when=now, volume=volume, previous_close="98.00")
        assert watch.doubt(tick, now, DEFAULT) == ()
        if again is not watch:
            assert again.doubt(tick, now, DEFAULT) == ()
        one = watch.see(tick, now)
        other = one if again is watch else again.see(tick, now)
        assert repr(one.indicators) == repr(other.indicators)
        assert (one.opening_range, one.days) == (other.opening_range, other.days)
        assert all(one.bars_of(span) == other.bars_of(span) for span in (1, 5, 15))
        assert decide(one, DEFAULT, USED) == decide(other, DEFAULT, USED)
