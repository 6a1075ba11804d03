"""Damaged order lists meet the book: it takes what they state, and is exact once a sound list follows."""

import json
from dataclasses import replace
from decimal import Decimal

from infra.one_machine.memory_store import MemoryStore
from shared.codec import decode
from shared.domain.base.values import Side
from shared.domain.orders.orders import Order, State
from shared.domain.orders.positions import Fill, Ledger, standing
from shared.etrade import parse_orders, parse_rows
from shared.usecases.base.desk import create, read
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.claims import claim
from shared.usecases.orders.fills import book_seen, position_path, rows_of
from shared.usecases.orders.moves import held_order, ledger_path, order_path
from shared.usecases.settling.resolve import resolve
from tests.domain.made import NOON, position
from tests.etrade.test_rows_mutated import DOUBTFUL, LEG, OURS, TWIN, figure, mixture, row_of, stated
from tests.usecases.bench import Bench
from tests.usecases.post import SETTLEMENT

MIXTURES = 200
MINE = {number: replace(one, intent_id=f"I{number}", position_id=f"P{number}") for number, one in OURS.items()}
LOST = replace(DOUBTFUL, intent_id="I700", position_id="P700")


def booked(base: TradingDesk) -> TradingDesk:
    """Give a desk whose book has three orders at the broker, one in doubt, and the positions that they sell."""
    desk = replace(base, store=MemoryStore())
    held = [one for one in (*MINE.values(), LOST) if one.side is Side.SELL]
    desk.store.commit([
        *(create(order_path(one.intent_id), one) for one in (*MINE.values(), LOST)),
        *(claim(one, number) for number, one in MINE.items()),
        *(create(position_path(one.symbol), position(
            symbol=one.symbol, position_id=one.position_id, quantity=one.quantity - one.filled,
            average_cost=Decimal(40), opened_at=NOON,
        )) for one in held),
        *(create(f"fills/{number}:{one.filled:09d}", Fill(
            intent_id=one.intent_id, broker_order_id=number, position_id=one.position_id, symbol=one.symbol,
            side=one.side, quantity=one.filled, price=one.average_price, cumulative=one.filled, realized=Decimal(0),
            reason=one.reason, at=NOON,
        )) for number, one in MINE.items() if one.average_price is not None),
        create(ledger_path(LOST.session), Ledger(session=LOST.session, reserved=Decimal(5000))),
    ])  # fmt: skip
    return desk


def look(desk: TradingDesk, rows: list[object]) -> None:
    """Let the book meet a list of these rows."""
    listing = parse_rows.joined(parse_orders.orders(json.dumps({"OrdersResponse": {"Order": rows}}).encode()).orders)
    for one in (*MINE.values(), LOST):
        held = held_order(desk, one.intent_id)
        assert held is not None
        if held.value.state is State.UNKNOWN:
            held = resolve(desk, held, listing, account_key="key")
        for seen in rows_of(held.value, listing):
            held = book_seen(desk, held, seen)


def orders(desk: TradingDesk) -> dict[str, Order]:
    """Give the orders by their names."""
    return {
        row.value.intent_id: row.value for one in (*MINE.values(), LOST) if (row := held_order(desk, one.intent_id))
    }


def fills(desk: TradingDesk, name: str) -> list[Fill]:
    """Give the fills of one order that stand."""
    found = standing(decode(Fill, row.data) for row in desk.store.query("fills"))
    return [fill for fill in found if fill.intent_id == name]


def test_a_damaged_list_books_only_what_it_states_and_a_sound_one_puts_it_right() -> None:
    """Whatever a list has, shares are booked as stated, nobody's order is claimed, and a sound list makes it exact."""
    base, guessed = Bench().desks[SETTLEMENT], 0
    for seed in range(MIXTURES):
        desk, made = booked(base), mixture(seed)
        look(desk, made.rows)
        seen = orders(desk)
        for number, one in MINE.items():
            rows = [row for row in made.rows if figure(stated(row, "orderId")) == number]
            filled = seen[one.intent_id].filled
            assert filled in (one.filled, *(figure(stated(row, *LEG, "filledQuantity")) for row in rows)), seed
            assert sum(fill.quantity for fill in fills(desk, one.intent_id)) == filled, seed
            guessed += seen[one.intent_id].provisional
        claims = {row.path for row in desk.store.query("broker_orders")}
        assert claims <= {f"broker_orders/{number}" for number in (*MINE, TWIN)}, seed
        look(desk, [row_of(one, number, one.quantity) for number, one in {**MINE, TWIN: LOST}.items()])
        _exact(desk, seed)
    assert guessed > MIXTURES // 20


def _exact(desk: TradingDesk, seed: int) -> None:
    """Check that every order has all its shares at the price of the sound list, and the ledger their profit."""
    profit = Decimal(0)
    for one in (*MINE.values(), LOST):
        after = orders(desk)[one.intent_id]
        found = fills(desk, one.intent_id)
        price = one.limit_price or one.stop_price or Decimal(0)
        assert (after.filled, after.average_price, after.provisional) == (one.quantity, price, False), (seed, after)
        paid = sum((fill.price * fill.quantity for fill in found), Decimal(0))
        assert abs(paid - price * one.quantity) < Decimal("0.0001"), (seed, found)
        profit += sum((fill.realized for fill in found), Decimal(0))
    ledger = read(desk.store, Ledger, ledger_path(LOST.session))
    assert ledger is not None
    assert ledger.value.realized == profit, seed


def test_a_sound_list_books_everything_at_once() -> None:
    """The check above means something: a sound list alone makes the book exact."""
    desk = booked(Bench().desks[SETTLEMENT])
    rows: list[object] = [row_of(one, number, one.quantity) for number, one in {**MINE, TWIN: LOST}.items()]
    look(desk, rows)
    _exact(desk, 0)
