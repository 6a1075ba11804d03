"""Order lists in which anything may be damaged: ours is never hidden, nobody's becomes ours, no fill is invented.

Each mixture has 1 to 200 rows: rows of three orders of ours, perhaps the row of an order in doubt, the owner's own, and
any of them with fields gone, or something else in their place. What a row states is read here once more, as a person
would, and compared. `Reading` is what is tested; the seeded mistakes are readings that break one promise each.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.domain.orders.orders import Licence, Order, State
from shared.domain.orders.own_rows import Said, said
from shared.etrade import parse_orders, parse_rows
from shared.usecases.settling.resolve import could_be
from tests.domain.made import NOON, order
from tests.etrade import samples
from tests.etrade.mutations import mutated

FAST, LONG = 2_000, 100_000
PARTS = 10
NOON_MS = int(NOON.timestamp()) * 1000
OWNERS = ("MSFT", "ZZVT", "IBM", "GE")
STRANGE: tuple[dict[str, object], ...] = (
    {"orderedQuantity": 10.4321, "filledQuantity": 10.4321}, {"quantityType": "DOLLAR"}, {"quantityType": "ALL_I_OWN"},
    {"orderAction": "SELL_SHORT"}, {"Product": {"symbol": "IBM", "securityType": "OPTN"}}, {},
)  # fmt: skip
NO_PRICE: tuple[object, ...] = (None, "", 0, -1, "dear", [], 10**9, 0.0001)
WORKING: dict[str, Any] = {"state": State.WORKING}
OURS = {
    501: order(broker_order_id=501, quantity=99, limit_price=Decimal("100.10"), **WORKING),
    502: order(
        broker_order_id=502, symbol="AIG", side=Side.SELL, quantity=40, price_type=PriceType.STOP, limit_price=None,
        stop_price=Decimal("48.20"), filled=7, average_price=Decimal("48.19"), **WORKING,
    ),
    503: order(broker_order_id=503, symbol="KO", side=Side.SELL, quantity=12, limit_price=Decimal("39.95"), **WORKING),
}  # fmt: skip
DOUBTFUL = order(
    symbol="GE", side=Side.SELL, quantity=25, price_type=PriceType.STOP, limit_price=None, stop_price=Decimal("24.10"),
    state=State.UNKNOWN,
    licence=Licence(nonce="n", signed_at=NOON, deadline=NOON + timedelta(seconds=5), baseline=(501, 502), epoch=1),
)  # fmt: skip
TWIN = 700


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a list is read, an order in doubt is found in it, and a row of ours is used."""

    rows: Callable[[bytes], tuple[BrokerOrder, ...]] = lambda raw: parse_rows.joined(parse_orders.orders(raw).orders)
    could_be: Callable[[Order, BrokerOrder], bool] = could_be
    said: Callable[..., Said] = said


def row_of(one: Order, order_id: int, filled: int) -> dict[str, Any]:
    """Give the well-formed row of an order of ours."""
    price = one.limit_price or one.stop_price
    leg = {
        "orderAction": one.side.value, "orderedQuantity": one.quantity, "filledQuantity": filled,
        "averageExecutionPrice": str(price) if filled else 0, "Product": {"symbol": one.symbol, "securityType": "EQ"},
    }  # fmt: skip
    return samples.order(
        order_id, leg=leg, placedTime=NOON_MS + order_id, status="EXECUTED" if filled == one.quantity else "OPEN",
        priceType=one.price_type.value, limitPrice=str(one.limit_price or 0), stopPrice=str(one.stop_price or 0),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """The rows of one list, and those rows of ours of which nothing was changed and no other copy is in it."""

    rows: list[Any]
    sound: dict[int, dict[str, Any]]


def mixture(seed: int) -> Mixture:
    """Make one mixture; most are short, and some have 200 rows."""
    chance = Random(f"rows/{seed}")
    rows: list[Any] = []
    sound: dict[int, dict[str, Any]] = {}
    for order_id, one in {**OURS, TWIN: DOUBTFUL}.items():
        if chance.random() < 0.6:
            row = row_of(one, order_id, chance.choice((0, one.filled, one.filled + 1, one.quantity)))
            how = chance.random()
            if how < 0.5:
                sound[order_id] = row
                rows.append(row)
            elif how < 0.6:
                row["OrderDetail"][0]["Instrument"][0]["averageExecutionPrice"] = chance.choice(NO_PRICE)
                rows.append(row)
            else:
                rows += mutated([row], chance, changes=chance.randint(1, 3))
    size = 200 if chance.random() < 0.01 else chance.randint(0, 14)
    for number in range(max(size - len(rows), 0 if rows else 1)):
        leg = {"Product": {"symbol": chance.choice(OWNERS), "securityType": "EQ"}, **chance.choice(STRANGE)}
        row = samples.order(900_000 + number, leg=leg, placedTime=NOON_MS + number)
        rows += mutated([row], chance, changes=1) if chance.random() < 0.5 else [row]
    chance.shuffle(rows)
    return Mixture(rows=rows, sound=sound)


def stated(row: Any, *names: str) -> Any:
    """Follow names into a row as a person would: a list of one is that one; None where there is nothing to follow."""
    for name in names:
        part = row.get(name) if isinstance(row, dict) else None
        row = part[0] if isinstance(part, list) and len(part) == 1 else part
    return row


def figure(value: Any) -> Decimal | None:
    """Read a number, or a text that is one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return None


LEG = ("OrderDetail", "Instrument")


def fingerprint(row: Any) -> tuple[object, ...]:
    """Give what a row states of an order: enough to tell whether it is the one in doubt."""
    return (
        stated(row, *LEG, "Product", "symbol"), stated(row, *LEG, "orderAction"),
        figure(stated(row, *LEG, "orderedQuantity")), stated(row, "OrderDetail", "priceType"),
        figure(stated(row, "OrderDetail", "stopPrice")),
    )  # fmt: skip


def check(seed: int, reading: Reading) -> int:
    """Check the three promises of one mixture; gives how many rows it had."""
    made = mixture(seed)
    found = reading.rows(json.dumps({"OrdersResponse": {"Order": made.rows}}).encode())
    _nothing_hidden(seed, made, found)
    _nobody_becomes_ours(seed, made, found, reading)
    for order_id, one in OURS.items():
        rows = [row for row in made.rows if figure(stated(row, "orderId")) == order_id]
        _no_fill_invented(seed, one, rows, [seen for seen in found if seen.order_id == order_id], reading)
    return len(made.rows)


def _nothing_hidden(seed: int, made: Mixture, found: Iterable[BrokerOrder]) -> None:
    by_id = {seen.order_id: seen for seen in found}
    for order_id, row in made.sound.items():
        seen = by_id.get(order_id)
        assert seen is not None, (seed, order_id)
        assert not seen.odd, (seed, order_id)
        filled = stated(row, *LEG, "filledQuantity")
        assert (seen.symbol, seen.filled) == (stated(row, *LEG, "Product", "symbol"), filled), (seed, order_id)
        assert seen.status is BrokerStatus(stated(row, "OrderDetail", "status")), (seed, order_id)
    if TWIN in made.sound:
        assert could_be(DOUBTFUL, by_id[TWIN]), seed


def _nobody_becomes_ours(seed: int, made: Mixture, found: Iterable[BrokerOrder], reading: Reading) -> None:
    ids = [figure(stated(row, "orderId")) for row in made.rows]
    wanted = (DOUBTFUL.symbol, "SELL", Decimal(25), "STOP", DOUBTFUL.stop_price)
    twins = [figure(stated(row, "orderId")) for row in made.rows if fingerprint(row) == wanted]
    for seen in found:
        assert seen.order_id is None or Decimal(seen.order_id) in ids, (seed, seen)
        if reading.could_be(DOUBTFUL, seen):
            assert seen.order_id in twins, (seed, seen)


def _no_fill_invented(seed: int, one: Order, rows: list[Any], seen: list[BrokerOrder], reading: Reading) -> None:
    assert len(seen) <= 1, (seed, seen)
    reference = one.limit_price or one.stop_price
    for row in seen:
        use = reading.said(one, row, reference=reference)
        assert one.filled <= use.filled <= one.quantity, (seed, use)
        if use.filled > one.filled:
            assert use.filled in [figure(stated(row, *LEG, "filledQuantity")) for row in rows], (seed, use)
            assert (row.symbol or one.symbol, row.side or one.side) == (one.symbol, one.side), (seed, row)
        if use.average_price is not None:
            prices = [figure(stated(row, *LEG, "averageExecutionPrice")) for row in rows]
            assert use.average_price in prices, (seed, use)


def _check_all(seeds: Iterable[int], reading: Reading) -> list[int]:
    return [check(seed, reading) for seed in seeds]


def test_two_thousand_mixtures_are_read_as_they_are() -> None:
    """Of any mixture our well-formed rows are read, no foreign row becomes ours, and no fill is booked unstated."""
    sizes = _check_all(range(FAST), Reading())
    assert (min(sizes), max(sizes)) == (1, 200)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_mixtures_are_read_as_they_are(part: int) -> None:
    """The same over a hundred thousand mixtures."""
    assert max(_check_all(range(part * LONG // PARTS, (part + 1) * LONG // PARTS), Reading())) == 200


def _stops_at_the_first_odd_row(raw: bytes) -> tuple[BrokerOrder, ...]:
    rows = parse_rows.joined(parse_orders.orders(raw).orders)
    odd = [at for at, row in enumerate(rows) if row.odd]
    return rows[: odd[0]] if odd else rows


def _ignores_what_is_odd(one: Order, seen: BrokerOrder) -> bool:
    filled_in = replace(
        seen, odd=(), side=seen.side or one.side, quantity=seen.quantity or one.quantity,
        stop_price=seen.stop_price or one.stop_price, placed_at=seen.placed_at or NOON,
    )  # fmt: skip
    return could_be(one, filled_in)


def _takes_an_end_for_a_fill(one: Order, seen: BrokerOrder, *, reference: Decimal | None) -> Said:
    use = said(one, seen, reference=reference)
    return replace(use, filled=one.quantity) if seen.status is BrokerStatus.EXECUTED else use


@pytest.mark.parametrize(
    "mistaken",
    [
        Reading(rows=_stops_at_the_first_odd_row),
        Reading(could_be=_ignores_what_is_odd),
        Reading(said=_takes_an_end_for_a_fill),
    ],
    ids=["hides", "adopts", "invents"],
)
def test_each_promise_can_be_broken(mistaken: Reading) -> None:
    """A reading that hides rows, adopts what is not ours or makes up a fill is found within some hundred mixtures."""
    with pytest.raises(AssertionError):
        _check_all(range(600), mistaken)
