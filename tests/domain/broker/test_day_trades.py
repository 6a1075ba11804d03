"""Day trades: counted from the broker's list, never fewer than there were."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from shared.domain.base.values import Side, Term
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.domain.broker.day_trades import DayTradeRule, earlier, purchases, rule_on, sessions_before, standing

MONDAY = date(2013, 10, 7)
DAYS = sessions_before(MONDAY)


def row(side: Side | None, day: date = MONDAY, *, symbol: str | None = "IBM", filled: int | None = 10) -> BrokerOrder:
    """Give an order of ten shares that was placed at noon of a day and executed."""
    return BrokerOrder(
        order_id=1, symbol=symbol, side=side, quantity=10, filled=filled, average_price=None, price_type=None,
        term=Term.GOOD_FOR_DAY, limit_price=None, stop_price=None, status=BrokerStatus.EXECUTED,
        placed_at=datetime(day.year, day.month, day.day, 16, tzinfo=UTC),
    )  # fmt: skip


BUY, SELL = row(Side.BUY), row(Side.SELL)


def test_five_sessions_are_today_and_the_four_before() -> None:
    """Days of rest do not count: before a Monday come the Friday and the three days before it."""
    assert sessions_before(MONDAY) == (date(2013, 10, 1), date(2013, 10, 2), date(2013, 10, 3), date(2013, 10, 4))
    assert sessions_before(date(2013, 9, 3))[-1] == date(2013, 8, 30)


def test_a_buy_of_an_earlier_day_that_still_stands_may_become_one_today() -> None:
    """An owner's buy until cancelled that stood this morning counts, for the day's own list does not show it."""
    stands = replace(row(Side.BUY, DAYS[3], filled=0), term=Term.GOOD_UNTIL_CANCEL, status=BrokerStatus.OPEN)
    assert standing([stands], MONDAY) == 1
    assert standing([replace(stands, side=None)], MONDAY) == 1
    assert standing([replace(stands, side=Side.SELL)], MONDAY) == 0
    assert (
        standing([replace(stands, status=BrokerStatus.CANCELLED), replace(stands, term=Term.GOOD_FOR_DAY)], MONDAY) == 0
    )
    assert standing([replace(stands, placed_at=row(Side.BUY).placed_at)], MONDAY) == 0


@pytest.mark.parametrize(
    ("sides", "count"),
    [
        ("", 0), ("B", 0), ("S", 0), ("BS", 1), ("SB", 1), ("BSS", 1), ("BBS", 1), ("BSBS", 2), ("BBSS", 2),
        ("?", 0), ("??", 1), ("B?", 1), ("S?", 1), ("BS?", 1), ("BB??", 2), ("B??", 1), ("BS??", 2), ("????", 2),
    ],
)  # fmt: skip
def test_pairs_are_counted(sides: str, count: int) -> None:
    """Each purchase with a sale is one day trade, and a row without a side counts as what makes more of them."""
    kinds = {"B": Side.BUY, "S": Side.SELL, "?": None}
    assert earlier([row(kinds[side], DAYS[0]) for side in sides], DAYS) == count


def test_only_one_symbol_and_one_day_make_a_day_trade() -> None:
    """A purchase and a sale of two symbols or of two days are none; nor are those of a day that does not count."""
    assert earlier([row(Side.BUY, DAYS[0]), row(Side.SELL, DAYS[0], symbol="GE")], DAYS) == 0
    assert earlier([row(Side.BUY, DAYS[0]), row(Side.SELL, DAYS[1])], DAYS) == 0
    assert earlier([BUY, SELL], DAYS) == 0
    old = DAYS[0] - timedelta(days=1)
    assert earlier([row(Side.BUY, old), row(Side.SELL, old)], DAYS) == 0


def test_what_did_not_fill_is_none_and_what_may_have_filled_is_one() -> None:
    """An order without a filled share counts nothing; one whose filled shares cannot be read counts."""
    bought = row(Side.BUY, DAYS[0])
    assert earlier([bought, row(Side.SELL, DAYS[0], filled=0)], DAYS) == 0
    assert earlier([bought, row(Side.SELL, DAYS[0], filled=None)], DAYS) == 1


def test_an_order_that_outlives_its_day_may_have_filled_on_a_later_one() -> None:
    """A sale that rested from an earlier day on, and one of no known day, count with a purchase of each day since."""
    rested = replace(row(Side.SELL, DAYS[0]), term=Term.GOOD_UNTIL_CANCEL)
    assert earlier([rested, row(Side.BUY, DAYS[2])], DAYS) == 1
    assert earlier([replace(rested, term=None), row(Side.BUY, DAYS[2])], DAYS) == 1
    assert earlier([row(Side.BUY, DAYS[0]), replace(row(Side.SELL, DAYS[1]), term=rested.term)], DAYS) == 0
    assert earlier([replace(SELL, placed_at=None), row(Side.BUY, DAYS[3])], DAYS) == 1


def test_todays_purchases_that_filled_or_still_may_are_counted() -> None:
    """Held or sold, filled or working, a purchase of today counts once; one that ended without a share does not."""
    working = replace(BUY, filled=0, status=BrokerStatus.OPEN)
    assert purchases([BUY, SELL, working], MONDAY) == 2
    assert purchases([replace(working, status=BrokerStatus.CANCEL_REQUESTED)], MONDAY) == 1
    assert purchases([replace(working, status=None), replace(BUY, filled=None), replace(BUY, side=None)], MONDAY) == 3
    assert purchases([replace(BUY, filled=4, status=BrokerStatus.CANCELLED)], MONDAY) == 1
    for over in (BrokerStatus.CANCELLED, BrokerStatus.EXPIRED, BrokerStatus.REJECTED):
        assert purchases([replace(BUY, filled=0, status=over)], MONDAY) == 0
    assert purchases([row(Side.BUY, DAYS[0])], MONDAY) == 0


@pytest.mark.parametrize(
    ("day", "chosen", "rule"),
    [
        (date(2026, 6, 3), DayTradeRule.INTRADAY_MARGIN, DayTradeRule.LEGACY_PDT),
        (date(2026, 6, 4), DayTradeRule.INTRADAY_MARGIN, DayTradeRule.INTRADAY_MARGIN),
        (date(2027, 10, 21), DayTradeRule.LEGACY_PDT, DayTradeRule.LEGACY_PDT),
        (date(2013, 10, 7), DayTradeRule.OFF, DayTradeRule.OFF),
    ],
)
def test_a_rule_has_its_days(day: date, chosen: DayTradeRule, rule: DayTradeRule) -> None:
    """The new rule applies from 2026-06-04 on, the old one as long as the owner says so."""
    assert rule_on(day, chosen) is rule


def test_no_order_of_rows_hides_a_day_trade() -> None:
    """Over a thousand seeded weeks the count is at least the number of times that a purchase was sold on its day."""
    for seed in range(1000):
        chance, rows, truth = Random(f"week/{seed}"), [], 0
        for _ in range(chance.randint(0, 12)):
            day, symbol = chance.choice(DAYS), chance.choice(("IBM", "GE"))
            bought = row(Side.BUY, day, symbol=symbol)
            sold = row(Side.SELL, day, symbol=symbol)
            kind = chance.choice(("day trade", "held", "sold", "unread"))
            truth += kind in ("day trade", "unread")
            rows += {
                "day trade": [bought, sold], "held": [bought], "sold": [sold],
                "unread": [replace(bought, filled=None, term=None), replace(sold, side=None)],
            }[kind]  # fmt: skip
        chance.shuffle(rows)
        assert earlier(rows, DAYS) >= truth, seed
