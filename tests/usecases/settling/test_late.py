"""An order that was given up and that the broker has after all: claimed and booked in steps that no death parts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.codec import decode
from shared.domain.base.values import PriceType, Side
from shared.domain.control.asks import Ask, AskKind
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.positions import Ledger
from shared.domain.telling.hand_notices import OrderAmbiguous, OrderCameLate
from shared.domain.telling.notices import event_of
from shared.ports import Create, Store, Write
from shared.usecases.base import outbox
from shared.usecases.control import control
from shared.usecases.settling import asks
from tests.usecases.bench import SYMBOL, Bench, Variant
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.post import SETTLEMENT
from tests.usecases.proofs import safety

NAKED_AT_MOST = timedelta(seconds=64)
"""From one minute's tick to the next one's, and the stop: without a fault, and with any single one twice that."""


def _entry(bench: Bench) -> Order:
    return next(order for order in bench.orders() if order.kind is Kind.ENTRY)


def _late(
    faults: Mapping[int, Fault] | None = None, *, fills: int | None = None, twins: int = 1,
    variant: Variant | None = None, comes: Callable[[Bench], object] = lambda bench: None,
) -> Bench:  # fmt: skip
    """Let an entry be given up by the owner's word, and the broker have it a minute later, filled by so many shares."""
    bench = Bench(faults=faults, variant=variant)
    bench.looking = False
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, fills
    bench.exchange.scripts.append(Script(how="lost_before", side=Side.BUY))
    bench.send(bench.signal())
    bench.run(32)
    wish = Ask(ask_id="A1", kind=AskKind.RESOLVE, at=bench.kernel.now(), intent_id=_entry(bench).intent_id)
    asks.ask(bench.desks[SETTLEMENT], wish)
    bench.run(38)
    assert (_entry(bench).state, bench.store.query("locks")) == (State.NOT_PLACED, [])
    comes(bench)
    for _ in range(twins):
        bench.exchange.accept(_entry(bench).ticket)
    bench.run(170)
    return bench


def _told(bench: Bench) -> list[OrderCameLate | OrderAmbiguous]:
    sent = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    mine = [one for one in sent if isinstance(one, OrderCameLate | OrderAmbiguous)]
    return list({event_of(one): one for one in mine}.values())


def _state(bench: Bench) -> TradingState:
    return control.current(bench.desks[SETTLEMENT]).value.state


def _unlike(bench: Bench, filled: int) -> list[str]:
    """Name what is not as it has to be once an entry came late that filled so many shares."""
    entry, held = _entry(bench), {one.symbol: one.quantity for one in bench.positions()}
    stops = sum(stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL))
    found = [] if held == {SYMBOL: filled} else [f"the book holds {held}"]
    found += [] if stops == filled else [f"stops over {stops}"]
    found += [] if not entry.live and entry.filled == filled else [f"{entry.state}, {entry.filled} filled"]
    found += [f"broker order {row.order_id} is open" for row in bench.exchange.live(SYMBOL, Side.BUY)]
    found += [] if _state(bench) is TradingState.REDUCE_ONLY else [f"trading is {_state(bench)}"]
    found += [] if [type(one) for one in _told(bench)] == [OrderCameLate] else [f"told {_told(bench)}"]
    return found + safety(bench)


def test_a_late_entry_that_has_filled_is_booked_and_protected() -> None:
    """Shares that a given-up entry bought before anybody looked are a position behind a stop, and the owner is told."""
    bench = _late()
    assert _unlike(bench, 99) == []
    assert bench.exchange.naked() <= NAKED_AT_MOST
    (told,) = _told(bench)
    assert isinstance(told, OrderCameLate)
    assert (told.order_id, told.filled, told.booked) == (501, 99, True)
    (ledger,) = (decode(Ledger, row.data) for row in bench.store.query("ledger"))
    assert (ledger.reserved, ledger.entries, bench.store.query("locks")) == (Decimal(0), 1, [])


def test_a_late_entry_that_is_open_is_cancelled_and_what_fills_meanwhile_is_booked() -> None:
    """Of an entry that comes late and open the rest is cancelled, and shares that fill in the cancel are ours too."""
    bench = _late(
        fills=40,
        comes=lambda bench: setattr(
            bench.exchange, "in_cancel", lambda row: bench.exchange.fill(row.order_id, 10, Decimal("100.02"))
        ),
    )
    assert _unlike(bench, 50) == []
    assert (_entry(bench).state, bench.exchange.cancels) == (State.CANCELLED, [501])


@pytest.mark.parametrize(("how", "fills"), [("before", None), ("after", 40), ("down_after", None), ("conflict", 40)])
def test_a_late_entry_is_booked_whatever_breaks(how: str, fills: int | None) -> None:
    """After one fault at any call from its finding to its stop the late entry is booked once, protected and told."""
    names = _late(fills=fills).gate.names
    taken = next(k for k, name in enumerate(names) if "Update:orders" in name and "Create:broker_orders" in name)
    for k in range(taken - 10, names.index("place", taken) + 2):
        if how in {"down_after", "conflict"} and not names[k].startswith("commit"):
            continue
        bench = _late({k + 1: Fault(how=how)}, fills=fills)
        where = f"{how} at call {k + 1} ({names[k]})"
        assert (where, _unlike(bench, fills or 99)) == (where, [])
        assert bench.exchange.naked() <= 2 * NAKED_AT_MOST, where


class _ClaimsAlone:
    """A store that keeps of the commit which takes a late order up again only the claim: what was done before."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.get, self.query = store.get, store.query

    def commit(self, writes: Sequence[Write]) -> tuple[str, ...]:
        """Leave the order as it was."""
        claims = [one for one in writes if isinstance(one, Create) and one.path.startswith("broker_orders/")]
        late = any("OrderCameLate" in str(getattr(one, "data", "")) or "order_came_late" in one.path for one in writes)
        if not (claims and late):
            return self._store.commit(writes)
        self._store.commit(claims)
        return tuple("gone" for _ in writes)


def test_a_claim_alone_would_be_found() -> None:
    """Where the claim is all that is written, the checks of these tests name shares that no book and no stop has."""
    found = _unlike(_late(variant=Variant(store=_ClaimsAlone)), 99)
    assert {"the book holds {}", "stops over 0", "NOT_PLACED, 0 filled"} <= set(found)


def test_two_late_orders_that_look_like_an_entry_wait_for_a_person() -> None:
    """Two orders that could be a given-up entry make it a case for a person, which holds cash and symbol again."""
    bench = _late(twins=2, fills=0)
    entry, (told,) = _entry(bench), _told(bench)
    assert (entry.state, bool(entry.reserved), len(bench.store.query("locks"))) == (State.MANUAL, True, 1)
    assert isinstance(told, OrderAmbiguous)
    assert (_state(bench), bench.exchange.cancels, safety(bench)) == (TradingState.REDUCE_ONLY, [], [])


def test_a_late_entry_joins_the_position_that_has_its_symbol_by_now() -> None:
    """Where another entry holds the symbol by then, its position takes the late shares, and stops cover all."""

    def again(bench: Bench) -> None:
        bench.send(bench.signal(slot=2))
        bench.run(20)

    bench = _late(comes=again)
    (position,) = bench.positions()
    late, other = (order for order in bench.orders() if order.kind is Kind.ENTRY)
    assert (late.joined, other.joined, position.position_id) == (True, False, other.intent_id)
    assert position.quantity == late.filled + other.filled == 99 + other.quantity
    assert sum(stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)) == position.quantity
    assert (_state(bench), safety(bench)) == (TradingState.REDUCE_ONLY, [])


def _late_stop(price: str) -> Bench:
    """Let a lost stop be given up and replaced, and the broker have it after all while the market is at a price."""
    bench = Bench()
    bench.looking = False
    bench.exchange.scripts.append(Script(how="lost_before", price_type=PriceType.STOP))
    bench.send(bench.signal())
    bench.run(60)
    lost, again = bench.orders()[1:]
    assert (lost.state, again.state) == (State.NOT_PLACED, State.WORKING)
    bench.exchange.prices[SYMBOL] = (Decimal(price), Decimal(price))
    bench.exchange.accept(lost.ticket)
    return bench


def test_a_late_sell_that_has_filled_is_booked_and_no_other_sells_its_shares() -> None:
    """Shares that a late stop sold leave the book, and the stop that took its place is cancelled first."""
    bench = _late_stop("99.00")
    bench.run(80)
    lost, again = bench.orders()[1:]
    assert (lost.state, lost.filled, again.state) == (State.FILLED, 99, State.CANCELLED)
    assert [(one.quantity, one.is_open) for one in bench.positions()] == [(0, False)]
    assert not bench.exchange.live(SYMBOL, Side.SELL)
    assert [text for text in safety(bench) if not text.startswith("oversold")] == []


def test_a_late_sell_of_shares_that_another_has_sold_is_told_and_halts_nothing() -> None:
    """Where the shares of a late sell were sold by another one, nothing is booked, and the owner is told at once."""
    bench = _late_stop("99.00")
    bench.exchange.set_price(SYMBOL, "99.00", "99.02")
    assert not bench.exchange.live(SYMBOL, Side.SELL)
    bench.run(4)
    bench.run(140)
    (told,) = _told(bench)
    assert isinstance(told, OrderCameLate)
    assert (told.booked, told.filled, told.side) == (False, 99, Side.SELL)
    assert [(one.quantity, one.is_open) for one in bench.positions()] == [(0, False)]
    assert (_state(bench), bench.orders()[1].state) == (TradingState.REDUCE_ONLY, State.NOT_PLACED)
