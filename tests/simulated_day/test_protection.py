"""Held shares against live sell orders, instant by instant."""

from dataclasses import replace
from datetime import datetime, timedelta

from infra.simulated_day.ledger import BrokerEvent, BrokerLedger, LedgerFill, LedgerOrder
from infra.simulated_day.protection import gaps, stop_delays
from tests.simulated_day.sample import HOURS, Sample, Tape, at

PRICE = Tape().quote("IBM", HOURS.opens).last


def order(number: int, action: str, quantity: int, *history: tuple[datetime, str, int]) -> LedgerOrder:
    """Make an order at the simulator from (instant, event, shares)."""
    events = tuple(BrokerEvent(at=when, event=event, quantity=shares or None) for when, event, shares in history)
    return LedgerOrder(
        order_id=number,
        client_order_id=f"I{number}",
        symbol="IBM",
        action=action,
        quantity=quantity,
        filled=0,
        price_type="STOP",
        term="GOOD_FOR_DAY",
        limit_price=None,
        stop_price=PRICE,
        status="OPEN",
        placed_at=history[0][0],
        history=events,
    )


def ledger(*orders: LedgerOrder) -> BrokerLedger:
    """Make the simulator's books of these orders."""
    fills = tuple(
        LedgerFill(
            at=event.at,
            order_id=one.order_id,
            client_order_id=one.client_order_id,
            symbol="IBM",
            action=one.action,
            quantity=event.quantity or 0,
            price=PRICE,
        )
        for one in orders
        for event in one.history
        if event.event == "fill"
    )
    return replace(Sample().ledger(), orders=orders, fills=fills)


def lengths(books: BrokerLedger) -> list[float]:
    """Give the lengths of all gaps in seconds."""
    return [gap.lasts.total_seconds() for gap in gaps(books, opens=HOURS.opens, closes=HOURS.closes)]


def test_partial_fills_need_full_cover() -> None:
    """A stop for the first part leaves the second part uncovered until a second stop works."""
    books = ledger(
        order(1, "BUY", 50, (at(10, 0, 0), "fill", 20), (at(10, 0, 8), "fill", 30)),
        order(2, "SELL", 20, (at(10, 0, 1), "placed", 0), (at(10, 0, 3), "working", 0)),
        order(3, "SELL", 30, (at(10, 0, 12), "placed", 0), (at(10, 0, 13), "working", 0)),
    )
    assert lengths(books) == [3, 5]
    assert stop_delays(books, closes=HOURS.closes) == [timedelta(seconds=3), timedelta(seconds=5)]


def test_a_cancelled_stop_uncovers() -> None:
    """Between the end of one stop and the start of the next the shares count as uncovered."""
    books = ledger(
        order(1, "BUY", 50, (at(10, 0), "fill", 50)),
        order(2, "SELL", 50, (at(10, 0), "working", 0), (at(11, 0), "cancelled", 0)),
        order(3, "SELL", 50, (at(11, 0, 4), "working", 0), (at(11, 5), "fill", 50)),
    )
    assert lengths(books) == [4]


def test_a_requested_cancel_still_covers() -> None:
    """A stop protects until its cancel has become true at the broker."""
    stop = order(2, "SELL", 50, (at(10, 0), "working", 0), (at(11, 0), "cancel_requested", 0), (at(11, 1), "fill", 50))
    assert lengths(ledger(order(1, "BUY", 50, (at(10, 0), "fill", 50)), stop)) == []


def test_a_stop_that_never_worked_covers_nothing() -> None:
    """A sell that was cancelled before it worked leaves the gap open until the close."""
    never = order(2, "SELL", 50, (at(15, 59, 1), "placed", 0), (at(15, 59, 2), "cancelled", 0))
    assert lengths(ledger(order(1, "BUY", 50, (at(15, 59), "fill", 50)), never)) == [60]


def test_only_the_session_counts() -> None:
    """What is uncovered outside the regular session is no gap."""
    books = ledger(order(1, "BUY", 50, (HOURS.closes + timedelta(seconds=1), "fill", 50)))
    assert lengths(books) == []
