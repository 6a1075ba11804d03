"""What becomes of orders on bars: the next bar, a part of its volume, never a price that nobody could have had."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pytest

from infra.backtest.bar_fills import BarFills
from infra.backtest.bar_market import got, paid, touch
from infra.brokersim.market import open_market
from infra.brokersim.orders import Action, Fill, Order, PriceType, Status, Term, Ticket
from shared.domain.base.values import CENT
from shared.domain.market.bars import Bar
from shared.domain.orders.pricing import entry_limit
from shared.strategies.config import load
from tests.backtest.made import at, bar, day_of

QUIET = "100 100 100 100"


def order(kind: PriceType, action: Action = Action.SELL, *, works: datetime, price: str = "", shares: int = 100,
          term: Term = Term.GOOD_FOR_DAY) -> Order:  # fmt: skip
    value = Decimal(price) if price else None
    ticket = Ticket(
        client_order_id="1", symbol="IBM", action=action, quantity=shares, price_type=kind, term=term,
        limit_price=value if kind is PriceType.LIMIT else None, stop_price=value if kind is PriceType.STOP else None,
    )  # fmt: skip
    return Order(
        order_id=1, account_key="A", ticket=ticket, placed_at=works, works_from=works, reserve_price=Decimal(0)
    )


def played(bars: Sequence[Bar], *orders: Order, until: float, cancel: datetime | None = None) -> list[Fill]:
    """Play bars from the second on; an order is entered at the last whole minute before it works."""
    fills: list[Fill] = []
    model, day = BarFills(), day_of(bars)
    model.begin(day, open_market("generated", seed=1), lambda _, fill: fills.append(fill))
    for tick in day.ticks():
        if tick.at > at(until):
            break
        model.show(tick)
        for one in orders:
            if 0 <= (one.works_from - tick.at).total_seconds() < 60:
                model.enter(one)
                if cancel is not None:
                    model.cancel(one, cancel)
        model.advance(tick.at)
    return fills


BARS = [bar(0, QUIET), bar(1, "100 101 99.5 100.5"), bar(2, "98 98.2 97 97.5"), bar(3, "100 103 100 102")]


def test_a_purchase_pays_the_next_bars_open_with_spread_and_slippage() -> None:
    """An order decided at a bar's end fills at the open of the next one, dearer than that, and not before."""
    buy = order(PriceType.LIMIT, Action.BUY, works=at(1.01), price="101", term=Term.IMMEDIATE_OR_CANCEL)
    assert played(BARS, buy, until=1) == []
    buy = order(PriceType.LIMIT, Action.BUY, works=at(1.01), price="101", term=Term.IMMEDIATE_OR_CANCEL)
    (fill,) = played(BARS, buy, until=2)
    assert (fill.at, fill.price) == (at(1.01), paid(Decimal(100)))
    assert fill.price > Decimal(100)


def test_a_purchase_beyond_its_limit_ends_without_a_share() -> None:
    """An immediate order whose limit the next open has passed is over, and the bar's low does not revive it."""
    buy = order(PriceType.LIMIT, Action.BUY, works=at(1.01), price="99.9", term=Term.IMMEDIATE_OR_CANCEL)
    assert played(BARS, buy, until=3) == []
    assert buy.status is Status.CANCELLED


def test_at_most_a_twentieth_of_the_bar_fills() -> None:
    """All orders of a side together get 5 % of a bar's volume; what is left of a lasting order waits for the next."""
    thin = [BARS[0], bar(1, QUIET, volume=1000), bar(2, QUIET, volume=2000)]
    sale = order(PriceType.MARKET, works=at(1.01), shares=120)
    assert [(fill.quantity, fill.at) for fill in played(thin, sale, until=3)] == [(50, at(1.01)), (70, at(2))]
    one, other = (order(PriceType.MARKET, works=at(1.01), shares=40) for _ in range(2))
    assert [fill.quantity for fill in played(thin[:2], one, other, until=2)] == [40, 10]


@pytest.mark.parametrize("bars", [[BARS[0], bar(1, "100 101 90 100", volume=0)], BARS[:1]])
def test_nothing_fills_and_nothing_triggers_without_volume(bars: list[Bar]) -> None:
    """A bar that nobody traded in, or that is missing, fills no order and triggers no stop."""
    stop = order(PriceType.STOP, works=at(1.01), price="95")
    assert played(bars, stop, order(PriceType.MARKET, works=at(1.01)), until=2) == []
    assert not stop.triggered


def test_a_stop_fills_at_the_worse_of_its_level_and_the_open() -> None:
    """A stop that a bar runs through brings a little less than its level, one that it opens below the open's price."""
    (fill,) = played(BARS, order(PriceType.STOP, works=at(1.01), price="99.6"), until=3)
    assert (fill.at, fill.price) == (at(1.5), got(Decimal("99.6")))
    (fill,) = played(BARS, order(PriceType.STOP, works=at(1.01), price="99"), until=3)
    assert (fill.at, fill.price) == (at(2), got(Decimal(98)))
    assert fill.price < Decimal(98)


def test_a_stop_above_the_bars_low_is_never_overlooked() -> None:
    """A stop fills in the first bar that reaches it, though the same bar ends high above."""
    (fill,) = played([BARS[0], bar(1, "100 110 98 109")], order(PriceType.STOP, works=at(1.01), price="99"), until=2)
    assert fill.price == got(Decimal(99))


def test_a_limited_sale_gets_its_limit_or_a_better_open() -> None:
    """A resting sale fills at its limit once the high is above it by half a spread, and at an open that is better."""
    resting = [BARS[0], bar(1, "100 101 99.5 100.5"), bar(2, "100.5 101 100 100.5")]
    (fill,) = played(resting, order(PriceType.LIMIT, works=at(1.01), price="100.9"), until=3)
    assert (fill.at, fill.price) == (at(2.5), Decimal("100.9"))
    assert played(resting, order(PriceType.LIMIT, works=at(1.01), price="101"), until=3) == []
    (fill,) = played(
        [*BARS[:2], bar(2, "105 105 104 104")], order(PriceType.LIMIT, works=at(1.01), price="101"), until=3
    )
    assert (fill.at, fill.price) == (at(2), got(Decimal(105)))


@pytest.mark.parametrize("action", [Action.BUY, Action.SELL])
@pytest.mark.parametrize("opens", ["7.20", "5.00", "9.99", "100.00"])
def test_a_limit_at_the_touch_fills_there_and_never_beyond(opens: str, action: Action) -> None:
    """A limit that allows the ask of an open buys at it, a cent of slippage or not; one a cent nearer waits."""
    price, sign = Decimal(opens), 1 if action is Action.BUY else -1
    touched = touch(price)[1 if action is Action.BUY else 0]
    bars = [bar(0, QUIET), bar(1, f"{price} {price} {price} {price}")]
    limit = order(PriceType.LIMIT, action, works=at(1.01), price=str(touched))
    (fill,) = played(bars, limit, until=2)
    assert (fill.at, fill.price) == (at(1.01), touched)
    nearer = order(PriceType.LIMIT, action, works=at(1.01), price=str(touched - sign * CENT))
    assert played(bars, nearer, until=2) == []


@pytest.mark.parametrize("price", [Decimal("5.00"), Decimal("7.20"), Decimal("9.80"), Decimal("143.21")])
def test_an_entry_fills_at_an_open_that_has_not_moved(price: Decimal) -> None:
    """The system's own limit of an entry fills where the market stands still, of whatever price a share is."""
    default = load("default")
    limit = entry_limit(ask=touch(price)[1], decision_price=price, config=default)
    bars = [bar(0, QUIET), bar(1, f"{price} {price} {price} {price}")]
    entry = order(PriceType.LIMIT, Action.BUY, works=at(1.01), price=str(limit), term=Term.IMMEDIATE_OR_CANCEL)
    (fill,) = played(bars, entry, until=2)
    assert touch(price)[1] <= fill.price <= limit


def test_a_limit_never_meets_a_high_or_low_that_may_be_older_than_it() -> None:
    """A limit that arrives in a bar meets its open alone, because its range may have been over; a stop meets both."""
    bars = [bar(0, QUIET), bar(1, "100 103 97 100"), bar(2, QUIET), bar(3, "100 103 97 100")]
    for action, price in ((Action.SELL, "102"), (Action.BUY, "98")):
        (fill,) = played(bars, order(PriceType.LIMIT, action, works=at(1.01), price=price), until=4)
        assert (fill.at, fill.price) == (at(3.5), Decimal(price))
    (fill,) = played(bars, order(PriceType.STOP, works=at(1.01), price="98"), until=4)
    assert fill.at == at(1.5)


def test_what_arrives_late_in_a_bar_waits_for_the_next() -> None:
    """An order that begins to work in the second half of a bar meets the next bar's open."""
    (fill,) = played(BARS, order(PriceType.MARKET, works=at(1.6)), until=3)
    assert (fill.at, fill.price) == (at(2), got(Decimal(98)))


def test_a_cancel_comes_before_what_has_not_happened() -> None:
    """A stop that is cancelled before the middle of a bar does not meet its range, one cancelled later does."""
    stop = order(PriceType.STOP, works=at(1.01), price="99.6")
    assert played(BARS, stop, until=3, cancel=at(1.1)) == []
    assert stop.status is Status.CANCELLED
    assert len(played(BARS, order(PriceType.STOP, works=at(1.01), price="99.6"), until=3, cancel=at(1.9))) == 1


def test_an_order_of_the_day_ends_with_the_session() -> None:
    """What still rests at the close expires; a stop until it is cancelled stays."""
    day, stop = order(PriceType.LIMIT, works=at(1.01), price="200"), order(PriceType.STOP, works=at(1.01), price="1")
    played(BARS, day, until=390)
    assert day.status is Status.EXPIRED
    lasting = order(PriceType.STOP, works=at(1.01), price="1", term=Term.GOOD_UNTIL_CANCEL)
    played(BARS, lasting, stop, until=390)
    assert (lasting.status, stop.status) == (Status.OPEN, Status.EXPIRED)
