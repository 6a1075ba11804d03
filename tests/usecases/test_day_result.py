"""The day's result is true or says that it is not known, and the day is sealed as far as it is known."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.codec import decode
from shared.domain.base.values import Side
from shared.domain.orders.orders import Order, State
from shared.domain.telling.notices import DayResult, event_of
from shared.errors import AuthError, DeskError, TokenDead, Unreadable
from shared.usecases.base import outbox
from shared.usecases.settling.close import close
from tests.usecases.bench import CLOSES, START, SYMBOL, Bench
from tests.usecases.exchange import Script
from tests.usecases.post import SETTLEMENT

DOWN = Unreadable("orders: status 500, code 100")
ALL = ("orders", "order", "portfolio", "balance")


def _results(bench: Bench) -> list[DayResult]:
    """Give the results that were promised, one for each event."""
    rows = [row.data for row in bench.store.query("outbox") if row.data["topic"] == outbox.NOTICES]
    waiting = [outbox.unpack(row["body"].encode()) for row in rows]
    sent = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    results = [one for one in (*sent, *waiting) if isinstance(one, DayResult)]
    return list({event_of(one): one for one in sorted(results, key=lambda one: one.at)}.values())


def _close(bench: Bench, *, at: timedelta = timedelta(minutes=5)) -> DeskError | None:
    """Let the close run and give what it raised."""
    bench.kernel.run(max(bench.kernel.now(), CLOSES + at))

    def run() -> DeskError | None:
        try:
            close(bench.desks[SETTLEMENT])
        except DeskError as problem:
            return problem
        return None

    return bench.kernel.call(run, name=SETTLEMENT)


def _bought(bench: Bench, *down: str) -> Bench:
    """Let shares be bought of which settlement hears nothing, because these answers are gone from then on."""
    bench.looking = False
    bench.bus.muted.add("orders-placed")
    bench.send(bench.signal())
    bench.kernel.run(START + timedelta(seconds=5))
    bench.exchange.down |= dict.fromkeys(down, DOWN)
    assert bench.exchange.shares[SYMBOL] == 99
    return bench


def _sealed(bench: Bench) -> dict[str, str]:
    (seal,) = bench.store.query("seals")
    heads: dict[str, str] = seal.data["heads"]
    return heads


def _heads(bench: Bench) -> dict[str, str]:
    orders: Iterable[Order] = (decode(Order, row.data) for row in bench.store.query("orders"))
    return {order.intent_id: order.audit_head for order in orders}


def test_shares_that_nobody_saw_are_not_nothing() -> None:
    """With the list down since a fill the result is not known, names the order, seals the rest, and comes again."""
    bench = _bought(Bench(), *ALL)
    assert isinstance(_close(bench), Unreadable)
    (result,) = _results(bench)
    assert result.unknown[0].startswith("E*TRADE's answers cannot be read: orders: status 500")
    assert result.unknown[1:] == (f"what became of BUY 99 {SYMBOL} is not known",)
    assert result.since is not None
    assert _sealed(bench) == _heads(bench)


def test_a_result_that_is_known_later_is_told_too() -> None:
    """When the list is back the close that comes again tells and seals the true result, as an event of its own."""
    bench = _bought(Bench(), *ALL)
    _close(bench)
    bench.exchange.down.clear()
    assert _close(bench, at=timedelta(minutes=8)) is None
    unknown, known = _results(bench)
    assert (bool(unknown.unknown), known.unknown, known.open_positions, known.fills) == (True, (), (SYMBOL,), 1)
    assert _sealed(bench) == _heads(bench)


@pytest.mark.parametrize("trouble", [TokenDead("orders: status 401"), AuthError("not allowed")])
def test_a_refused_login_at_the_close_is_told(trouble: DeskError) -> None:
    """With shares held and no login the result is not known and says why, and the trouble is the door's as before."""
    bench = _bought(Bench())
    bench.run(30)
    bench.exchange.down |= dict.fromkeys(ALL, trouble)
    assert _close(bench) is trouble
    (result,) = _results(bench)
    assert result.unknown[0] == f"E*TRADE could not be asked: {trouble.detail}"


def test_an_order_in_doubt_makes_the_result_unknown() -> None:
    """An order of which nobody knows whether the broker has it is named, though everything else can be read."""
    bench = Bench()
    bench.exchange.scripts.append(Script(how="lost_before", side=Side.BUY))
    bench.bus.muted.add("orders-placed")
    bench.send(bench.signal())
    bench.kernel.run(START + timedelta(seconds=5))
    (order,) = bench.orders()
    for _ in range(2):
        bench.exchange.accept(order.ticket)
    assert _close(bench) is None
    assert bench.orders()[0].state is State.MANUAL
    (result,) = _results(bench)
    assert (result.unknown, result.since) == ((f"what became of BUY 99 {SYMBOL} is not known",), None)


def test_a_price_that_is_not_known_makes_the_result_unknown() -> None:
    """Shares that filled at a price that no list says are named: the realized money may be another."""
    bench = _bought(Bench())
    bench.exchange.book[501] = replace(bench.exchange.book[501], average_price=None)
    assert _close(bench) is None
    (result,) = _results(bench)
    assert result.unknown == (f"at what price BUY 99 {SYMBOL} filled is not known",)
    assert result.open_positions == (SYMBOL,)


@pytest.mark.parametrize("down", [(), ALL])
def test_a_day_that_is_over_is_known(down: tuple[str, ...]) -> None:
    """What was sold long before the broker fell silent is known, and nothing of doubt is told."""
    bench = Bench()
    bench.send(bench.signal())
    bench.run(60)
    bench.exchange.set_price(SYMBOL, "90.00", "90.02")
    bench.run(60)
    assert not any(position.is_open for position in bench.positions())
    bench.kernel.run(CLOSES + timedelta(minutes=4))
    bench.exchange.down |= dict.fromkeys(down, DOWN)
    assert _close(bench) is None
    (result,) = _results(bench)
    assert (result.unknown, result.fills, result.open_positions) == ((), 2, ())


def test_a_quiet_day_without_a_login_is_as_before() -> None:
    """On a day on which nobody signed in and nothing was open the close tells nothing and asks again for nothing."""
    bench = Bench()
    trouble = TokenDead("accounts: status 401")
    bench.exchange.down |= dict.fromkeys(("accounts", *ALL), trouble)
    assert _close(bench) is trouble
    assert _results(bench) == []
