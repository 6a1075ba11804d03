"""What cannot be seen is not cancelled, what is not confirmed is not sold, and the owner hears of both in a minute."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

import pytest

from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.domain.orders.orders import Kind, State
from shared.domain.telling.notices import CancelUnconfirmed, ExitUnseen, Notice, event_of
from shared.errors import DeskError, OutcomeUnknown, Refused, Throttled, Unreadable
from shared.usecases.base import outbox
from shared.usecases.base.desk import put
from shared.usecases.orders.cancel import cancel_and_confirm
from shared.usecases.orders.moves import live_sells
from tests.usecases.bench import CLOSES, ENDS, START, SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.post import PLACEMENT
from tests.usecases.proofs import safety, wrongs

N = TypeVar("N", bound=Notice)
MINUTE = timedelta(minutes=1)
TROUBLES = [Unreadable("orders: cut"), Refused("code 100", code=100), OutcomeUnknown("time-out"), Throttled("429")]
TARGET_S = 20


def told(bench: Bench, kind: type[N]) -> list[N]:
    """Give the notices of one kind that reached the bus, the first one for each event."""
    sent = [outbox.unpack(data) for topic, data in reversed(bench.bus.sent) if topic == outbox.NOTICES]
    return list({event_of(one): one for one in sent if isinstance(one, kind)}.values())


def _holding() -> Bench:
    """Let a position be held, whose target is reached after twenty seconds and stays reached as the price moves."""
    bench = Bench()
    bench.send(bench.signal())
    for n in range(40):
        price = ("102.10", "102.30", "102.20")[n % 3]
        bench.at(TARGET_S + 9 * n, lambda price=price: bench.exchange.set_price(SYMBOL, price, price))  # type: ignore[misc]
    return bench


def _resting(bench: Bench) -> Sequence[BrokerOrder]:
    return bench.exchange.live(SYMBOL, Side.SELL)


def _exits(bench: Bench) -> list[State]:
    """Give the exits that were sent; others were begun and waited for their shares until another took their place."""
    return [one.state for one in bench.orders() if one.kind is Kind.EXIT and one.broker_order_id is not None]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: type(one).__name__)
def test_a_stop_that_nobody_can_see_stays(trouble: DeskError) -> None:
    """While neither list nor order can be read no exit cancels the stop, the owner is told once, and then it sells."""
    bench = _holding()
    bench.at(15, lambda: bench.exchange.down.update(orders=trouble, order=trouble))
    bench.run(TARGET_S + 150)
    assert bench.exchange.cancels == []
    assert [stop.quantity for stop in _resting(bench)] == [99]
    (notice,) = told(bench, ExitUnseen)
    assert sum(topic == outbox.NOTICES and b"exit_unseen" in data for topic, data in bench.bus.sent) == 1
    assert (notice.symbol, notice.quantity, notice.reason, notice.why) == (SYMBOL, 99, "target", trouble.detail)
    assert notice.since - START < timedelta(seconds=TARGET_S + 3)
    assert notice.at - notice.since <= MINUTE
    bench.exchange.down.clear()
    bench.run(40)
    assert _exits(bench) == [State.FILLED]
    bench.run_until_quiet()
    assert wrongs(bench, naked_at_most=5) == []


def test_an_outage_that_lasts_over_the_close_leaves_the_stop() -> None:
    """When the orders cannot be seen from before the flatten until the end the shares stay held, behind their stop."""
    bench = _holding()
    bench.at(15, lambda: bench.exchange.down.update(orders=TROUBLES[0], order=TROUBLES[0]))
    bench.run((ENDS - START).total_seconds())
    assert bench.kernel.now() > CLOSES
    assert (bench.exchange.cancels, [stop.quantity for stop in _resting(bench)]) == ([], [99])
    assert bench.exchange.naked() <= timedelta(seconds=5)
    assert safety(bench) == []


def test_an_order_that_shows_itself_is_seen_without_a_list() -> None:
    """Where no list can be read the single order's answer is sight and confirmation: the exit sells within seconds."""
    bench = _holding()
    bench.at(15, lambda: bench.exchange.down.update(orders=TROUBLES[0]))
    bench.run(TARGET_S + 20)
    assert bench.exchange.shares[SYMBOL] == 0
    assert (told(bench, ExitUnseen), told(bench, CancelUnconfirmed)) == ([], [])
    bench.exchange.down.clear()
    bench.run_until_quiet()
    assert _exits(bench) == [State.FILLED]
    assert wrongs(bench, naked_at_most=10) == []


def test_a_list_that_does_not_show_the_stop_is_no_sight_of_it() -> None:
    """A list without the order, and an order's answer that cannot be read, are no sight: the stop stays."""
    bench = _holding()

    def hide() -> None:
        bench.exchange.list_lag = timedelta(hours=1)
        bench.exchange._shows[502] = bench.kernel.now() + timedelta(hours=1)
        bench.exchange.down.update(order=TROUBLES[0])

    bench.at(15, hide)
    bench.run(TARGET_S + 60)
    assert bench.exchange.cancels == []
    assert [stop.quantity for stop in _resting(bench)] == [99]


def test_a_row_that_does_not_say_how_its_order_stands_is_no_sight() -> None:
    """A row of the stop whose status cannot be read, in the list and by itself, is no sight: the stop stays."""
    bench = _holding()

    def blur() -> None:
        odd = replace(bench.exchange.book[502], status=None, odd=("status",))
        bench.exchange.book[502] = odd

    bench.at(15, blur)
    bench.run(TARGET_S + 60)
    assert bench.exchange.cancels == []
    (notice,) = told(bench, ExitUnseen)
    assert "502" in notice.why


def test_bare_shares_are_sold_without_a_list() -> None:
    """Shares whose stop was refused, so that nothing is to be cancelled, are sold while no list can be read."""
    bench = _holding()
    refused = Script(how="reject", side=Side.SELL, price_type=PriceType.STOP, code="1037")
    bench.exchange.scripts += [refused for _ in range(50)]
    bench.at(15, lambda: bench.exchange.down.update(orders=TROUBLES[0], order=TROUBLES[0]))
    bench.run(TARGET_S + 20)
    assert bench.exchange.shares[SYMBOL] == 0
    assert bench.exchange.oversold == []


@pytest.mark.parametrize("blind", [True, False])
def test_a_cancel_that_is_not_confirmed_holds_everything(blind: bool) -> None:
    """While nobody sees the stop's end nothing is sold and no second stop is placed; it is told once, then it sells."""
    bench = _holding()
    if blind:
        bench.exchange.in_cancel = lambda _order: bench.exchange.down.update(orders=TROUBLES[0], order=TROUBLES[0])
    else:
        bench.exchange.cancel_takes = timedelta(seconds=170)
    bench.run(TARGET_S + 150)
    assert [ticket.price_type for _, ticket in bench.exchange.posted] == [PriceType.LIMIT, PriceType.STOP]
    assert _exits(bench) == []
    (notice,) = told(bench, CancelUnconfirmed)
    assert (notice.order_id, notice.symbol, notice.quantity) == (502, SYMBOL, 99)
    assert notice.at - START <= timedelta(seconds=TARGET_S) + MINUTE
    assert TROUBLES[0].detail in notice.why or not blind
    assert told(bench, ExitUnseen) == []
    bench.exchange.down.clear()
    bench.exchange.in_cancel = None
    bench.run(40)
    assert bench.exchange.shares[SYMBOL] == 0
    bench.run_until_quiet()
    assert safety(bench) == []


def test_a_lost_cancel_is_asked_again_while_no_list_can_be_read() -> None:
    """A stop whose cancel was lost is asked for again and its end is seen, all by the order's own answers."""
    bench = _holding()
    bench.exchange.cancel_lost = 2
    bench.at(15, lambda: bench.exchange.down.update(orders=TROUBLES[0]))
    bench.run(TARGET_S + 60)
    assert len(bench.exchange.cancels) == 3
    assert bench.exchange.shares[SYMBOL] == 0
    assert safety(bench) == []


def test_exits_that_follow_each_other_share_a_list() -> None:
    """Of two stops that are cancelled within five seconds the second needs no list of its own to be seen."""
    bench = Bench()
    bench.exchange.set_price("MSFT", "99.99", "100.01")
    bench.send(bench.signal())
    bench.at(4, lambda: bench.store.commit([put(f"quotes/{SYMBOL}", bench.exchange.quote(SYMBOL))]))
    bench.at(5, lambda: bench.send(bench.signal(2, symbol="MSFT")))
    bench.run(52)  # settlement's tick is over, and the next one comes at the minute
    desk, asked = bench.desks[PLACEMENT], []
    for symbol in (SYMBOL, "MSFT"):
        (stop,) = bench.kernel.call(lambda symbol=symbol: live_sells(desk, symbol), name=PLACEMENT)  # type: ignore[misc]
        before = len(bench.gate.names)
        cancel = partial(cancel_and_confirm, desk, stop, account_key="key", cause="a test")
        ended, _ = bench.kernel.call(cancel, name=PLACEMENT)
        assert ended.value.state is State.CANCELLED
        calls = [name for name in bench.gate.names[before:] if name in ("orders", "order", "cancel")]
        asked.append(calls)
    assert asked[0][:2] == ["orders", "cancel"]
    assert asked[1][0] == "cancel"
    assert bench.kernel.now() < START + timedelta(seconds=60)


def test_a_stop_moves_up_only_when_it_can_be_seen() -> None:
    """While the orders cannot be seen a stop is left where it is; afterwards it moves."""
    bench = Bench()
    bench.send(bench.signal())
    bench.at(15, lambda: bench.exchange.down.update(orders=TROUBLES[0], order=TROUBLES[0]))
    bench.at(20, lambda: bench.exchange.set_price(SYMBOL, "101.10", "101.12"))
    bench.run(140)
    assert bench.exchange.cancels == []
    bench.exchange.down.pop("orders")
    bench.run(60)
    assert [stop.stop_price for stop in _resting(bench)] == [Decimal("100.49")]
    assert bench.exchange.naked() <= timedelta(seconds=5)
    assert safety(bench) == []


def test_a_fill_is_protected_while_no_list_can_be_read() -> None:
    """Shares that fill while the list is down are booked by the order's own answer and protected within ten seconds."""
    bench = Bench()
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 0
    bench.send(bench.signal())
    bench.at(5, lambda: bench.exchange.down.update(orders=TROUBLES[0]))
    bench.at(8, lambda: bench.exchange.fill(501, 40, Decimal("100.01")))
    bench.run(40)
    assert [stop.quantity for stop in _resting(bench)] == [40]
    assert bench.exchange.naked() <= timedelta(seconds=10)
    assert bench.exchange.book[501].status is BrokerStatus.CANCELLED
    bench.exchange.down.clear()
    bench.run(60)
    assert safety(bench) == []
