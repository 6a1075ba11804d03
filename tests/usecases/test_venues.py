"""A book with something open at one venue is not worked on at another: not bought, not protected, not sold."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.base.values import PriceType, Side, Venue
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import State
from shared.domain.orders.watches import ExitDecision, following
from shared.domain.telling.messages import EnterPosition, ExitPosition
from shared.domain.telling.notices import PositionUnprotected, TradingReduced
from shared.errors import AnotherVenue
from shared.usecases.base import outbox
from shared.usecases.base.desk import put
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.orders.losses import open_positions
from shared.usecases.orders.moves import order_path
from shared.usecases.placing.enter import enter
from shared.usecases.placing.leave import leave
from shared.usecases.settling.settle import settle
from shared.usecases.settling.watch import watch
from shared.usecases.telling.notices import post
from tests.usecases.bench import SYMBOL, Bench
from tests.usecases.gate import Died, Fault
from tests.usecases.post import PLACEMENT, SCAN, SETTLEMENT
from tests.usecases.proofs import safety

OTHERS = (Venue.PAPER, Venue.PRODUCTION)
OTHER_SYMBOL = "BAC"


def _desk(bench: Bench, actor: str, venue: Venue) -> TradingDesk:
    """Give a function's desk after somebody changed the mode."""
    desk = bench.desks[actor]
    return replace(desk, mandate=replace(desk.mandate, venue=venue))


def _holding(*, stop: bool) -> Bench:
    """Give a bench that holds shares bought at the sandbox, behind a live stop or with no live order at all."""
    bench = Bench()
    bench.looking = False
    bench.send(bench.signal())
    bench.run(30)
    bench.kernel.run(bench.kernel.now() + timedelta(minutes=2))  # settlement's own look has ended
    assert {*(one.venue for one in bench.orders()), *(one.venue for one in bench.positions())} == {Venue.SANDBOX}
    (resting,) = bench.exchange.live(SYMBOL, Side.SELL)
    if not stop:
        bench.exchange.end(resting.order_id, BrokerStatus.CANCELLED)
        (order,) = (one for one in bench.orders() if one.live)
        bench.store.commit([put(order_path(order.intent_id), replace(order, state=State.CANCELLED, live=False))])
    return bench


def _entered(faults: dict[int, Fault]) -> tuple[Bench, EnterPosition]:
    """Let one signal be worked until a fault."""
    bench = Bench(faults=faults)
    message = EnterPosition(signal=bench.signal())
    with suppress(Died):
        bench.kernel.call(lambda: enter(bench.desks[PLACEMENT], message, ahead=0), name=PLACEMENT)
    return bench, message


def _asked(bench: Bench, deed: Callable[[], object]) -> list[str]:
    """Do what is refused, and give what it asked of the broker that would change anything there."""
    before = len(bench.gate.names)

    def refused() -> None:
        with pytest.raises(AnotherVenue, match="set it back until nothing is open"):
            deed()

    bench.kernel.call(refused, name="other")
    return [name for name in bench.gate.names[before:] if name in {"preview", "place", "cancel"}]


@pytest.mark.parametrize("venue", OTHERS)
@pytest.mark.parametrize("stop", [True, False])
def test_what_is_held_at_another_venue_is_not_settled(venue: Venue, stop: bool) -> None:
    """Settlement asks the broker for nothing, takes no entries any more, and the owner is told why, once."""
    bench = _holding(stop=stop)
    desk = _desk(bench, SETTLEMENT, venue)
    for _ in range(2):
        assert _asked(bench, lambda: settle(desk, list_first=True)) == []
    post(desk)
    assert control.current(desk).value.state is TradingState.REDUCE_ONLY
    told = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    (notice,) = (one for one in told if isinstance(one, TradingReduced))
    assert f"is open at sandbox and STRATEGY_MODE or ETRADE_SANDBOX now says {venue}" in notice.reason
    bench.kernel.call(lambda: settle(bench.desks[SETTLEMENT], list_first=True), name="put right")
    assert [one.quantity for one in bench.exchange.live(SYMBOL, Side.SELL)] == [99]
    assert safety(bench) == []


@pytest.mark.parametrize("venue", OTHERS)
def test_what_is_held_at_another_venue_is_not_sold(venue: Venue) -> None:
    """The scan decides on no exit of it, and an exit that was decided before is not worked."""
    bench = _holding(stop=False)
    assert _asked(bench, lambda: open_positions(_desk(bench, SCAN, venue))) == []
    (position,) = bench.positions()
    decision = ExitDecision(
        exit_id="X1", reason="target", price_type=PriceType.MARKET, limit_price=None, decided_at=bench.kernel.now(),
        first_at=bench.kernel.now(),
    )  # fmt: skip
    bench.store.commit([put(f"watches/{SYMBOL}", replace(following(None, position), exit=decision))])
    message = ExitPosition(
        symbol=SYMBOL, position_id=position.position_id, exit_id="X1", session=position.session
    )  # fmt: skip
    assert _asked(bench, lambda: leave(_desk(bench, PLACEMENT, venue), message)) == []
    assert bench.exchange.shares[SYMBOL] == position.quantity


@pytest.mark.parametrize("venue", OTHERS)
def test_nothing_is_bought_beside_what_is_held_at_another_venue(venue: Venue) -> None:
    """An entry is not judged as if the book were empty."""
    bench = _holding(stop=False)
    bench.exchange.set_price(OTHER_SYMBOL, "99.99", "100.01")
    message = EnterPosition(signal=bench.signal(2, OTHER_SYMBOL))
    assert _asked(bench, lambda: enter(_desk(bench, PLACEMENT, venue), message, ahead=0)) == []


def test_an_intent_of_another_venue_is_never_sent() -> None:
    """What was approved for one venue and not yet sent is voided at another, its cash and symbol free again."""
    asked = _entered({})[0].gate.names.index("preview") + 1
    bench, message = _entered({asked: Fault(how="before")})
    (order,) = bench.orders()
    assert (order.state, order.reserved > 0) == (State.RESERVED, True)
    before = len(bench.gate.names)
    bench.kernel.call(lambda: enter(_desk(bench, PLACEMENT, Venue.PAPER), message, ahead=0), name="other")
    (order,) = bench.orders()
    assert (order.state, order.codes, order.reserved) == (State.VOIDED, ("OTHER_VENUE",), Decimal(0))
    assert bench.store.query("locks") == []
    assert not {"preview", "place"} & set(bench.gate.names[before:])


def test_shares_without_a_stop_are_told_wherever_they_are() -> None:
    """The watch goes on: the owner hears of uncovered shares although nobody may work on them."""
    bench = _holding(stop=False)
    bench.kernel.run(bench.kernel.now() + timedelta(minutes=2))
    desk = _desk(bench, SETTLEMENT, Venue.PAPER)
    bench.kernel.call(lambda: watch(desk), name="watch")
    post(desk)
    told = [outbox.unpack(data) for topic, data in bench.bus.sent if topic == outbox.NOTICES]
    assert [one.symbol for one in told if isinstance(one, PositionUnprotected)] == [SYMBOL]
