"""What the owner asks of settlement: worked once, answered, and refused with the reason where it cannot be done."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.codec import decode
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import BrokerStatus, Ticket
from shared.domain.control.asks import Ask, AskKind
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.telling.hand_notices import OrderAmbiguous
from shared.domain.telling.notices import event_of
from shared.usecases.base import outbox
from shared.usecases.base.desk import create, put
from shared.usecases.control import control
from shared.usecases.settling import asks
from tests.domain.made import NOON, order
from tests.usecases.bench import SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.lives import calls
from tests.usecases.post import SETTLEMENT
from tests.usecases.proofs import safety

ENTRY_AT = Decimal("100.11")


def _ask(bench: Bench, kind: AskKind, name: str = "A1", **what: object) -> str:
    wish = Ask(ask_id=name, kind=kind, at=bench.kernel.now())
    asks.ask(bench.desks[SETTLEMENT], replace(wish, **what))  # type: ignore[arg-type]
    return name


def _asked(bench: Bench, name: str = "A1") -> Ask:
    document = bench.store.get(asks.path(name))
    assert document is not None
    return decode(Ask, document.data)


def _entry(bench: Bench) -> Order:
    return next(order for order in bench.orders() if order.kind is Kind.ENTRY)


def _twin(quantity: int = 99) -> Ticket:
    """Give an order of the owner's that looks like the bench's entry."""
    return Ticket(
        client_order_id="owner", symbol=SYMBOL, side=Side.BUY, quantity=quantity, price_type=PriceType.LIMIT,
        term=Term.GOOD_FOR_DAY, limit_price=ENTRY_AT,
    )  # fmt: skip


def _manual(faults: Mapping[int, Fault] | None = None, *, fills: int = 0) -> Bench:
    """Leave an entry with two candidates, 501 of the owner's and 502 of ours, which has filled so many shares."""
    bench = Bench(faults=faults)
    bench.exchange.refuses_term, bench.exchange.entry_fill, bench.exchange.guards_shares = True, 0, True
    bench.exchange.scripts.append(Script(how="late", side=Side.BUY, after=timedelta(seconds=1)))
    bench.send(bench.signal())
    bench.at(0.7, lambda: bench.exchange.accept(_twin()))
    if fills:
        bench.at(10, lambda: bench.exchange.fill(502, fills, Decimal("100.02")))
    bench.run(32)
    assert _entry(bench).state is State.MANUAL
    return bench


def _told(bench: Bench) -> list[OrderAmbiguous]:
    sent = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    return list({event_of(one): one for one in sent if isinstance(one, OrderAmbiguous)}.values())


def test_the_candidates_are_told_and_what_of_them_has_no_stop() -> None:
    """The notice names each candidate, and a later fill of one is told as shares without a stop."""
    bench = _manual()
    bench.at(40, lambda: bench.exchange.fill(502, 99, Decimal("100.02")))
    bench.run(32)
    first, second = _told(bench)
    assert [(one.order_id, one.filled) for one in first.candidates] == [(501, 0), (502, 0)]
    assert [(one.order_id, one.filled) for one in second.candidates] == [(501, 0), (502, 99)]
    assert (first.filled, second.filled) == (0, 99)


def test_the_one_that_the_owner_names_is_adopted_filled_and_protected() -> None:
    """A candidate that the owner names is claimed, its fill is booked and its shares lie behind a stop at once."""
    bench = _manual(fills=99)
    _ask(bench, AskKind.RESOLVE, intent_id=_entry(bench).intent_id, broker_order_id=502)
    bench.run(40)
    wish, entry = _asked(bench), _entry(bench)
    assert (wish.waiting, wish.done) == (False, True)
    assert (entry.state, entry.broker_order_id, entry.filled) == (State.FILLED, 502, 99)
    assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [99]
    assert bench.store.get("broker_orders/501") is None
    assert wish.answered_at is not None
    assert bench.exchange.posted[-1][0] - wish.answered_at < timedelta(seconds=1)
    assert safety(bench) == []


def test_when_none_is_it_the_cash_is_free_and_the_candidates_stay_the_owner_s() -> None:
    """An order that is none of the candidates ends NOT_PLACED, and no candidate is ever claimed or cancelled."""
    bench = _manual(fills=99)
    _ask(bench, AskKind.RESOLVE, intent_id=_entry(bench).intent_id)
    bench.run(150)
    wish, entry = _asked(bench), _entry(bench)
    assert (wish.done, entry.state, entry.reserved, entry.not_ours) == (
        True, State.NOT_PLACED, Decimal(0), (501, 502),
    )  # fmt: skip
    assert not bench.store.query("locks")
    assert not bench.store.query("broker_orders")
    assert not bench.exchange.cancels
    assert control.current(bench.desks[SETTLEMENT]).value.state is TradingState.ACTIVE
    assert safety(bench) == []


def test_an_order_of_which_no_list_shows_anything_can_be_ended_too() -> None:
    """An UNKNOWN is ended by the owner before the session is, and an order that then comes late is still caught."""
    bench = Bench()
    bench.exchange.entry_fill, bench.exchange.refuses_term = 0, True
    bench.exchange.scripts.append(Script(how="lost_before", side=Side.BUY))
    bench.send(bench.signal())
    bench.run(32)
    _ask(bench, AskKind.RESOLVE, intent_id=_entry(bench).intent_id)
    bench.run(60)
    assert (_entry(bench).state, _entry(bench).reserved) == (State.NOT_PLACED, Decimal(0))
    late = bench.exchange.accept(_entry(bench).ticket)
    bench.run(80)
    assert bench.exchange.book[late].status is BrokerStatus.CANCELLED


def test_an_order_that_lists_late_is_not_called_absent_by_the_owner() -> None:
    """Shares that an order buys after the owner said that it is none lie behind a stop like any others."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how="late", side=Side.BUY, after=timedelta(seconds=45)))
    bench.send(bench.signal())
    bench.run(32)
    _ask(bench, AskKind.RESOLVE, intent_id=_entry(bench).intent_id)
    bench.run(90)
    assert (_entry(bench).state, _asked(bench).done) == (State.FILLED, False)
    assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [99]
    assert bench.exchange.naked() < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (777, "the order list does not show it"),
        (503, "its quantity is 98 and ours 99"),
        (504, "it belongs to another order of ours"),
    ],
)
def test_what_cannot_be_it_is_refused_with_the_reason(number: int, why: str) -> None:
    """A number that no list shows, another order, and one that is claimed are refused, and the candidates are named."""
    bench = _manual()
    bench.exchange.accept(_twin(98))
    bench.exchange.accept(_twin())
    bench.store.commit([create("broker_orders/504", {"intent_id": "I-other", "session": "2013-10-07"})])
    _ask(bench, AskKind.RESOLVE, intent_id=_entry(bench).intent_id, broker_order_id=number)
    bench.run(40)
    wish = _asked(bench)
    assert (wish.waiting, wish.done, _entry(bench).state) == (False, False, State.MANUAL)
    assert why in wish.answer
    assert "501, 502" in wish.answer


def test_an_order_from_before_is_refused_by_its_baseline() -> None:
    """An order that was listed before ours was sent cannot be named, however alike it is."""
    bench = _manual()
    entry = _entry(bench)
    assert entry.licence is not None
    known = replace(entry, licence=replace(entry.licence, baseline=(501,)))
    bench.store.commit([put(f"orders/{entry.intent_id}", known)])
    _ask(bench, AskKind.RESOLVE, intent_id=entry.intent_id, broker_order_id=501)
    bench.run(40)
    assert "before ours was sent" in _asked(bench).answer


def test_what_is_not_in_doubt_is_not_resolved() -> None:
    """A resolve of an order that stands clearly is refused with its state."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(10)
    _ask(bench, AskKind.RESOLVE, intent_id=_entry(bench).intent_id, broker_order_id=501)
    bench.run(60)
    assert "is filled: nothing of it is in doubt" in _asked(bench).answer


def test_a_working_entry_is_cancelled_once() -> None:
    """An entry that works is cancelled at the next poll, and the answer comes when the list shows its end."""
    bench = Bench()
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 40
    bench.send(bench.signal())
    bench.at(6, lambda: _ask(bench, AskKind.CANCEL, intent_id=_entry(bench).intent_id))
    bench.run(14)
    wish = _asked(bench)
    assert (wish.waiting, wish.done) == (False, True)
    assert wish.answer.endswith("is cancelled, 40 of 99 filled")
    assert bench.exchange.cancels == [501]
    assert safety(bench) == []


def test_a_protective_stop_is_not_cancelled_by_hand() -> None:
    """The cancel of a stop is refused with the command that sells, and the stop stays."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(10)
    stop = bench.orders()[1]
    _ask(bench, AskKind.CANCEL, intent_id=stop.intent_id)
    bench.run(10)
    assert f"`strategy close {SYMBOL}`" in _asked(bench).answer
    assert (bench.exchange.cancels, _asked(bench).done) == ([], False)


def test_a_stop_that_has_ended_is_not_called_a_stop_that_protects() -> None:
    """What has ended before it was asked for is answered by its end, a stop too."""
    stop = order(kind=Kind.PROTECT, state=State.CANCELLED, live=False)
    assert asks.not_cancelled(stop, NOON + timedelta(seconds=1)) == "I1 has ended: cancelled"
    working = order(kind=Kind.PROTECT, state=State.WORKING, filled=4)
    assert "the stop that protects 6 shares" in (asks.not_cancelled(working, NOON) or "")


def test_an_entry_that_fills_in_its_cancel_was_not_cancelled() -> None:
    """Where the rest of an entry fills before its cancel the answer says so, and that the wish was not fulfilled."""
    bench = Bench()
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 40
    bench.exchange.in_cancel = lambda row: bench.exchange.fill(row.order_id, 59, Decimal("100.02"))
    bench.send(bench.signal())
    bench.at(6, lambda: _ask(bench, AskKind.CANCEL, intent_id=_entry(bench).intent_id))
    bench.run(14)
    assert (_asked(bench).done, _asked(bench).answer[-26:]) == (False, "is filled, 99 of 99 filled")
    assert safety(bench) == []


def test_a_cancel_waits_while_its_entry_is_being_sent() -> None:
    """While the place of an entry is under way its cancel says that it waits, and is asked for once the list has it."""
    bench = Bench()
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 40
    bench.gate.faults[calls().index("place") + 2] = Fault(how="slow", seconds=12)
    bench.send(bench.signal())
    bench.at(2, lambda: _ask(bench, AskKind.CANCEL, intent_id=_entry(bench).intent_id))
    bench.at(2.5, bench.tick)
    bench.run(8)
    assert (_entry(bench).state, _asked(bench).progress[:16]) == (State.PLACING, "it is being sent")
    assert bench.exchange.cancels == []
    bench.run(40)
    assert (_entry(bench).state, _asked(bench).done) == (State.CANCELLED, True)


def test_a_reconcile_shows_first_and_books_when_it_is_confirmed() -> None:
    """A reconcile says what is missing and since when; confirmed it books that by a second look, and says what."""
    bench = Bench()
    bench.exchange.guards_shares = True
    bench.send(bench.signal())
    bench.at(70, lambda: bench.exchange.transfer_out(SYMBOL, 40))
    bench.run(72)
    _ask(bench, AskKind.RECONCILE)
    bench.run(12)
    shown = _asked(bench)
    assert (shown.done, shown.shares, shown.answer) == (True, 40, "the account holds less than the book")
    assert shown.lines[0].startswith("IBM: 40 of 99 shares are missing since 15:21 ET; no order of yours")
    _ask(bench, AskKind.RECONCILE, "A2", confirmed=True)
    bench.run(12)
    assert _asked(bench, "A2").progress.startswith("missing: 40 shares")
    bench.run(30)
    booked = _asked(bench, "A2")
    assert (booked.done, booked.shares, booked.answer) == (True, 40, "booked as taken out: 40 shares")
    assert booked.lines == ("IBM: 40 shares booked as taken out, 40 at a price that is not known",)
    assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [59]
    assert safety(bench) == []


def test_a_reconcile_of_what_agrees_says_so() -> None:
    """When the account holds all shares a reconcile answers that, confirmed or not."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(10)
    _ask(bench, AskKind.RECONCILE)
    _ask(bench, AskKind.RECONCILE, "A2", confirmed=True)
    bench.run(60)
    assert _asked(bench).answer == "the account holds all that the book does"
    assert (_asked(bench, "A2").answer, _asked(bench, "A2").done) == ("nothing was booked", True)


def test_a_reconcile_says_what_proves_nothing() -> None:
    """A miss that a sell in doubt may explain is said with that sell, and nothing is booked."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how="lost_before", price_type=PriceType.STOP))
    bench.send(bench.signal())
    bench.at(5, lambda: bench.exchange.transfer_out(SYMBOL, 99))
    bench.run(10)
    _ask(bench, AskKind.RECONCILE)
    bench.run(10)
    (line,) = _asked(bench).lines
    assert f"our sell {bench.orders()[1].intent_id} is in doubt" in line
    assert not bench.store.query("taken")


def test_a_wish_that_nobody_worked_says_so() -> None:
    """A wish that is older than ten minutes is not done any more, and its answer says that nobody worked it."""
    bench = Bench()
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 0
    bench.send(bench.signal())
    bench.run(4)
    wish = Ask(
        ask_id="A1",
        kind=AskKind.CANCEL,
        at=bench.kernel.now() - timedelta(minutes=11),
        intent_id=_entry(bench).intent_id,
    )
    asks.ask(bench.desks[SETTLEMENT], wish)
    bench.run(6)
    assert _asked(bench).answer == "no function handled it for 10 minutes: repeat the command"
    assert bench.exchange.cancels == []


@pytest.mark.parametrize("how", ["before", "after", "down_after"])
def test_a_resolve_that_breaks_anywhere_is_done_once(how: str) -> None:
    """After one fault at any call between wish and stop the order is adopted once and its shares are protected."""
    names = _resolved({}).gate.names
    adopted = next(k for k, name in enumerate(names) if "asks" in name and "broker_orders" in name)
    for k in range(adopted - 8, names.index("place", adopted) + 2):
        if how == "down_after" and not names[k].startswith("commit"):
            continue
        bench = _resolved({k + 1: Fault(how=how)})
        where = f"{how} at call {k + 1} ({names[k]})"
        assert (_entry(bench).state, _entry(bench).broker_order_id) == (State.FILLED, 502), where
        assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [99], where
        assert (_asked(bench).done, safety(bench)) == (True, []), where


def _resolved(faults: Mapping[int, Fault]) -> Bench:
    bench = _manual(faults, fills=99)
    bench.looking = False
    _ask(bench, AskKind.RESOLVE, intent_id=_entry(bench).intent_id, broker_order_id=502)
    bench.run(120)
    return bench


def test_candidates_that_the_owner_ended_by_hand_are_no_late_acceptance() -> None:
    """When the owner ends every candidate the case is over: none is claimed or cancelled, and entries go on."""
    bench = _manual()
    bench.at(40, lambda: bench.exchange.end(501, BrokerStatus.CANCELLED))
    bench.at(40, lambda: bench.exchange.end(502, BrokerStatus.CANCELLED))
    bench.run(150)
    assert _entry(bench).state is State.NOT_PLACED
    assert not bench.store.query("broker_orders")
    assert control.current(bench.desks[SETTLEMENT]).value.state is TradingState.ACTIVE
