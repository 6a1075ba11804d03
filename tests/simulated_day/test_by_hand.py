"""A day on which the owner traded by hand is judged by what the system did, and by what the book says that it lost."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from infra.simulated_day.book import Book
from infra.simulated_day.facts import trades_of
from infra.simulated_day.ledger import BrokerEvent, BrokerLedger, LedgerFill, LedgerOrder
from infra.simulated_day.violations import violations
from shared.domain.orders.positions import Fill
from shared.domain.orders.taken import OwnersSell, Taken
from tests.simulated_day.sample import CASH, DAY, HOURS, at, quiet_day

OWNER = "77001"


def _found(ledger: BrokerLedger, book: Book) -> list[str]:
    return violations(ledger=ledger, book=book, undeclared=(), starting_cash=CASH, hours=HOURS)


def _by_owner(*, priced: bool = True) -> tuple[BrokerLedger, Book, Fill]:
    """Give a day whose last exit was not ours: the owner sold the shares, or moved them to another broker."""
    day = quiet_day()
    ledger, book = day.ledger(), day.book()
    last = book.fills[-1]
    sell = OwnersSell(broker_order_id=last.broker_order_id, quantity=last.quantity, proceeds=last.price * last.quantity)
    taken = Taken(
        taken_id=f"{last.position_id}:taken:0", position_id=last.position_id, symbol=last.symbol, session=DAY,
        quantity=last.quantity, unpriced=0 if priced else last.quantity, sells=(sell,) if priced else (),
        realized=last.realized if priced else Decimal(0), since=last.at, at=last.at + timedelta(minutes=1),
    )  # fmt: skip
    gone = {order.intent_id for order in book.orders if order.broker_order_id == last.broker_order_id}
    ledgers = tuple(replace(one, realized=one.realized - last.realized + taken.realized) for one in book.ledgers)
    book = replace(
        book, fills=book.fills[:-1], taken=(taken,), ledgers=ledgers,
        orders=tuple(order for order in book.orders if order.intent_id not in gone),
        events=tuple(event for event in book.events if event.chain not in gone),
        seals={chain: head for chain, head in book.seals.items() if chain not in gone},
    )  # fmt: skip
    return _ledger_of_owner(ledger, last, priced=priced), book, last


def _ledger_of_owner(ledger: BrokerLedger, last: Fill, *, priced: bool) -> BrokerLedger:
    if priced:
        return replace(
            ledger,
            orders=tuple(replace(one, client_order_id=OWNER) if one.order_id == last.broker_order_id else one
                         for one in ledger.orders),
            fills=tuple(replace(one, client_order_id=OWNER) if one.order_id == last.broker_order_id else one
                        for one in ledger.fills),
        )  # fmt: skip
    return replace(
        ledger, orders=tuple(one for one in ledger.orders if one.order_id != last.broker_order_id),
        fills=tuple(one for one in ledger.fills if one.order_id != last.broker_order_id),
        cash=ledger.cash - last.price * last.quantity, realized_pnl=ledger.realized_pnl - last.realized,
        withdrawn={last.symbol: last.quantity},
    )  # fmt: skip


def test_a_sale_by_hand_that_the_book_took_out_is_no_violation() -> None:
    """Shares, cash and profit agree when the book counts the owner's sale as it was, and the trade ends by hand."""
    ledger, book, last = _by_owner()
    assert _found(ledger, book) == []
    trade = next(one for one in trades_of(book, ledger) if one.position_id == last.position_id)
    assert (trade.exit_price, trade.exit_reason) == (last.price, "taken out by hand")
    assert trade.left_at is not None


def test_shares_moved_away_that_the_book_took_out_are_no_violation() -> None:
    """Shares that left without a sale agree when the book has taken them out, whatever they were worth."""
    ledger, book, _ = _by_owner(priced=False)
    assert _found(ledger, book) == []


def test_a_taking_that_the_account_does_not_know_is_one() -> None:
    """Shares that the book took out and the account still holds are a difference."""
    ledger, book, last = _by_owner(priced=False)
    still = replace(ledger, withdrawn={}, positions={last.symbol: last.quantity})
    (sentence,) = _found(still, book)
    assert sentence.endswith(
        f"{last.quantity} shares of {last.symbol} are taken out by hand in the book, the owner took out 0."
    )


def test_a_taking_at_another_price_is_one() -> None:
    """A book that counts more for an owner's sale than it brought is named with both amounts."""
    ledger, book, _ = _by_owner()
    (taken,) = book.taken
    dear = replace(taken.sells[0], proceeds=taken.sells[0].proceeds + 1)
    sentences = _found(ledger, replace(book, taken=(replace(taken, sells=(dear,)),)))
    assert "counts" in sentences[0]
    assert "the owner sold" in sentences[0]


def test_what_the_owner_trades_beside_the_system_is_not_judged() -> None:
    """A purchase of the owner's in another symbol is neither a difference, nor open, nor unprotected."""
    day = quiet_day()
    ledger, bought = day.ledger(), at(11, 0)
    order = LedgerOrder(
        order_id=900, client_order_id=OWNER, symbol="MSFT", action="BUY", quantity=5, filled=5, price_type="MARKET",
        term="GOOD_FOR_DAY", limit_price=None, stop_price=None, status="EXECUTED", placed_at=bought,
        history=(BrokerEvent(at=bought, event="fill", quantity=5, price=Decimal(30)),),
    )  # fmt: skip
    fill = LedgerFill(
        at=bought, order_id=900, client_order_id=OWNER, symbol="MSFT", action="BUY", quantity=5, price=Decimal(30)
    )
    beside = replace(
        ledger, orders=(*ledger.orders, order), fills=(*ledger.fills, fill), cash=ledger.cash - 150,
        positions={"MSFT": 5},
    )  # fmt: skip
    assert _found(beside, day.book()) == []
    assert _found(replace(beside, positions={"MSFT": 6}), day.book()) != []


def test_an_order_that_looks_like_ours_is_judged() -> None:
    """An order with an intent's name that the book does not have is a difference, not the owner's."""
    ledger, book, last = _by_owner()
    mine = tuple(replace(one, client_order_id="I" + "A" * 19) if one.client_order_id == OWNER else one
                 for one in ledger.fills)  # fmt: skip
    sentences = _found(replace(ledger, fills=mine), replace(book, taken=()))
    assert any(f"order {last.broker_order_id} filled 0 shares" in one for one in sentences)
