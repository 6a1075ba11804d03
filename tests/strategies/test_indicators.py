"""Every indicator is that of TA-Lib's batch function over the same bars, whatever the bars are, to the last bit."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.brokersim.recorded import RecordedMarket
from shared.domain.base.calendar import session_of
from shared.domain.market.bars import Bar
from shared.domain.market.daybook import MINUTE, DayBook
from shared.strategies.indicators import Indicators
from shared.strategies.rolling import Atr, Rolled, Rolling, VolumeRatio, daily_means, rsi
from shared.strategies.view import LongerBars
from tests.domain.made import OPENS, at, quote
from tests.recorded import market_data_folder
from tests.strategies.rolled import UNKNOWN, differences, rolled

MOVES = st.tuples(st.integers(-40, 40), st.integers(0, 30), st.integers(0, 30), st.integers(0, 5000), st.integers(1, 3))
DAYS = ("2013-10-07", *(pytest.param(f"2013-10-0{day}", marks=pytest.mark.days) for day in (8, 9)))


def bar(minute: int, close: str, *, high: str | None = None, low: str | None = None, volume: int = 100) -> Bar:
    price = Decimal(close)
    return Bar(
        end=at(minute + 1), open=price, high=Decimal(high or close), low=Decimal(low or close), close=price,
        volume=volume,
    )  # fmt: skip


def walked(moves: Sequence[tuple[int, int, int, int, int]]) -> list[Bar]:
    """Give minutes of a walk in cents; a step of two or three minutes leaves some out."""
    price, end, made = 10_000, OPENS, list[Bar]()
    for move, above, below, volume, step in moves:
        before, price, end = price, price + move, end + step * MINUTE
        high, low = max(before, price) + above, min(before, price) - below
        opened, top, bottom, close = (Decimal(cents) / 100 for cents in (before, high, low, price))
        made.append(Bar(end=end, open=opened, high=top, low=bottom, close=close, volume=volume * (volume > 500)))
    return made


@settings(max_examples=60, deadline=None)
@given(st.lists(MOVES, min_size=1, max_size=390))
def test_each_bar_s_indicators_are_those_of_the_batch(moves: list[tuple[int, int, int, int, int]]) -> None:
    """After every minute of a walk with gaps and minutes without volume, each value is the batch's."""
    assert differences(walked(moves)) == []


@pytest.mark.parametrize("day", DAYS)
def test_a_recorded_day_s_indicators_are_those_of_the_batch(day: str) -> None:
    """After every minute of each symbol of a recorded day, each value is the batch's."""
    session = session_of(date.fromisoformat(day))
    assert session is not None
    market = RecordedMarket(market_data_folder(os.environ) / f"{day}.csv.gz")
    for symbol in market.symbols:
        book, now = DayBook(session), session.opens_at
        while now < session.closes_at:
            row = market.quote(symbol, now)
            if row is not None:
                book.observe(quote(str(row.last), volume=row.day_volume, when=now), now)
            now += timedelta(seconds=20)
        assert len(book.bars) > 380
        assert differences(book.bars) == [], symbol


def forgets_a_bar(bars: Sequence[Bar]) -> Iterator[Indicators]:
    for count, found in enumerate(rolled(bars)):
        yield found if count < 60 else replace(found, rsi=50.0)


def rounds_its_sum(bars: Sequence[Bar]) -> Iterator[Indicators]:
    for found in rolled(bars):
        yield replace(found, vwap=found.vwap and found.vwap.quantize(Decimal("0.0001")))


def begins_with_its_first_close(bars: Sequence[Bar]) -> Iterator[Indicators]:
    mean = float(bars[0].close)
    for one, found in zip(bars, rolled(bars), strict=True):
        mean += (float(one.close) - mean) * 2 / 13
        yield replace(found, ema_12=found.ema_12 and Decimal(repr(mean)).quantize(Decimal("0.000001")))


@pytest.mark.parametrize(
    ("mistake", "name"), [(forgets_a_bar, "rsi"), (rounds_its_sum, "vwap"), (begins_with_its_first_close, "ema_12")]
)
def test_another_value_would_be_found(mistake: object, name: str) -> None:
    """The same comparison finds an indicator that is carried in another way."""
    bars = walked([(count * 37 % 61 - 30, 3, 4, 700 + count, 1) for count in range(120)])
    found = differences(bars, mistake)  # type: ignore[arg-type]
    assert found
    assert all(one.startswith(name) for one in found)


def test_a_minute_costs_no_look_at_those_before() -> None:
    """Once taken, earlier minutes are not read again: what is left of them may be anything."""
    bars = walked([(count * 37 % 61 - 30, 3, 4, 700 + count, 1) for count in range(200)])
    expected = list(rolled(bars))
    rolling, seen, fives = Rolling(), list[Bar](), 0
    longer = LongerBars(seen, OPENS)
    for one, right in zip(bars, expected, strict=True):
        seen[:] = [bar(0, "1")] * len(seen)
        seen.append(one)
        rolling.add(one)
        for five in longer.of(5)[fives:]:
            rolling.add_five(five)
            fives += 1
        assert rolling.indicators(UNKNOWN) == right


def test_a_figure_is_the_same_however_who_reads_it_first_reckons() -> None:
    """A figure in USD is made when it is read, as we round it: for whoever reads it first, and for all after that."""
    rolling = Rolling()
    for one in walked([(count * 37 % 61 - 30, 3, 4, 700 + count, 1) for count in range(60)]):
        rolling.add(one)
    found, again = rolling.indicators(UNKNOWN), rolling.indicators(UNKNOWN)
    with localcontext() as careless:
        careless.prec, careless.rounding = 8, ROUND_DOWN
        first = (found.vwap, found.ema_12, found.macd_histogram, found.bollinger_upper)
    assert first == (again.vwap, again.ema_12, again.macd_histogram, again.bollinger_upper)
    assert found == again


def last(one: Rolled, closes: Sequence[float]) -> object:
    for close in closes:
        one.add(float(close))
    return one.value


def test_rsi_needs_fifteen_bars_and_knows_its_ends() -> None:
    """RSI 14 is unknown on 14 bars, 100 on a steady rise, 0 on a steady fall."""
    assert last(rsi(), range(100, 114)) is None
    assert last(rsi(), range(100, 115)) == 100.0
    assert last(rsi(), range(100, 85, -1)) == 0.0


def test_rsi_is_wilders() -> None:
    """RSI 14 equals Wilder's smoothing computed by hand."""
    closes = [100 + (minute * 7 % 11) for minute in range(40)]
    changes = [after - before for before, after in pairwise(closes)]
    up = sum(max(change, 0) for change in changes[:14]) / 14
    down = sum(max(-change, 0) for change in changes[:14]) / 14
    for change in changes[14:]:
        up, down = (up * 13 + max(change, 0)) / 14, (down * 13 + max(-change, 0)) / 14
    assert last(rsi(), closes) == pytest.approx(100 * up / (up + down))


def test_volume_ratio_compares_with_the_twenty_bars_before() -> None:
    """The ratio is the last bar over the mean of the 20 before it, unknown on fewer or empty ones."""
    ratio, empty = VolumeRatio(), VolumeRatio()
    for _ in range(20):
        ratio.add(100)
        empty.add(0)
    values = [ratio.value]
    ratio.add(150)
    empty.add(100)
    assert [*values, ratio.value, empty.value] == [None, Decimal("1.5"), None]


def test_atr_falls_back_to_the_mean_true_range() -> None:
    """With 3 to 14 bars the ATR is the mean true range, gaps included; with fewer it is unknown."""
    atr = Atr()
    atr.add(bar(0, "100", high="101", low="99"))
    atr.add(bar(5, "103", high="103", low="102"))
    assert atr.value is None
    atr.add(bar(10, "103", high="104"))
    assert atr.value == Decimal(2 + 3 + 1) / 3


def test_atr_is_wilders_from_fifteen_bars() -> None:
    """With bars of equal range the smoothed ATR is that range."""
    atr = Atr()
    for minute in range(15):
        atr.add(bar(minute, "100", high="100.30", low="99.90"))
    assert atr.value == Decimal("0.400000")


def test_vwap_is_unknown_while_nothing_has_traded() -> None:
    """VWAP is None without volume, then the mean typical price by the shares traded at it."""
    bars = [bar(0, "90", volume=0), bar(1, "100", high="103", low="97", volume=10), bar(2, "104", volume=30)]
    assert [one.vwap for one in rolled(bars)] == [None, Decimal(100), Decimal(103)]


def test_obv_begins_with_the_first_minute_s_volume() -> None:
    """OBV adds a rising minute's shares, takes a falling one's off, and leaves an equal one out."""
    closes = ("100", "101", "101", "99")
    bars = [bar(minute, close, volume=10 * (minute + 1)) for minute, close in enumerate(closes)]
    assert [one.obv for one in rolled(bars)] == [10, 30, 30, -10]


@pytest.mark.parametrize(("days", "known"), [(0, 0), (19, 0), (20, 1), (50, 2), (199, 2), (200, 3), (250, 3)])
def test_daily_means_are_those_of_the_last_days(days: int, known: int) -> None:
    """SMA 20, 50 and 200 are the plain means of so many last closes, unknown where there are fewer."""
    closes = [Decimal(100) + Decimal(count * 37 % 101) / 100 for count in range(days)]
    expected = [sum(closes[-span:], Decimal(0)) / span if days >= span else None for span in (20, 50, 200)]
    found = daily_means(closes)
    assert sum(one is not None for one in found) == known
    assert found == tuple(None if one is None else one.quantize(Decimal("0.000001")) for one in expected)
