"""Whoever writes in the book buys nothing beyond the owner's limits, and sells nothing that is not held."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.codec import decode, loads
from shared.domain.base.ids import intent_id
from shared.domain.base.values import PriceType, Side, Term, Venue
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, Order, PreviewRecord, State
from shared.domain.orders.positions import Ledger
from shared.domain.risk.last_check import Found
from shared.usecases.base import outbox
from shared.usecases.base.desk import Held, put
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.orders import send as place_once
from shared.usecases.orders.moves import begin, held_order, ledger_path, lock_path, move
from shared.usecases.orders.send import send
from tests.usecases.bench import START, SYMBOL, Bench
from tests.usecases.post import PLACEMENT, SETTLEMENT
from tests.usecases.proofs import safety

Sender = Callable[[TradingDesk, Held[Order]], Held[Order]]


def checked(desk: TradingDesk, held: Held[Order]) -> Held[Order]:
    return send(desk, held, account_key="key", expires_at=None, listing=())


def _unchecked(desk: TradingDesk, held: Held[Order]) -> Held[Order]:
    """Send as `send` does, without its last check: the seeded mistake."""
    held = place_once._preview(desk, held, "key")
    held = place_once._license(desk, held, Found(), life=timedelta(seconds=5), expires_at=None, baseline=())
    return place_once._post(desk, held, "key")


def approved(bench: Bench, *, previewed: bool = False, **changes: Any) -> Held[Order]:
    """Write an order that looks approved, with a sound audit chain, as whoever can write in the book could."""
    desk, now = bench.desks[SETTLEMENT], bench.kernel.now()
    made: dict[str, Any] = {
        "intent_id": "FORGED", "kind": Kind.ENTRY, "position_id": "FORGED", "signal_id": None, "strategy": "momentum",
        "reason": "forged", "symbol": SYMBOL, "side": Side.BUY, "venue": Venue.SANDBOX, "quantity": 10,
        "price_type": PriceType.LIMIT, "term": Term.IMMEDIATE_OR_CANCEL, "limit_price": Decimal("100.05"),
        "stop_price": None, "stop_distance": Decimal(1), "spread": Decimal("0.02"), "session": START.date(),
        "decided_at": now, "created_at": now, "updated_at": now, "payload_hash": "0",
    }  # fmt: skip
    order = Order(**{**made, **changes})
    held = begin(desk, order, cause="forged")
    value = order.limit_price * order.quantity if order.kind is Kind.ENTRY and order.limit_price else Decimal(0)
    held = move(desk, held, State.RESERVED, cause="every rule approves", reserved=value)
    seen = PreviewRecord(
        preview_ids=(7,), at=now, request_hash=held.value.request_hash, estimated_total=value, attempt=1
    )  # fmt: skip
    return move(desk, held, State.PREVIEWED, cause="the broker would take it", preview=seen) if previewed else held


def _stop(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": Kind.PROTECT, "side": Side.SELL, "price_type": PriceType.STOP, "term": Term.GOOD_UNTIL_CANCEL,
        "limit_price": None, "stop_price": Decimal("99.00"),
    }  # fmt: skip
    return {**made, **changes}


def _exit(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": Kind.EXIT, "side": Side.SELL, "term": Term.GOOD_FOR_DAY, "limit_price": Decimal("99.95"),
    }  # fmt: skip
    return {**made, **changes}


def _told(bench: Bench) -> list[str]:
    waiting = [decode(outbox.Row, row.data).body for row in bench.store.query("outbox")]
    sent = [data.decode() for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    return [str(loads(body)["kind"]) for body in [*waiting, *sent]]


FORGED = [
    pytest.param({"quantity": 440, "limit_price": Decimal(220)}, ("NOTIONAL_MAX_ORDER",), id="440 IBM at 220"),
    pytest.param({"quantity": 300, "limit_price": Decimal(205)}, ("NOTIONAL_MAX_ORDER",), id="300 IBM at 205"),
    pytest.param({"quantity": 990, "limit_price": Decimal(220)},
                 ("NOTIONAL_MAX_ORDER", "CAPITAL_MAX"), id="beyond the capital"),
    pytest.param({"side": Side.SELL}, ("SIDE",), id="a short sale as an entry"),
    pytest.param(_stop(position_id="MINE", quantity=200), ("NO_SHORT",), id="a stop for more than is held"),
    pytest.param(_stop(position_id="MINE", quantity=99), ("NO_SHORT",), id="a second stop over the same shares"),
    pytest.param(_exit(position_id="OTHER", quantity=99), ("NOT_HELD",), id="an exit of another position"),
    pytest.param(_exit(position_id="MINE", quantity=99, side=Side.BUY), ("SIDE",), id="an exit that buys"),
]  # fmt: skip


def _attacked(changes: dict[str, Any], *, previewed: bool, by: Sender) -> tuple[Bench, Order]:
    """Hold 99 shares behind a stop, forge an order, and have it sent."""
    bench = Bench()
    bench.looking = False
    bench.exchange.set_price("AIG", "99.99", "100.01")
    bench.at(1, lambda: bench.send(bench.signal()))
    bench.run(30)
    (mine,) = bench.positions()
    if changes.get("position_id") == "MINE":
        changes = {**changes, "position_id": mine.position_id}
    held, sent = approved(bench, previewed=previewed, **changes), list[Order]()
    bench.at(31, lambda: sent.append(by(bench.desks[PLACEMENT], held).value))
    bench.run(2)
    return bench, sent[0]


@pytest.mark.parametrize("previewed", [False, True])
@pytest.mark.parametrize(("changes", "codes"), FORGED)
def test_a_forged_order_is_never_sent_halts_and_is_told(
    changes: dict[str, Any], codes: tuple[str, ...], previewed: bool
) -> None:
    """An order that was written into the book as approved is not sent; trading is halted, and the owner told."""
    bench, order = _attacked(changes, previewed=previewed, by=checked)
    assert bench.exchange.posts["FORGED"] == 0
    assert (order.state, order.codes, order.reserved) == (State.DENIED, codes, Decimal(0))
    state = control.current(bench.desks[PLACEMENT]).value
    assert (state.state, state.exits_too) == (TradingState.HALTED, False)
    assert {"order_forged", "trading_halted"} <= set(_told(bench))
    assert [line["codes"] for line in bench.journal.named("order_forged")] == [",".join(codes)]


@pytest.mark.parametrize(("changes", "codes"), FORGED)
def test_without_the_last_check_a_forged_order_is_sent(changes: dict[str, Any], codes: tuple[str, ...]) -> None:
    """The tests of this file can fail: without the check each forged order reaches the broker, and nobody is told."""
    bench, _ = _attacked(changes, previewed=True, by=_unchecked)
    assert bench.exchange.posts["FORGED"] == 1, codes
    assert "order_forged" not in _told(bench)


@pytest.mark.parametrize("reserves", [False, True])
def test_a_forged_entry_with_its_signal_buys_nothing_and_leaves_the_book_whole(reserves: bool) -> None:
    """440 IBM, forged with signal and message, with the ledger touched or not: not bought, and the ledger is right."""
    bench = Bench()
    signal = bench.signal()
    name = intent_id(kind=Kind.ENTRY, cause=signal.signal_id, session=signal.session)
    approved(
        bench, intent_id=name, position_id=name, signal_id=signal.signal_id, quantity=440, limit_price=Decimal(220)
    )  # fmt: skip
    bench.store.commit([put(lock_path(SYMBOL), {"intent_id": name})])
    if reserves:
        bench.store.commit([put(ledger_path(START.date()), Ledger(session=START.date(), reserved=Decimal(96_800)))])
    bench.at(1, lambda: bench.send(signal, times=2))
    bench.run(70)
    (order,) = bench.orders()
    assert (order.state, bench.exchange.posts.total(), bench.bus.owed) == (State.DENIED, 0, [])
    assert control.current(bench.desks[PLACEMENT]).value.state is TradingState.HALTED
    assert [wrong for wrong in safety(bench) if not wrong.startswith("forged")] == []


def test_what_the_broker_refuses_is_told_all_the_same() -> None:
    """A forged sell that the broker would not take either ends as forged, not as a refusal of the broker's."""
    bench = Bench()
    bench.exchange.guards_shares = True
    held, sent = approved(bench, **_exit(position_id="OTHER", quantity=99)), list[Order]()
    bench.at(1, lambda: sent.append(checked(bench.desks[PLACEMENT], held).value))
    bench.run(4)
    assert (sent[0].state, sent[0].codes) == (State.DENIED, ("NOT_HELD",))
    assert control.current(bench.desks[PLACEMENT]).value.state is TradingState.HALTED


def test_a_refusal_that_dies_on_the_way_is_made_again() -> None:
    """Halting comes before the order's end: one that was halted over and is still there ends at its next message."""
    bench = Bench()
    desk = bench.desks[PLACEMENT]
    held = approved(bench, quantity=440, limit_price=Decimal(220))
    bench.at(1, lambda: control.tighten(desk, TradingState.HALTED, reason="an order of unknown origin was stopped: x"))
    bench.at(2, lambda: checked(desk, held))
    bench.run(4)
    after = held_order(desk, "FORGED")
    assert after is not None
    assert after.value.state is State.DENIED
    assert "order_forged" in _told(bench)


@pytest.mark.parametrize(("bid", "ask"), [("101.10", "101.12"), ("98.90", "98.92")])
def test_a_market_that_moved_away_voids_an_entry_and_halts_nothing(bid: str, ask: str) -> None:
    """An entry that waited, and whose limit lies beyond the collar of the market by now, is voided; trading goes on."""
    bench = Bench()
    desk = bench.desks[PLACEMENT]
    held, sent = approved(bench), list[Order]()
    bench.store.commit([put(ledger_path(START.date()), Ledger(session=START.date(), reserved=held.value.reserved))])
    bench.exchange.set_price(SYMBOL, bid, ask)
    bench.at(1, lambda: sent.append(checked(desk, held).value))
    bench.run(4)
    assert (sent[0].state, sent[0].codes) == (State.VOIDED, ("PRICE_COLLAR",))
    assert control.current(desk).value.state is TradingState.ACTIVE


def test_an_entry_is_judged_on_the_brokers_own_quote_and_not_on_the_scans() -> None:
    """A forged quote of the scan makes no entry dearer: the broker's own is what is judged, and asked for once."""
    bench = Bench()
    bench.store.commit([put(f"quotes/{SYMBOL}", bench.exchange.quote(SYMBOL))])
    bench.exchange.set_price(SYMBOL, "99.49", "99.51")
    bench.looking = False
    bench.send(bench.signal())
    bench.run(6)
    entry = bench.orders()[0]
    assert (entry.limit_price, bench.gate.names.count("quotes")) == (Decimal("99.60"), 1)
