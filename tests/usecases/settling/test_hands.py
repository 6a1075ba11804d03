"""Shares that the owner takes out by hand: booked once, at a known price or none, and everything goes on."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.codec import decode
from shared.domain.base.audit import AuditEvent
from shared.domain.base.values import Side
from shared.domain.broker.brokerage import Holding
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, State
from shared.domain.orders.positions import Ledger, Position
from shared.domain.orders.taken import Taken
from shared.domain.telling.hand_notices import SharesTaken
from shared.domain.telling.notices import DayResult, Notice, event_of
from shared.errors import Unreadable
from shared.usecases.base import outbox
from shared.usecases.base.desk import put
from shared.usecases.control import control
from tests.usecases.bench import CLOSES, SYMBOL, Bench
from tests.usecases.exchange import Exchange
from tests.usecases.gate import Fault
from tests.usecases.lives import NAKED_AT_MOST_S, NAKED_WHEN_FROZEN_S
from tests.usecases.post import SETTLEMENT
from tests.usecases.proofs import safety, wrongs

SOLD_AT_S = 70
"""The owner acts after the first minute tick has seen the shares in the portfolio."""


def _bench(
    deed: Callable[[Exchange], object], *, seconds: float = SOLD_AT_S, faults: Mapping[int, Fault] | None = None
) -> Bench:  # fmt: skip
    """Hold 99 shares behind a stop and let the owner do something at E*TRADE's own page."""
    bench = Bench(faults=faults)
    bench.exchange.guards_shares = True
    bench.send(bench.signal())
    bench.at(seconds, lambda: deed(bench.exchange))
    return bench


def _sold(exchange: Exchange) -> int:
    return exchange.sell_by_hand(SYMBOL, 99, "100.50")


def _taken(bench: Bench) -> list[Taken]:
    return [decode(Taken, row.data) for row in bench.store.query("taken")]


def _told(bench: Bench, kind: type[Notice]) -> list[Notice]:
    sent = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    return list({event_of(one): one for one in sent if isinstance(one, kind)}.values())


def _position(bench: Bench) -> Position:
    (position,) = bench.positions()
    return position


def _until_sealed(bench: Bench) -> None:
    bench.run((CLOSES - bench.kernel.now()).total_seconds() + 400)


def test_shares_that_the_owner_sold_are_booked_at_the_owner_s_price() -> None:
    """A sale by hand closes the position within two looks, at its own price, once, and the owner is told of it."""
    bench = _bench(_sold)
    bench.run(SOLD_AT_S + 124)
    position = _position(bench)
    (taken,) = _taken(bench)
    assert (position.is_open, position.quantity, position.taken_out, position.unpriced) == (False, 0, 99, 0)
    assert (taken.quantity, taken.unpriced, taken.price, taken.realized) == (99, 0, Decimal("100.50"), Decimal("48.51"))
    (ledger,) = (decode(Ledger, row.data) for row in bench.store.query("ledger"))
    assert (ledger.realized, ledger.unpriced, ledger.losses_in_a_row) == (Decimal("48.51"), 0, 0)
    (notice,) = _told(bench, SharesTaken)
    assert isinstance(notice, SharesTaken)
    assert (notice.quantity, notice.unpriced, notice.price, notice.left) == (99, 0, Decimal("100.50"), 0)
    assert wrongs(bench, naked_at_most=3) == []


def test_nothing_is_asked_for_over_shares_that_are_gone() -> None:
    """After the first miss no stop is asked for, the day goes on without a denial, and the close seals the taking."""
    bench = _bench(_sold)
    bench.exchange.set_price("MSFT", "99.99", "100.01")
    bench.run(SOLD_AT_S + 60)
    asked = len(bench.orders())
    bench.run(64)
    bench.send(bench.signal(2, symbol="MSFT"))
    bench.run(20)
    other = next(order for order in bench.orders() if order.symbol == "MSFT" and order.kind is Kind.ENTRY)
    assert other.state is State.FILLED
    assert [order.symbol for order in bench.orders()[asked:]] == ["MSFT", "MSFT"]
    _until_sealed(bench)
    (seal,) = bench.store.query("seals")
    (taken,) = _taken(bench)
    (event,) = (
        decode(AuditEvent, row.data) for row in bench.store.query("audit") if row.data["chain"] == taken.taken_id
    )
    assert seal.data["heads"][taken.taken_id] == taken.audit_head == event.hash
    assert control.current(bench.desks[SETTLEMENT]).value.state is TradingState.ACTIVE
    assert wrongs(bench, naked_at_most=3) == []


def test_shares_that_were_transferred_have_no_made_up_price() -> None:
    """Shares that leave without a sale are booked as unpriced, their stop is cancelled, and the result says so."""
    bench = _bench(lambda exchange: exchange.transfer_out(SYMBOL, 99))
    bench.run(SOLD_AT_S + 140)
    (taken,) = _taken(bench)
    assert (taken.quantity, taken.unpriced, taken.price, taken.realized) == (99, 99, None, Decimal(0))
    assert [(order.kind, order.state) for order in bench.orders()] == [
        (Kind.ENTRY, State.FILLED), (Kind.PROTECT, State.CANCELLED),
    ]  # fmt: skip
    _until_sealed(bench)
    (result,) = _told(bench, DayResult)
    assert isinstance(result, DayResult)
    assert (result.realized, result.unpriced, result.open_positions) == (Decimal(0), 99, ())
    assert wrongs(bench, naked_at_most=3) == []


@pytest.mark.parametrize("deed", ["sold", "transferred"])
def test_what_stays_is_protected_and_sold_as_before(deed: str) -> None:
    """When a part leaves, the rest lies behind a stop of its size within a minute and is sold before the close."""

    def part(exchange: Exchange) -> None:
        if deed == "sold":
            exchange.sell_by_hand(SYMBOL, 40, "100.50")
        else:
            exchange.transfer_out(SYMBOL, 40)

    bench = _bench(part)
    bench.run(SOLD_AT_S + 90)
    (taken,) = _taken(bench)
    assert (taken.quantity, taken.unpriced) == (40, 0 if deed == "sold" else 40)
    assert [order.quantity for order in bench.exchange.live(SYMBOL, Side.SELL)] == [59]
    _until_sealed(bench)
    assert bench.exchange.shares[SYMBOL] == 0
    assert wrongs(bench, naked_at_most=NAKED_AT_MOST_S) == []


def test_a_fill_of_our_stop_that_the_list_shows_late_is_no_taking() -> None:
    """While the list hides for minutes that our stop has filled nothing is taken out, and then the fill is booked."""
    bench = _bench(lambda exchange: exchange.set_price(SYMBOL, "98.90", "98.92"))
    bench.at(
        SOLD_AT_S - 1, lambda: setattr(bench.exchange, "fills_hidden_until", bench.kernel.now() + timedelta(minutes=4))
    )
    bench.run(SOLD_AT_S + 330)
    assert _taken(bench) == []
    assert [order.state for order in bench.orders() if order.kind is Kind.PROTECT] == [State.FILLED]
    assert wrongs(bench, naked_at_most=3) == []


def test_a_portfolio_that_lags_behind_a_purchase_proves_nothing() -> None:
    """Shares that no portfolio has shown yet are not missed for minutes, and their stop stays."""
    bench = _bench(lambda _exchange: None)
    bench.exchange.portfolio = lambda: ()
    bench.run(300)
    assert (_taken(bench), _position(bench).missing) == ([], None)
    assert [order.quantity for order in bench.exchange.live(SYMBOL, Side.SELL)] == [99]


def test_a_cancel_that_is_not_confirmed_may_explain_what_is_missing() -> None:
    """While nobody knows how the cancel of our stop ended nothing is missed, however often the portfolio is asked."""
    bench = _bench(lambda exchange: exchange.transfer_out(SYMBOL, 99))
    bench.exchange.cancel_lost = 100
    bench.at(61, lambda: bench.exchange.set_price(SYMBOL, "101.10", "101.12"))
    bench.run(250)
    assert [order.state for order in bench.orders() if order.kind is Kind.PROTECT] == [State.CANCEL_REQ]
    assert (_taken(bench), _position(bench).missing) == ([], None)


def test_shares_that_come_back_while_they_are_booked_stay() -> None:
    """When another look has seen the shares again by the time of the booking nothing is booked."""
    names = _life().gate.names
    booked = next(k for k, name in enumerate(names) if "Create:taken" in name)
    look = max(k for k, name in enumerate(names[:booked]) if name == "get positions")

    def seen_again() -> None:
        (held,) = bench.positions()
        bench.store.commit([put(f"positions/{SYMBOL}", replace(held, missing=None))])

    bench = _bench(
        lambda exchange: exchange.transfer_out(SYMBOL, 40), faults={look + 1: Fault(how="deed", deed=seen_again)}
    )
    bench.looking = False
    bench.run(SOLD_AT_S + 90)
    assert len(bench.gate.names) > booked
    assert _taken(bench) == []


def test_the_owner_s_own_sale_proves_what_no_portfolio_showed() -> None:
    """Shares that are sold by hand before any portfolio showed them are booked after two looks all the same."""
    bench = _bench(_sold, seconds=20)
    bench.run(190)
    assert [taken.quantity for taken in _taken(bench)] == [99]
    assert wrongs(bench, naked_at_most=3) == []


def test_one_portfolio_without_the_shares_changes_nothing() -> None:
    """A single look that misses the shares is forgotten with the next that shows them, and the stop stays."""
    bench = _bench(lambda exchange: setattr(exchange, "portfolio", lambda: ()))
    bench.at(SOLD_AT_S + 60, lambda: setattr(bench.exchange, "portfolio", bench.exchange.holdings))
    bench.run(SOLD_AT_S + 60)
    assert _position(bench).missing is not None
    bench.run(180)
    assert (_taken(bench), _position(bench).missing) == ([], None)
    assert [order.quantity for order in bench.exchange.live(SYMBOL, Side.SELL)] == [99]


def test_looks_that_are_close_together_count_as_one() -> None:
    """Two looks less than thirty seconds apart book nothing."""
    bench = _bench(_sold)
    bench.run(118)
    for _ in range(8):
        bench.tick()
        bench.run(2)
    assert _position(bench).missing is not None
    assert _taken(bench) == []


def test_a_portfolio_that_cannot_be_read_misses_nothing() -> None:
    """Settlement goes on without a portfolio: nothing is missed and the stop follows the price."""

    def unreadable() -> tuple[Holding, ...]:
        raise Unreadable("quantity is missing")

    bench = _bench(lambda exchange: setattr(exchange, "portfolio", unreadable))
    bench.at(90, lambda: bench.exchange.set_price(SYMBOL, "101.10", "101.12"))
    bench.run(250)
    assert (_taken(bench), _position(bench).missing) == ([], None)
    assert [order.kind for order in bench.orders()] == [Kind.ENTRY, Kind.PROTECT, Kind.MOVE]
    assert safety(bench) == []


def test_shares_beyond_ours_are_the_owner_s() -> None:
    """What the account holds beyond our book is left alone."""
    bench = _bench(lambda exchange: exchange.shares.update({SYMBOL: 50}))
    bench.run(250)
    assert (_taken(bench), _position(bench).quantity, _position(bench).missing) == ([], 99, None)
    assert [order.quantity for order in bench.exchange.live(SYMBOL, Side.SELL)] == [99]


def _life(faults: Mapping[int, Fault] | None = None) -> Bench:
    """Let forty of the shares be transferred while their stop stands, and whatever strikes be mended."""
    bench = _bench(lambda exchange: exchange.transfer_out(SYMBOL, 40), faults=faults)
    bench.looking = False
    bench.run(SOLD_AT_S + 250)
    return bench


def _booking() -> list[tuple[int, str]]:
    """Number the port calls from the look that books the taking to the stop over what stays."""
    names = _life().gate.names
    booked = next(k for k, name in enumerate(names) if "Create:taken" in name)
    begins = max(k for k, name in enumerate(names[:booked]) if name == "portfolio")
    ends = names.index("place", booked)
    return [(k + 1, names[k]) for k in range(begins, ends + 2)]


@pytest.mark.parametrize("how", ["before", "after", "freeze", "down_after", "conflict"])
def test_a_booking_that_breaks_anywhere_is_made_once(how: str) -> None:
    """After one fault at any call of it the taking is booked once, and what stays lies behind one stop."""
    struck = [one for one in _booking() if how in {"before", "after", "freeze"} or one[1].startswith("commit")]
    assert len(struck) > 10
    for k, name in struck:
        bench = _life({k: Fault(how=how, seconds=40)})
        where = f"{how} at call {k} ({name})"
        assert [taken.quantity for taken in _taken(bench)] == [40], where
        assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [59], where
        assert (_position(bench).quantity, safety(bench)) == (59, []), where
        at_most = NAKED_WHEN_FROZEN_S if how == "freeze" else NAKED_AT_MOST_S
        assert bench.exchange.naked() <= timedelta(seconds=at_most), where


@pytest.mark.parametrize("price", ["101.10", "106.00"])
def test_no_stop_is_given_up_for_shares_that_were_missed_once(price: str) -> None:
    """Where one portfolio misses the shares and no later one can be read, neither a move nor an exit ends the stop."""
    bench = _bench(lambda exchange: setattr(exchange, "portfolio", lambda: ()))
    bench.at(121, lambda: bench.exchange.down.update(portfolio=Unreadable("totalPages")))
    bench.at(123, lambda: bench.exchange.set_price(SYMBOL, price, str(Decimal(price) + Decimal("0.02"))))
    bench.run(400)
    assert _taken(bench) == []
    assert bench.exchange.naked() < timedelta(seconds=NAKED_AT_MOST_S)
