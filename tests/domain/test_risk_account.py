from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.orders.orders import State
from tests.domain.made import (
    at,
    balance,
    codes,
    held,
    order,
    position,
    quote,
)

SECOND = timedelta(seconds=1)
CENT = Decimal("0.01")


def test_missing_shares_of_ours_deny() -> None:
    """An account that holds fewer shares than our book says denies entries in every symbol."""
    other = position(symbol="SPY")
    found = codes(positions=(other,), holdings=(held("SPY", 9),), marks={"SPY": Decimal(100)})
    assert found == ("LEDGER_MISMATCH",)


def test_unknown_orders_deny() -> None:
    """One unknown order denies its symbol, two deny the account."""
    one = order(symbol="SPY", state=State.UNKNOWN)
    assert codes(live_orders=(one,)) == ()
    assert codes(live_orders=(one, replace(one, symbol="BAC", state=State.MANUAL))) == ("UNKNOWN_PRESENT",)
    assert "UNKNOWN_PRESENT" in codes(live_orders=(order(state=State.UNKNOWN),))


@pytest.mark.parametrize("quantity", [1, -1])
def test_symbol_of_the_owner_is_never_touched(quantity: int) -> None:
    """An account that holds shares of the symbol which are not ours, long or short, denies the entry."""
    assert codes(holdings=(held("IBM", quantity),)) == ("SYMBOL_HELD_BY_OWNER",)


@pytest.mark.parametrize("symbol", ["IBM", ""])
def test_a_holding_that_cannot_be_counted_is_the_owners(symbol: str) -> None:
    """A row of the symbol that is odd, or one that may be of it, denies the entry; one of another symbol does not."""
    assert codes(holdings=(replace(held(symbol, 0), odd=("quantity",)),)) == ("SYMBOL_HELD_BY_OWNER",)
    assert codes(holdings=(replace(held("GE", 0), odd=("securityType",)),)) == ()


def test_other_holdings_of_the_owner_do_not_matter() -> None:
    """Shares of other symbols that the owner holds deny nothing."""
    assert codes(holdings=(held("GE", 500),)) == ()


def test_opening_instant_of_the_day_is_too_early_for_nothing_else() -> None:
    """The very first second of the session approves what is good."""
    now = at(0)
    assert codes(now=now, decided_at=now, quote=quote(when=now), balance=balance(when=now)) == ()
