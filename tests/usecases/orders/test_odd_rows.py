"""Rows that nobody expected: ours are used as far as they can be read, those of others make their symbol busy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.codec import decode
from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus, Holding
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.positions import Fill, Ledger, standing
from shared.domain.telling.notices import Notice, event_of
from shared.domain.telling.row_notices import OddRow, OwnRowOdd
from shared.usecases.base import outbox
from tests.usecases.bench import START, SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.proofs import safety, wrongs

NO_PRICE: dict[str, Any] = {"average_price": None, "odd": ("averageExecutionPrice",)}


def told(bench: Bench, kind: type[Notice]) -> list[Any]:
    """Give what the owner was told of one kind, each event once."""
    sent = [outbox.unpack(body) for topic, body in bench.bus.sent if topic == outbox.NOTICES]
    return list({event_of(notice): notice for notice in sent if isinstance(notice, kind)}.values())


def veiled(bench: Bench, *, until_s: float, of: Callable[[BrokerOrder], bool] = lambda _row: True, **veil: Any) -> None:
    """Let filled rows be listed without some of their fields until so many seconds after the start."""
    until = START + timedelta(seconds=until_s)

    def shows(row: BrokerOrder) -> BrokerOrder:
        hidden = row.filled and of(row) and bench.kernel.now() < until
        return replace(row, **veil) if hidden else row

    bench.exchange.shows = shows


def fills(bench: Bench) -> list[Fill]:
    """Give the fills of the book that stand."""
    return standing(decode(Fill, row.data) for row in bench.store.query("fills"))


def entry(bench: Bench) -> Order:
    """Give the first entry."""
    return next(order for order in bench.orders() if order.kind is Kind.ENTRY)


def strange(order_id: int | None, symbol: str | None, *odd: str) -> BrokerOrder:
    """Give a row of somebody else's that cannot be read in full."""
    return BrokerOrder(
        order_id=order_id, symbol=symbol, side=Side.BUY, quantity=None, filled=None, average_price=None,
        price_type=PriceType.MARKET, term=None, limit_price=None, stop_price=None, status=BrokerStatus.EXECUTED,
        placed_at=START, odd=odd or ("orderedQuantity",),
    )  # fmt: skip


def test_shares_without_a_price_are_protected_at_once_and_priced_later() -> None:
    """Filled shares are booked at the order's limit, lie behind a stop, and get their price in one commit."""
    bench = Bench()
    veiled(bench, until_s=80, **NO_PRICE)
    bench.send(bench.signal())
    bench.run(30)
    (guessed,) = fills(bench)
    assert (guessed.provisional, guessed.price) == (True, entry(bench).limit_price)
    assert entry(bench).provisional
    assert bench.exchange.live(SYMBOL, Side.SELL)
    assert bench.exchange.naked() < timedelta(seconds=10)
    bench.run(100)
    (priced,) = fills(bench)
    assert (priced.provisional, priced.price, priced.quantity) == (False, Decimal("100.01"), guessed.quantity)
    assert (entry(bench).average_price, entry(bench).provisional) == (Decimal("100.01"), False)
    assert bench.positions()[0].average_cost == Decimal("100.01")
    (notice,) = told(bench, OwnRowOdd)
    assert (notice.intent_id, notice.fields) == (entry(bench).intent_id, ("averageExecutionPrice",))
    assert safety(bench) == []


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_price_that_comes_after_the_position_is_closed_corrects_its_profit(side: Side) -> None:
    """Whether the purchase or the sale had no price, profit, position and ledger are exact in the end."""
    bench = Bench()
    veiled(bench, until_s=100, of=lambda row: row.side is side, **NO_PRICE)
    bench.send(bench.signal())
    bench.at(20, lambda: bench.exchange.set_price(SYMBOL, "97.50", "97.52"))
    bench.run(60)
    assert not any(position.is_open for position in bench.positions())
    assert any(fill.provisional for fill in fills(bench))
    bench.run(100)
    quantity = entry(bench).filled
    lost = (Decimal("97.50") - Decimal("100.01")) * quantity
    assert not any(fill.provisional for fill in fills(bench))
    assert sum(fill.realized for fill in fills(bench)) == lost
    assert bench.positions()[0].realized == lost
    assert decode(Ledger, bench.store.query("ledger")[0].data).realized == lost
    assert wrongs(bench, naked_at_most=10) == []


def test_a_part_without_a_price_is_priced_with_the_rest() -> None:
    """Ten shares without a price and the rest with an average of all end at the prices that were paid."""
    bench = Bench()
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 10
    veiled(bench, until_s=6, **NO_PRICE)
    bench.send(bench.signal())
    bench.at(7, lambda: bench.exchange.fill(501, entry(bench).quantity - 10, Decimal("100.03")))
    bench.run(20)
    bought = [fill for fill in fills(bench) if fill.side == Side.BUY]
    paid = sum((fill.price * fill.quantity for fill in bought), Decimal(0))
    rest = entry(bench).quantity - 10
    assert [fill.provisional for fill in bought] == [False, False]
    assert abs(paid - (Decimal("100.01") * 10 + Decimal("100.03") * rest)) < Decimal("0.001")
    assert safety(bench) == []


@pytest.mark.parametrize(
    "veil",
    [
        {"filled": None, "odd": ("filledQuantity",)},
        {"filled": 10_000_000, "odd": ("filledQuantity",)},
        {"symbol": "AIG"},
        {"side": Side.SELL},
    ],
)
def test_a_row_that_does_not_say_what_filled_books_nothing_until_it_does(veil: dict[str, Any]) -> None:
    """Nothing is guessed of our own row: it is told, and what filled is booked when the list says it."""
    bench = Bench()
    veiled(bench, until_s=30, **veil)
    bench.send(bench.signal())
    bench.run(25)
    assert (fills(bench), entry(bench).live) == ([], True)
    assert len(told(bench, OwnRowOdd)) == 1
    bench.run(40)
    assert entry(bench).state is State.FILLED
    assert bench.exchange.live(SYMBOL, Side.SELL)
    assert len(told(bench, OwnRowOdd)) == 1
    assert safety(bench) == []


def test_a_row_of_ours_without_a_status_is_ours_all_the_same() -> None:
    """Shares, price and end of an order follow from what can be read of its row."""
    bench = Bench()
    veiled(bench, until_s=1000, status=None, placed_at=None, odd=("status", "placedTime"))
    bench.send(bench.signal())
    bench.run(20)
    assert (entry(bench).state, entry(bench).unread) == (State.FILLED, ("placedTime", "status"))
    assert bench.exchange.live(SYMBOL, Side.SELL)


def test_an_odd_row_makes_its_symbol_busy_and_nothing_else() -> None:
    """A row that cannot be ours denies its symbol, is told once, and our own fills are booked and protected."""
    bench = Bench()
    bench.exchange.set_price("ZZVT", "99.99", "100.01")
    bench.exchange.strange = [strange(None, "ZZVT"), strange(900001, None, "symbol")]
    bench.send(bench.signal())
    bench.send(bench.signal(slot=2, symbol="ZZVT"))
    bench.run(200)
    by_symbol = {order.symbol: order for order in bench.orders() if order.kind is Kind.ENTRY}
    assert by_symbol["ZZVT"].codes == ("FOREIGN_ORDER",)
    assert by_symbol[SYMBOL].state is State.FILLED
    assert bench.exchange.live(SYMBOL, Side.SELL)
    assert sorted(notice.symbols for notice in told(bench, OddRow)) == [(), ("ZZVT",)]
    assert safety(bench) == []


def test_an_odd_row_that_comes_later_is_told_by_settlement() -> None:
    """A row that appears while a position is held is told within a minute, and not again at the next polls."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(30)
    assert told(bench, OddRow) == []
    bench.exchange.strange = [strange(900001, "ZZVT")]
    bench.run(200)
    sent = [body for topic, body in bench.bus.sent if topic == outbox.NOTICES and b'"odd_row"' in body]
    assert len(sent) == len(told(bench, OddRow)) == 1


def test_a_holding_that_cannot_be_counted_is_told_once() -> None:
    """An odd row of the portfolio is told by settlement's look of each minute, once."""
    bench = Bench()
    odd = Holding(symbol="XFER", quantity=10, cost_per_share=None, odd=("quantity",))
    bench.exchange.portfolio = lambda: (*bench.exchange.holdings(), odd)
    bench.send(bench.signal())
    bench.run(200)
    (notice,) = told(bench, OddRow)
    assert (notice.where, notice.symbols, notice.fields) == ("portfolio", ("XFER",), ("quantity",))


def test_many_odd_rows_are_told_in_few_notices_and_written_once() -> None:
    """Two hundred odd rows in as many symbols make five notices and one that sums up, however often they are listed."""
    bench = Bench()
    bench.exchange.strange = [strange(900_000 + one, f"ZZ{one}") for one in range(200)]
    bench.send(bench.signal())
    bench.run(240)
    notices = told(bench, OddRow)
    assert len([notice for notice in notices if not notice.more]) == 5
    assert len([notice for notice in notices if notice.more]) == 1
    again = [body for topic, body in bench.bus.sent if topic == outbox.NOTICES and b'"odd_row"' in body]
    assert len(again) <= 2 * (5 + 200 // 50)


def test_an_odd_row_that_may_be_ours_is_no_proof_of_absence() -> None:
    """While a row that nothing speaks against stands in the list, a lost stop is not called absent, nor adopted."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how="lost_before", price_type=PriceType.STOP))
    bench.send(bench.signal())
    bench.run(10)
    stop = bench.orders()[1]
    assert stop.state in (State.PLACING, State.UNKNOWN)
    row = replace(strange(777, SYMBOL), side=Side.SELL, price_type=None, placed_at=bench.kernel.now())
    bench.exchange.strange = [row]
    bench.run(110)
    assert (bench.orders()[1].state, len(bench.orders()[1].absences)) == (State.UNKNOWN, 1)
    bench.exchange.strange = []
    bench.run(120)
    assert bench.orders()[1].state is State.NOT_PLACED
    assert bench.exchange.live(SYMBOL, Side.SELL)
