"""A book of one mode is not worked on in the other."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.domain.brokerage import FIRST_PAPER_ORDER
from shared.domain.orders import Order
from shared.errors import ConfigError
from shared.usecases.trading import TradingDesk, require_one_mode


def _desk(*, paper: bool) -> TradingDesk:
    return cast(TradingDesk, SimpleNamespace(mandate=SimpleNamespace(paper=paper)))


def _order(number: int | None) -> Order:
    held: Any = SimpleNamespace(intent_id="I1", broker_order_id=number)
    return cast(Order, held)


@pytest.mark.parametrize("number", [FIRST_PAPER_ORDER, FIRST_PAPER_ORDER + 5])
def test_paper_orders_are_not_for_a_live_desk(number: int) -> None:
    """While a paper order is open a live desk refuses its work, and a paper desk goes on."""
    require_one_mode(_desk(paper=True), [_order(None), _order(number)])
    with pytest.raises(ConfigError, match="set it back until nothing is open"):
        require_one_mode(_desk(paper=False), [_order(None), _order(number)])


def test_real_orders_are_not_for_a_paper_desk() -> None:
    """While an order is open at the broker a paper desk refuses its work, and a live desk goes on."""
    require_one_mode(_desk(paper=False), [_order(401)])
    with pytest.raises(ConfigError, match="STRATEGY_MODE was changed"):
        require_one_mode(_desk(paper=True), [_order(401)])
