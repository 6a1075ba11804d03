"""What a program of the owner's can and cannot do with a simulated day."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.python import Trading, by_hand, simulated
from infra.simulated_day.problems import UserError
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import State
from shared.usecases.control import control


@pytest.fixture(scope="module")
def morning() -> Iterator[Trading]:
    """Give a day at 10:00, signed in."""
    with simulated() as trading:
        trading.sign_in(trading.accept)
        trading.wait_until("10:00")
        yield trading


def placed(trading: Trading) -> list[Any]:
    """Give what the simulated broker was asked to place."""
    found: list[Any] = trading._machine.simulator.ledger()["place_requests"]
    return found


def test_one_key_is_one_order(morning: Trading) -> None:
    """The same key twice reaches the broker once, and gives the same order both times."""
    before = len(placed(morning))
    first, again = (morning.place_order("MSFT", key="once") for _ in range(2))
    assert first.state is State.WORKING
    assert again.intent_id == first.intent_id
    assert len(placed(morning)) == before + 1


def test_orders_without_a_key_of_their_own_would_be_two(morning: Trading, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the key did not name the signal, the second call would be another order, which the first test notices."""
    names = iter(("S" + "A" * 19, "S" + "B" * 19))
    monkeypatch.setattr(by_hand, "_name", lambda key, day: next(names))
    monkeypatch.setattr(by_hand, "known", lambda *_: None)
    first, again = (morning.place_order("ZXAC", key="twice") for _ in range(2))
    assert again.intent_id != first.intent_id


def test_an_order_that_waits_is_cancelled(morning: Trading) -> None:
    """Under a halt of its symbol an order waits, and a cancel ends it with no share; without one it comes too late."""
    morning.halt_symbol("ibm")
    waiting = morning.place_order("IBM", key="waits")
    wish = morning.cancel(waiting)
    morning.resume_symbol("IBM")
    assert wish.done
    assert (morning.order(waiting).state, morning.order(waiting).filled) == (State.CANCELLED, 0)
    assert not morning.cancel(morning.place_order("IBM", key="waits not")).done
    with pytest.raises(UserError, match="not on the watch list"):
        morning.halt_symbol("GE")


@pytest.mark.parametrize(
    ("symbol", "key", "why"),
    [("GE", "new", "not on the watch list"), ("IBM", "taken", "stands for an order of GOOG")],
)
def test_what_cannot_be_meant_is_refused(morning: Trading, symbol: str, key: str, why: str) -> None:
    """A symbol off the watch list, and a key of another symbol's order, are refused before anything is sent."""
    morning.place_order("GOOG", key="taken")
    before = placed(morning)
    with pytest.raises(UserError, match=why) as refused:
        morning.place_order(symbol, key=key)
    assert "nothing was sent" in refused.value.what
    assert placed(morning) == before


def test_every_limit_holds(morning: Trading) -> None:
    """While the owner lets nothing be bought, an order from a program is denied with the reason, and not sent."""
    desk, before = morning._hand.desk, len(placed(morning))
    control.command(desk, TradingState.REDUCE_ONLY, reason="a test")
    denied = morning.place_order("ZXAD", key="halted")
    control.command(desk, TradingState.ACTIVE, loosen=True, reason="it is over")
    assert (denied.state, denied.filled) == (State.DENIED, 0)
    assert denied.note
    assert len(placed(morning)) == before


def test_before_the_open_nobody_is_signed_in_and_nothing_is_sent() -> None:
    """A day begins without a sign-in; then an order needs one, and after it an open market."""
    with simulated(seed=2) as trading:
        with pytest.raises(UserError, match="nobody is signed in"):
            trading.place_order("IBM", key="early")
        trading.sign_in(trading.accept)
        with pytest.raises(UserError, match="the market is closed"):
            trading.place_order("IBM", key="early")
        with pytest.raises(UserError, match="has passed"):
            trading.wait_until("07:00")
        assert placed(trading) == []


def test_no_setting_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, an account and an address in the environment change nothing: the day is the simulator's."""
    for name in ("ETRADE_CONSUMER_KEY", "ETRADE_CONSUMER_SECRET", "ETRADE_ACCOUNT_ID", "STRATEGY_CAPITAL_USD"):
        monkeypatch.setenv(name, "nonsense")
    monkeypatch.setenv("ETRADE_SANDBOX", "false")
    with simulated() as trading:
        trading.sign_in(trading.accept)
        assert {row.ending for row in trading.balances()} == {"0001", "0002"}
        assert trading.quote("IBM").source == "the simulator"
