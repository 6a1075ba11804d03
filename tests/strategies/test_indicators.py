"""Every indicator is that of TA-Lib's batch function over the same bars, to the last bit, whenever it is read."""

import os
import pickle
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal, localcontext
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.brokersim.recorded import RecordedMarket
from shared.domain.base.calendar import session_of
from shared.domain.market.bars import Bar
from shared.domain.market.daybook import MINUTE, DayBook
from shared.strategies.indicators import Indicators
from shared.strategies.rolling import Rolled, daily_means, rsi, volume_ratio
from tests.domain.made import OPENS, at, quote
from tests.recorded import market_data_folder
from tests.strategies.rolled import UNKNOWN, batch, differences, over, rolled

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


def says_what_is_now(bars: Sequence[Bar]) -> Iterator[Indicators]:
    kept = list(rolled(bars))
    for found in kept:
        yield replace(found, obv=kept[-1].obv)


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        (forgets_a_bar, "rsi"), (rounds_its_sum, "vwap"), (begins_with_its_first_close, "ema_12"),
        (says_what_is_now, "obv"),
    ],
)  # fmt: skip
def test_another_value_would_be_found(mistake: object, name: str) -> None:
    """The same comparison finds an indicator that is carried in another way."""
    bars = walked([(count * 37 % 61 - 30, 3, 4, 700 + count, 1) for count in range(120)])
    found = differences(bars, mistake)  # type: ignore[arg-type]
    assert found
    assert all(one.startswith(name) for one in found)


NAMES = tuple(one.name for one in fields(Indicators))
MEANS = ("sma_20", "sma_50", "sma_200")


@settings(max_examples=60, deadline=None)
@given(
    moves=st.lists(MOVES, min_size=1, max_size=390),
    reads=st.lists(st.tuples(st.integers(0, 389), st.integers(0, 389), st.sampled_from(NAMES)), max_size=40),
)
def test_a_figure_is_that_of_its_minute_whenever_it_is_read(
    moves: list[tuple[int, int, int, int, int]], reads: list[tuple[int, int, str]]
) -> None:
    """Read seldom, minutes late, before or after that of a later minute: a figure is the batch's at its own minute."""
    bars = walked(moves)
    expected, seen, kept = batch(bars) | dict.fromkeys(MEANS, [None] * len(bars)), list[Bar](), list[Indicators]()
    rolling = over(seen, OPENS)
    for now, one in enumerate(bars):
        seen.append(one)
        kept.append(rolling.indicators(UNKNOWN))
        for read, late, name in reads:
            if read == now and late <= now:
                assert repr(getattr(kept[now - late], name)) == repr(expected[name][now - late])


def test_a_minute_costs_no_look_at_those_before() -> None:
    """Once read, minutes before the last forty are not read again: what is left of them may be anything."""
    bars = walked([(count * 37 % 61 - 30, 3, 4, 700 + count, 1) for count in range(200)])
    expected = list(rolled(bars))
    seen = list[Bar]()
    rolling = over(seen, OPENS)
    for one, right in zip(bars, expected, strict=True):
        seen[:-40] = [bar(0, "1")] * len(seen[:-40])
        seen.append(one)
        assert rolling.indicators(UNKNOWN) == right


class Counted(Sequence[Bar]):
    """Minutes that count how many of them were looked at."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        self._bars, self.looks = bars, 0

    def __len__(self) -> int:
        return len(self._bars)

    def __getitem__(self, place: Any) -> Any:
        found = self._bars[place]
        self.looks += len(found) if isinstance(place, slice) else 1
        return found


def test_what_nobody_reads_costs_nothing_and_is_kept_nowhere() -> None:
    """Of a minute that nobody reads the last bar alone is looked at; a figure takes each bar once, however late."""
    bars = Counted(walked([(count * 37 % 61 - 30, 3, 4, 700 + count, 1) for count in range(390)]))
    rolling = over(bars, OPENS)
    looked = [rolling.indicators(UNKNOWN) for _ in range(10)]
    assert bars.looks == 10
    assert {looked[-1].rsi, looked[-1].rsi} == {looked[0].rsi}
    assert bars.looks == 10 + 390


def test_a_figure_is_the_same_however_who_reads_it_first_reckons() -> None:
    """A figure is made when it is read, as we reckon: for whoever reads it first, and for all after that."""
    for count in (20, 200):
        seen = walked([(count * 37 % 61 - 30, 3, 4, 701 + count, 1) for count in range(count)])
        found, again = (over(seen, OPENS).indicators(UNKNOWN) for _ in range(2))
        with localcontext() as careless:
            careless.prec, careless.rounding = 3, ROUND_DOWN
            first = [getattr(found, name) for name in NAMES]
        assert first == [getattr(again, name) for name in NAMES]
        assert found == again


def test_a_copy_has_the_figures() -> None:
    """Whoever copies or writes indicators has all figures, also those that nobody had read."""
    found = over(walked([(count * 37 % 61 - 30, 3, 4, 700 + count, 1) for count in range(60)]), OPENS)
    first, again = (found.indicators(UNKNOWN) for _ in range(2))
    assert deepcopy(first) == pickle.loads(pickle.dumps(first)) == again  # noqa: S301 - written a moment before


def last(one: Rolled, closes: Sequence[float]) -> object:
    return one.of([bar(minute, str(close)) for minute, close in enumerate(closes)], len(closes))


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
    traded = [bar(minute, "100", volume=100 if minute < 20 else 150) for minute in range(21)]
    empty = [replace(one, volume=0) for one in traded[:20]]
    found = [volume_ratio(traded[:20], 20), volume_ratio(traded, 21), volume_ratio([*empty, traded[20]], 21)]
    assert found == [None, Decimal("1.5"), None]


def test_atr_falls_back_to_the_mean_true_range() -> None:
    """With 3 to 14 bars the ATR is the mean true range, gaps included; with fewer it is unknown."""
    bars = [bar(4, "100", high="101", low="99"), bar(9, "103", high="103", low="102"), bar(14, "103", high="104")]
    assert [one.atr for one in rolled(bars)] == [None, None, Decimal(2 + 3 + 1) / 3]


def test_atr_is_wilders_from_fifteen_bars() -> None:
    """With bars of equal range the smoothed ATR is that range."""
    bars = [bar(5 * count + 4, "100", high="100.30", low="99.90") for count in range(15)]
    assert [one.atr for one in rolled(bars)][-1] == Decimal("0.400000")


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
