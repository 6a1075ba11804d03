"""The days after the generated day: one market that leads on."""

from datetime import date, time
from itertools import pairwise

import numpy as np

from infra.brokersim.generated import GENERATED_DAY
from infra.brokersim.generated_days import GeneratedDays
from infra.brokersim.market import open_market
from infra.brokersim.tape import dollars, new_york
from shared.domain.base.calendar import NEW_YORK, session_of

SYMBOLS = ("IBM", "ZXAA", "AAPL")


def sessions(count: int) -> list[tuple[date, time]]:
    days = [one for one in map(session_of, _dates(count * 2)) if one is not None][:count]
    return [(one.day, one.closes_at.astimezone(NEW_YORK).time()) for one in days]


def _dates(count: int) -> list[date]:
    first = GENERATED_DAY.toordinal()
    return [date.fromordinal(first + after) for after in range(count)]


def test_the_first_day_is_the_generated_day() -> None:
    """A span begins with exactly the day that `generated` is alone."""
    alone = open_market("generated", seed=3)
    day = next(GeneratedDays(3, SYMBOLS).days(sessions(1)))
    begin, end = new_york(GENERATED_DAY, time(8)), new_york(GENERATED_DAY, time(17))
    for symbol in SYMBOLS:
        assert list(day.rows(symbol, begin, end)) == list(alone.rows(symbol, begin, end))
        assert day.previous_close(symbol) == alone.previous_close(symbol)


def test_each_day_begins_at_the_close_of_the_one_before() -> None:
    """The previous close of a day is the last price of the day before, and so is its last daily bar."""
    days = GeneratedDays(4, SYMBOLS)
    for before, day in pairwise(days.days(sessions(4))):
        for symbol in SYMBOLS:
            last = before.quote(symbol, new_york(before.day, time(15, 59, 59)))
            assert last is not None
            assert day.previous_close(symbol) == last.last == days.history[symbol][-1].close
            assert days.history[symbol][-1].date == before.day


def test_equal_seeds_give_equal_days_and_a_symbol_needs_no_other() -> None:
    """A symbol's days are the same alone and among others, and others for another seed."""
    many, one, other = (
        [list(day.minutes("IBM", 390)) for day in GeneratedDays(seed, symbols).days(sessions(3))]
        for seed, symbols in ((5, SYMBOLS), (5, ("IBM",)), (6, ("IBM",)))
    )
    assert many == one != other


def test_minutes_are_those_of_the_seconds() -> None:
    """A minute's bar has the first, highest, lowest and last price shown at its seconds, and their volume."""
    day = list(GeneratedDays(7, SYMBOLS).days(sessions(2)))[1]
    seconds = [day.quote("ZXAA", new_york(day.day, time(10, 15, second))) for second in range(60)]
    before = day.quote("ZXAA", new_york(day.day, time(10, 14, 59)))
    assert before is not None
    prices = [row.last for row in seconds if row is not None]
    *bar, volume = list(day.minutes("ZXAA", 390))[45]
    assert [dollars(price) for price in bar] == [prices[0], max(prices), min(prices), prices[-1]]
    assert seconds[-1] is not None
    assert volume == seconds[-1].day_volume - before.day_volume


def test_a_year_stays_a_market() -> None:
    """Over a hundred sessions the symbols spread around no change, none of them runs away."""
    days = GeneratedDays(8, SYMBOLS)
    first = {symbol: bars[-1].close for symbol, bars in days.history.items()}
    for _ in days.days(sessions(100)):
        pass
    moved = [float(np.log(float(days.history[symbol][-1].close / first[symbol]))) for symbol in SYMBOLS]
    assert max(map(abs, moved)) < 1.0
