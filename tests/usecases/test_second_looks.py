"""What settlement looks at twice: fills that show late, rows it cannot read, cases that a person ended."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, State
from shared.ports import Create
from shared.usecases.control import control
from tests.usecases.bench import SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.proofs import safety


def test_a_fill_that_shows_after_the_end_is_booked_and_protected() -> None:
    """Shares that the list shows only after their order was listed as cancelled become a position behind a stop."""
    bench = Bench()
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 0
    bench.send(bench.signal())
    bench.at(5, lambda: bench.exchange.end(501, BrokerStatus.CANCELLED))
    bench.run(30)
    assert [(order.state, order.filled) for order in bench.orders()] == [(State.CANCELLED, 0)]
    late = replace(bench.exchange.book[501], filled=99, average_price=Decimal("100.01"))
    bench.exchange.book[501] = late
    bench.exchange.shares[SYMBOL] += 99
    bench.run(75)
    entry, stop = bench.orders()
    assert (entry.state, entry.filled, entry.reserved) == (State.CANCELLED, 99, Decimal(0))
    assert (stop.kind, stop.state, stop.quantity) == (Kind.PROTECT, State.WORKING, 99)


def test_a_row_that_cannot_be_read_hides_no_other() -> None:
    """An order of an unknown form stops entries and is reported; the other positions stay protected."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(20)
    stop = bench.orders()[1]
    assert stop.state is State.WORKING
    bench.store.commit([Create("orders/ODD", {"live": True, "symbol": "ODD", "schema_version": 9})])
    bench.exchange.end(stop.broker_order_id or 0, BrokerStatus.CANCELLED)
    bench.run(75)
    assert bench.exchange.naked() <= timedelta(seconds=70)
    assert bench.exchange.live(SYMBOL, Side.SELL)
    assert bench.journal.named("unreadable_document")
    assert control.current(bench.desks["order_settlement"]).value.state is TradingState.REDUCE_ONLY


def test_a_case_that_a_person_ended_is_over() -> None:
    """When every order that could be a MANUAL one was ended by hand, the intent ends and the shares get a new stop."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how="lost_before", price_type=PriceType.STOP))
    bench.send(bench.signal())
    bench.run(6)
    doubtful = bench.orders()[1]
    twins = [bench.exchange.accept(doubtful.ticket) for _ in range(2)]
    bench.run(20)
    assert bench.orders()[1].state is State.MANUAL
    for twin in twins:
        bench.exchange.end(twin, BrokerStatus.CANCELLED)
    bench.run(75)
    assert bench.orders()[1].state is State.NOT_PLACED
    assert bench.exchange.live(SYMBOL, Side.SELL)
    assert [text for text in safety(bench) if not text.startswith("oversold")] == []
