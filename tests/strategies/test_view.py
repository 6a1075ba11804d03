import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.bars import Bar, DailyBar
from shared.domain.daybook import DayBook
from shared.domain.quotes import Quote
from shared.domain.series import Series
from shared.strategies import indicators
from shared.strategies.decide import decide
from shared.strategies.view import Watch, quality
from tests.domain.made import DEFAULT, OPENS, at, quote, session


def bar(minute: int, close: str, *, high: str | None = None, low: str | None = None, volume: int = 100) -> Bar:
    price = Decimal(close)
    return Bar(
        end=at(minute + 1), open=price, high=Decimal(high or close), low=Decimal(low or close), close=price,
        volume=volume,
    )  # fmt: skip


def history(days: int) -> Series:
    one = Decimal(1)
    bars = tuple(
        DailyBar(day=OPENS.date() - timedelta(days=ago), open=one, high=one, low=one, close=one, volume=1)
        for ago in range(days, 0, -1)
    )
    return Series(symbol="IBM", bars=bars, source="file", made="by hand", at=OPENS)


def test_rsi_needs_fifteen_bars_and_knows_its_ends() -> None:
    """RSI 14 is unknown on 14 bars, 100 on a steady rise, 0 on a steady fall."""
    rising = [bar(minute, str(100 + minute)) for minute in range(15)]
    assert indicators.rsi(rising[:14]) is None
    assert indicators.rsi(rising) == 100.0
    assert indicators.rsi([bar(minute, str(100 - minute)) for minute in range(15)]) == 0.0


def test_rsi_is_wilders() -> None:
    """RSI 14 equals Wilder's smoothing computed by hand."""
    closes = [100 + (minute * 7 % 11) for minute in range(40)]
    changes = [after - before for before, after in pairwise(closes)]
    up = sum(max(change, 0) for change in changes[:14]) / 14
    down = sum(max(-change, 0) for change in changes[:14]) / 14
    for change in changes[14:]:
        up, down = (up * 13 + max(change, 0)) / 14, (down * 13 + max(-change, 0)) / 14
    found = indicators.rsi([bar(minute, str(close)) for minute, close in enumerate(closes)])
    assert found == pytest.approx(100 * up / (up + down))


def test_volume_ratio_compares_with_the_twenty_bars_before() -> None:
    """The ratio is the last bar over the mean of the 20 before it, unknown on fewer or empty ones."""
    bars = [bar(minute, "100", volume=100) for minute in range(20)]
    assert indicators.volume_ratio(bars) is None
    assert indicators.volume_ratio([*bars, bar(20, "100", volume=150)]) == Decimal("1.5")
    empty = [bar(minute, "100", volume=0) for minute in range(20)]
    assert indicators.volume_ratio([*empty, bar(20, "100")]) is None


def test_atr_falls_back_to_the_mean_true_range() -> None:
    """With 3 to 14 bars the ATR is the mean true range, gaps included; with fewer it is unknown."""
    bars = [
        bar(0, "100", high="101", low="99"),
        bar(5, "103", high="103", low="102"),
        bar(10, "103", high="104"),
    ]
    assert indicators.atr(bars[:2]) is None
    assert indicators.atr(bars) == Decimal(2 + 3 + 1) / 3


def test_atr_is_wilders_from_fifteen_bars() -> None:
    """With bars of equal range the smoothed ATR is that range."""
    bars = [bar(minute, "100", high="100.30", low="99.90") for minute in range(15)]
    assert indicators.atr(bars) == Decimal("0.400000")


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
    moves=st.lists(st.integers(-30, 32), min_size=40, max_size=120),
    cut=st.integers(1, 119),
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
        assert (one.indicators, one.opening_range) == (other.indicators, other.opening_range)
        assert decide(one, DEFAULT) == decide(other, DEFAULT)
