"""An order whose answer was lost is found by what it looks like, or proven absent, or left to a person."""

from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import BrokerStatus, Ticket
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, State
from shared.ports import Create, Put
from shared.usecases.control import control
from tests.usecases.bench import CLOSES, SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.lives import calls
from tests.usecases.proofs import safety, wrongs


def _entered(script: Script, **settings: object) -> Bench:
    bench = Bench()
    bench.exchange.scripts.append(script)
    for name, value in settings.items():
        setattr(bench.exchange, name, value)
    bench.send(bench.signal())
    return bench


def _alike(side: Side = Side.BUY, symbol: str = SYMBOL) -> Ticket:
    """Give an order of the owner's that looks exactly like the bench's entry."""
    return Ticket(
        client_order_id="owner", symbol=symbol, side=side, quantity=99, price_type=PriceType.LIMIT,
        term=Term.GOOD_FOR_DAY, limit_price=Decimal("100.11"),
    )  # fmt: skip


def test_an_entry_whose_answer_was_lost_is_adopted_once() -> None:
    """An accepted entry without an answer is found by its looks, claimed once, filled and protected."""
    bench = _entered(Script(how="lost_after", side=Side.BUY))
    bench.run(20)
    entry, stop = bench.orders()
    assert (entry.state, stop.kind, stop.state) == (State.FILLED, Kind.PROTECT, State.WORKING)
    assert len(bench.store.query("broker_orders")) == 2
    assert bench.exchange.posts == {entry.intent_id: 1, stop.intent_id: 1}
    assert bench.exchange.naked() <= timedelta(seconds=3)
    assert safety(bench) == []


def test_an_entry_that_lists_late_is_adopted_when_it_shows() -> None:
    """An entry that the list hides for thirty seconds is adopted when it shows, and is never sent again."""
    bench = _entered(Script(how="lost_after", side=Side.BUY), list_lag=timedelta(seconds=30))
    bench.run(55)
    entry = bench.orders()[0]
    assert entry.state is State.FILLED
    assert bench.exchange.posts[entry.intent_id] == 1


def test_an_entry_that_never_arrived_keeps_its_cash_until_the_session_has_ended() -> None:
    """An entry that the broker never got keeps reservation and lock, and is NOT_PLACED after the close."""
    bench = _entered(Script(how="lost_before", side=Side.BUY))
    bench.run((CLOSES - bench.kernel.now()).total_seconds() + 50)
    entry = bench.orders()[0]
    assert (entry.state, bool(entry.reserved), len(bench.store.query("locks"))) == (State.UNKNOWN, True, 1)
    bench.run(300)
    entry = bench.orders()[0]
    assert (entry.state, entry.codes, len(entry.absences)) == (State.NOT_PLACED, ("ABSENT",), 2)
    assert wrongs(bench, naked_at_most=0) == []


@pytest.mark.parametrize("late_s", [40, 300, 900])
def test_an_entry_that_arrives_late_is_still_adopted(late_s: int) -> None:
    """An entry that the broker takes long after we stopped waiting is adopted, filled and protected."""
    bench = _entered(Script(how="late", side=Side.BUY, after=timedelta(seconds=late_s)))
    bench.run(late_s + 30)
    entry, stop = bench.orders()
    assert (entry.state, stop.state) == (State.FILLED, State.WORKING)
    assert bench.exchange.naked() <= timedelta(seconds=15)
    assert safety(bench) == []


def test_two_candidates_wait_for_a_person() -> None:
    """When a second order looks the same nothing is guessed: MANUAL, with reservation and lock kept."""
    bench = _entered(Script(how="late", side=Side.BUY, after=timedelta(seconds=1)), entry_fill=0, refuses_term=True)
    bench.at(0.7, lambda: bench.exchange.accept(_alike()))
    bench.run(60)
    entry = bench.orders()[0]
    assert (entry.state, bool(entry.reserved)) == (State.MANUAL, True)
    assert safety(bench) == []


def test_an_owners_order_from_before_is_never_adopted() -> None:
    """An order that looks the same but was there before the licence is not ours, and its symbol is not entered."""
    bench = Bench()
    bench.exchange.entry_fill = 0
    bench.exchange.accept(_alike())
    bench.send(bench.signal())
    bench.run(30)
    assert (bench.orders()[0].state, bench.orders()[0].codes) == (State.DENIED, ("FOREIGN_ORDER",))
    assert not bench.exchange.posts


def test_the_baseline_alone_keeps_an_older_order_from_being_adopted() -> None:
    """An owner's order that comes while the facts are read is in the baseline and is not adopted."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how="lost_before", side=Side.BUY))
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 0
    bench.gate.faults[calls().index("portfolio") + 1] = Fault(how="deed", deed=lambda: bench.exchange.accept(_alike()))
    bench.at(1, lambda: bench.send(bench.signal()))
    bench.run(60)
    entry = bench.orders()[0]
    assert entry.state is not State.WORKING
    assert not bench.store.query("broker_orders")


def test_orders_of_another_symbol_or_side_are_never_adopted() -> None:
    """Orders that differ in symbol or side are no candidates."""
    bench = _entered(Script(how="lost_before", side=Side.BUY), entry_fill=0)
    bench.exchange.set_price("MSFT", "99.99", "100.01")
    bench.at(1, lambda: bench.exchange.accept(_alike(symbol="MSFT")))
    bench.at(1, lambda: bench.exchange.accept(_alike(side=Side.SELL)))
    bench.run(60)
    assert bench.orders()[0].state is State.UNKNOWN
    assert not bench.store.query("broker_orders")


def test_a_stop_whose_answer_was_lost_halts_nothing() -> None:
    """A protective stop without an answer is adopted by settlement, which may not publish and does not try."""
    bench = _entered(Script(how="lost_after", price_type=PriceType.STOP))
    bench.run(30)
    stop = bench.orders()[1]
    assert stop.state is State.WORKING
    assert control.current(bench.desks["order_placement"]).value.state is TradingState.ACTIVE
    assert safety(bench) == []


def test_a_stop_that_never_arrived_is_asked_for_again_after_three_clean_lists() -> None:
    """A lost stop is NOT_PLACED after three clean lists over thirty seconds, and a new one rests within 45 seconds."""
    bench = _entered(Script(how="lost_before", price_type=PriceType.STOP))
    bench.run(60)
    lost, again = bench.orders()[1:]
    assert (lost.state, len(lost.absences), again.state) == (State.NOT_PLACED, 2, State.WORKING)
    assert timedelta(seconds=30) <= bench.exchange.naked() <= timedelta(seconds=45)
    assert safety(bench) == []


def test_a_lost_sell_is_not_called_absent_while_its_shares_are_gone() -> None:
    """When the account holds fewer shares than the book a lost exit stays UNKNOWN, for it may have filled unseen."""
    bench = _entered(Script(how="lost_after", side=Side.SELL, price_type=PriceType.LIMIT))
    bench.at(20, lambda: setattr(bench.exchange, "list_lag", timedelta(minutes=3)))
    bench.at(20, lambda: bench.exchange.set_price(SYMBOL, "102.10", "102.12"))
    bench.run(100)
    exits = [order for order in bench.orders() if order.kind is Kind.EXIT]
    assert [order.state for order in exits] == [State.UNKNOWN]
    bench.run_until_quiet()
    assert wrongs(bench, naked_at_most=10) == []


def test_an_owners_stop_from_before_ours_is_not_adopted() -> None:
    """A stop of the owner's that looks like our lost one, but was listed before it, stays the owner's."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how="lost_before", price_type=PriceType.STOP))
    stop = Ticket(
        client_order_id="owner", symbol=SYMBOL, side=Side.SELL, quantity=99, price_type=PriceType.STOP,
        term=Term.GOOD_UNTIL_CANCEL, stop_price=Decimal("99.01"),
    )  # fmt: skip
    bench.gate.faults[calls().index("place") + 2] = Fault(how="deed", deed=lambda: bench.exchange.accept(stop))
    bench.at(1, lambda: bench.send(bench.signal()))
    bench.run(58)
    assert [order.state for order in bench.orders()] == [State.FILLED, State.NOT_PLACED, State.WORKING]
    assert bench.store.get("broker_orders/502") is None


def test_an_order_that_another_intent_claims_is_no_candidate() -> None:
    """Of two orders that look the same the one that another intent has claimed is left out, and ours is adopted."""
    bench = _entered(Script(how="lost_after", side=Side.BUY), entry_fill=0, refuses_term=True)
    bench.store.commit([Create("broker_orders/502", {"intent_id": "I-other", "session": "2013-10-07"})])
    bench.at(0.8, lambda: bench.exchange.accept(_alike()))
    bench.run(15)
    assert (bench.orders()[0].state, bench.orders()[0].broker_order_id) == (State.WORKING, 501)


def test_a_stop_that_was_given_up_and_comes_late_is_cancelled() -> None:
    """A stop taken after its intent ended NOT_PLACED is ours again and cancelled once, and entries stop."""
    bench = _entered(Script(how="lost_before", price_type=PriceType.STOP))
    bench.run(60)
    lost, again = bench.orders()[1:]
    assert (lost.state, again.state) == (State.NOT_PLACED, State.WORKING)
    late = bench.exchange.accept(lost.ticket)
    bench.run(90)
    assert bench.exchange.book[late].status is BrokerStatus.CANCELLED
    assert len(bench.journal.named("late_acceptance")) == 1
    assert (bench.orders()[1].state, bench.exchange.cancels) == (State.CANCELLED, [late])
    assert control.current(bench.desks["order_settlement"]).value.state is TradingState.REDUCE_ONLY


def test_an_ended_order_that_cannot_be_read_stops_no_settlement() -> None:
    """A damaged document of an order that was never placed is reported, and each tick does its work."""
    bench = Bench()
    damaged = {"state": State.NOT_PLACED, "session": bench.kernel.now().date().isoformat(), "live": False}
    bench.store.commit([Put("orders/DAMAGED", damaged)])
    bench.run(130)
    assert bench.store.query("dead_letters") == []
    assert bench.journal.named("unreadable_document")
