"""Leaving a position: one sell of the shares that are still there, or none."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.orders.orders import Kind, State
from shared.domain.telling.messages import ExitPosition
from shared.usecases.base.outbox import pack
from shared.usecases.base.trading import TradingDesk
from shared.usecases.placing.leave import leave
from tests.usecases.bench import SYMBOL, Bench, Variant
from tests.usecases.exchange import Script
from tests.usecases.gate import Fault
from tests.usecases.lives import calls, life, points, script
from tests.usecases.proofs import safety, wrongs


def exit_begins() -> int:
    """Give the number of the call that writes the exit's order."""
    births = [k for k, seen in enumerate(calls(), 1) if seen.startswith("commit Create:orders+Create:audit")]
    return births[-1]


def exit_is_approved() -> int:
    """Give the number of the call that approves the exit's order, once its shares are free."""
    return calls().index("commit Update:orders+Create:audit+Check:positions") + 1


@pytest.mark.parametrize("where", [exit_begins, exit_is_approved])
def test_an_exit_that_froze_does_not_sell_what_another_sold(where: Callable[[], int]) -> None:
    """An exit that freezes before its order is written, or approved, sells nothing that another exit has sold."""
    bench = life({where(): Fault(how="freeze", seconds=40)})
    sold = [order for order in bench.orders() if order.kind is Kind.EXIT and order.state is State.FILLED]
    assert len(sold) == 1
    assert bench.exchange.shares[SYMBOL] == 0
    assert wrongs(bench, naked_at_most=60) == []


def test_an_exit_that_is_overtaken_begins_anew_at_once() -> None:
    """Whoever writes first before an exit is approved, its one delivery sells: it need not come again for that."""
    names = calls()
    published = max(k for k, seen in enumerate(names, 1) if seen == "publish exits")
    asked = max(k for k, seen in enumerate(names, 1) if seen == "preview")
    struck = [k for k in points(Fault(how="conflict")) if published < k < asked and "orders+" in names[k - 1]]
    assert [names[k - 1].partition("+")[0] for k in struck] == [
        "commit Create:orders", *["commit Update:orders"] * 3
    ]  # fmt: skip
    for k in struck:
        delivered: list[ExitPosition] = []

        def counted(desk: TradingDesk, message: ExitPosition, seen: list[ExitPosition] = delivered) -> None:
            seen.append(message)
            leave(desk, message)

        bench = life({k: Fault(how="conflict")}, variant=Variant(leave=counted))
        assert len(delivered) == 1, names[k - 1]
        assert _exits(bench) == [State.FILLED]
        assert wrongs(bench, naked_at_most=5) == []


def _holding(bench: Bench) -> Bench:
    """Let a position be held, whose target is reached after twenty seconds."""
    bench.send(bench.signal())
    bench.at(20, lambda: bench.exchange.set_price(SYMBOL, "102.10", "102.12"))
    return bench


def _exits(bench: Bench) -> list[State]:
    return [order.state for order in bench.orders() if order.kind is Kind.EXIT]


def test_a_stop_that_fills_while_it_is_cancelled_leaves_nothing_to_sell() -> None:
    """When the stop fills during its cancel no exit is sent, and the profit is what the stop brought."""
    bench = _holding(Bench())
    bench.exchange.in_cancel = lambda order: bench.exchange.fill(order.order_id, 99, Decimal("102.05"))
    bench.run_until_quiet()
    assert _exits(bench) == [State.VOIDED]
    assert [sell.price_type for sell in bench.exchange.book.values() if sell.side is Side.SELL] == [PriceType.STOP]
    assert bench.exchange.shares[SYMBOL] == 0
    assert wrongs(bench, naked_at_most=3) == []


def test_a_stop_that_fills_in_part_while_it_is_cancelled_leaves_the_rest_to_sell() -> None:
    """When part of the stop fills during its cancel the exit sells exactly the rest."""
    bench = _holding(Bench())
    bench.exchange.in_cancel = lambda order: bench.exchange.fill(order.order_id, 30, Decimal("102.05"))
    bench.run_until_quiet()
    exits = [order.quantity for order in bench.orders() if order.kind is Kind.EXIT]
    assert exits == [69]
    assert wrongs(bench, naked_at_most=3) == []


def test_an_exit_that_ends_unfilled_gives_the_shares_back_to_a_stop() -> None:
    """When the exit's order ends at the broker without a fill the stop is put back within ten seconds."""
    bench = _holding(Bench())
    bench.exchange.sells_fill = False
    bench.at(22.5, lambda: setattr(bench, "looking", False))
    bench.run(30)
    (sell,) = bench.exchange.live(SYMBOL, Side.SELL)
    bench.exchange.end(sell.order_id, BrokerStatus.CANCELLED)
    bench.run(10)
    assert [stop.price_type for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [PriceType.STOP]
    assert bench.exchange.naked() <= timedelta(seconds=10)
    assert safety(bench) == []


def test_an_exit_that_does_not_fill_is_priced_again_without_two_sells() -> None:
    """An exit that rests is cancelled and asked again at the new bid until it fills, one sell at a time."""
    bench = _holding(Bench())
    bench.exchange.sells_fill = False
    bench.at(35, lambda: bench.exchange.set_price(SYMBOL, "102.30", "102.32"))
    bench.at(60, lambda: setattr(bench.exchange, "sells_fill", True))
    bench.at(61, lambda: bench.exchange.set_price(SYMBOL, "102.40", "102.42"))
    bench.run_until_quiet()
    assert len(_exits(bench)) >= 2
    assert wrongs(bench, naked_at_most=5) == []


def test_an_exit_whose_message_was_lost_touches_nothing() -> None:
    """When the message of an exit never comes nothing is begun, and the stop over the shares stays."""
    bench = _holding(Bench())
    bench.bus.muted.add("exits")
    bench.at(22.5, lambda: setattr(bench, "looking", False))
    bench.run(150)
    (position,) = bench.positions()
    assert (position.pending_exit, _exits(bench)) == (None, [])
    assert [stop.price_type for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [PriceType.STOP]
    assert bench.exchange.naked() <= timedelta(seconds=3)
    assert safety(bench) == []


def test_an_exit_that_died_unsent_gives_its_shares_back() -> None:
    """When an exit dies after its stop was cancelled and its message is lost for good a stop is back in 80 seconds."""
    bench = Bench(faults={exit_is_approved(): Fault(how="after")})
    script(bench)
    bench.at(76.5, bench.bus.owed.clear)
    bench.at(77, lambda: setattr(bench, "looking", False))
    bench.run(180)
    assert State.VOIDED in _exits(bench)
    assert bench.exchange.live(SYMBOL, Side.SELL)
    assert bench.exchange.naked() <= timedelta(seconds=80)
    assert safety(bench) == []


@pytest.mark.parametrize("copies", [1, 2, 3, 5])
def test_an_exit_that_comes_again_sells_once(copies: int) -> None:
    """However often the exit's message is delivered, and in whatever order its calls mix, the shares are sold once."""
    for seed in range(12):
        bench = _holding(Bench(seed=seed, latency_s=(0.001, 0.3)))
        bench.bus.copies["exits"] = copies
        bench.run_until_quiet()
        assert bench.exchange.shares[SYMBOL] == 0
        assert wrongs(bench, naked_at_most=30) == [], seed


def test_shares_of_the_owners_keep_a_symbol_closed() -> None:
    """A symbol in which the account holds shares that are not ours is not entered."""
    bench = Bench()
    bench.exchange.shares[SYMBOL] = 5
    bench.send(bench.signal())
    bench.run(10)
    assert bench.orders()[0].codes == ("SYMBOL_HELD_BY_OWNER",)
    assert not bench.exchange.posts


def test_an_exit_for_a_decision_that_is_not_the_scans_own_does_nothing() -> None:
    """A forged exit, which names a position but not the scan's decision, cancels and sells nothing."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(10)
    (position,) = bench.positions()
    forged = ExitPosition(
        symbol=SYMBOL, position_id=position.position_id, exit_id="I" + "A" * 19, session=position.session
    )
    bench.bus.take("exits", pack(forged))
    bench.run(10)
    assert _exits(bench) == []
    assert bench.exchange.cancels == []


def test_an_exit_waits_for_a_cancel_that_takes_long() -> None:
    """While the stop's cancel is not confirmed the exit is neither sent nor given up, and then sells."""
    bench = _holding(Bench())
    bench.exchange.cancel_takes = timedelta(seconds=25)
    bench.run_until_quiet()
    assert set(_exits(bench)) <= {State.FILLED, State.VOIDED}
    assert _exits(bench).count(State.FILLED) == 1
    assert wrongs(bench, naked_at_most=30) == []


def test_an_exit_waits_while_a_stop_is_in_doubt() -> None:
    """While nobody knows whether the stop rests the exit is neither sent nor given up, and then sells."""
    bench = _holding(Bench())
    bench.exchange.scripts.append(Script(how="lost_before", price_type=PriceType.STOP))
    bench.run_until_quiet()
    assert set(_exits(bench)) <= {State.FILLED, State.VOIDED}
    assert _exits(bench).count(State.FILLED) == 1
    assert wrongs(bench, naked_at_most=70) == []
