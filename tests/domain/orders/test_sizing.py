from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.orders.positions import Ledger
from shared.domain.orders.sizing import Denied, Means, Sized, equity, size, smallest_capital
from shared.domain.risk.risk import deny_codes
from tests.domain.made import DEFAULT, OPENS, balance, config, facts, held, position, quote

MONEY = st.decimals(min_value=0, max_value=2_000_000, places=2)
PRICE = st.decimals(min_value=5, max_value=1000, places=2)


def means(
    total: str = "10000", *, cash: str | None = None, exposure: str = "0", in_symbol: str = "0", own: str | None = None
) -> Means:
    return Means(
        own=Decimal(own or total),
        equity=Decimal(total),
        cash=Decimal(cash or total),
        exposure=Decimal(exposure),
        in_symbol=Decimal(in_symbol),
    )


def shares(price: str, votes: int, given: Means) -> int:
    found = size(symbol="IBM", price=Decimal(price), votes=votes, means=given, config=DEFAULT)
    assert isinstance(found, Sized)
    return found.shares


@pytest.mark.parametrize(("votes", "expected"), [(1, 100), (2, 100), (3, 125), (4, 150), (5, 150)])
def test_votes_earn_size(votes: int, expected: int) -> None:
    """One and two votes take ten percent of equity, three a quarter more, four and more half more."""
    assert shares("10.00", votes, means()) == expected


@pytest.mark.parametrize(("price", "expected"), [("999.99", 1), ("1000.00", 1), ("500.01", 1), ("333.33", 3)])
def test_shares_are_whole(price: str, expected: int) -> None:
    """Parts of a share are never bought."""
    assert shares(price, 1, means()) == expected


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (means("10000", exposure="7999"), "the cash reserve leaves 1.00 USD"),
        (means("10000", cash="9"), "the broker's usable cash leaves 9.00 USD"),
        (means("10000", cash="-9"), "the broker's usable cash leaves 0.00 USD"),
        (means("10000", in_symbol="3499"), "the largest position leaves 1.00 USD"),
        (means("99.99"), "the share of equity for one position leaves 10.00 USD"),
    ],
)
def test_tightest_limit_is_named(given: Means, part: str) -> None:
    """A denial names the limit that leaves too little, and the smallest capital that would do."""
    denied = size(symbol="IBM", price=Decimal("60.00"), votes=1, means=given, config=DEFAULT)
    assert isinstance(denied, Denied)
    assert denied.code == "SIZE_ZERO"
    assert part in denied.text
    assert "the smallest capital that would trade it is 600.00 USD" in denied.text


@pytest.mark.parametrize(("total", "code"), [("499.99", "SIZE_TOO_SMALL"), ("500.00", None), ("500.01", None)])
def test_smallest_position(total: str, code: str | None) -> None:
    """A position of less than 50 USD is denied, of exactly 50 USD taken."""
    found = size(symbol="F", price=Decimal("10.00"), votes=1, means=means(total), config=DEFAULT)
    assert (
        (isinstance(found, Sized) and found.shares == 5)
        if code is None
        else isinstance(found, Denied) and found.code == code
    )


def test_single_share_below_the_smallest_position() -> None:
    """One share that is worth less than the smallest position is too small, not zero."""
    found = size(symbol="F", price=Decimal("30.00"), votes=1, means=means("300"), config=DEFAULT)
    assert isinstance(found, Denied)
    assert found.code == "SIZE_TOO_SMALL"


def test_order_is_capped_in_shares_and_money() -> None:
    """However large the account, an order keeps to the largest order in shares and in USD."""
    assert shares("10.00", 1, means("900000000")) == 5000
    small = config(limits__order_shares_max=7)
    assert size(symbol="F", price=Decimal(10), votes=1, means=means(), config=small) == Sized(
        shares=7, text="the largest order is 7 shares; the intended size is 70.00 USD."
    )


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_price_that_is_none_is_denied(price: str) -> None:
    """Without a usable price there is no size."""
    found = size(symbol="F", price=Decimal(price), votes=1, means=means(), config=DEFAULT)
    assert isinstance(found, Denied)
    assert found.code == "PRICE_UNKNOWN"


@given(price=PRICE, votes=st.integers(1, 4))
def test_smallest_capital_trades_and_a_cent_less_does_not(price: Decimal, votes: int) -> None:
    """The capital that a denial names buys, one cent less does not."""
    needed = smallest_capital(price=price, votes=votes, config=DEFAULT)
    enough = size(symbol="X", price=price, votes=votes, means=means(str(needed)), config=DEFAULT)
    below = size(symbol="X", price=price, votes=votes, means=means(str(needed - Decimal("0.01"))), config=DEFAULT)
    assert isinstance(enough, Sized)
    assert isinstance(below, Denied)


@given(capital=MONEY, usable=MONEY, reserved=MONEY, cost=MONEY, price=PRICE, votes=st.integers(1, 4))
def test_size_never_breaks_a_rule(
    *, capital: Decimal, usable: Decimal, reserved: Decimal, cost: Decimal, price: Decimal, votes: int
) -> None:
    """Whatever the account looks like, a size that is given passes every rule about money."""
    other = position(symbol="SPY", quantity=1, average_cost=cost + 1)
    known = facts(
        capital=capital, equity_peak=capital, balance=balance(str(usable)), positions=(other,),
        marks={"SPY": other.average_cost}, holdings=(held("SPY", 1),), limit_price=price,
        quote=quote(str(price)), ledger=Ledger(session=OPENS.date(), reserved=reserved),
    )  # fmt: skip
    assert known.means is not None
    found = size(symbol="IBM", price=price, votes=votes, means=known.means, config=DEFAULT)
    if isinstance(found, Sized):
        codes = deny_codes(replace(known, quantity=found.shares), DEFAULT)
        money = {"QTY", "NOTIONAL_MAX_ORDER", "NOTIONAL_MAX_SYMBOL", "EXPOSURE_MAX_ACCOUNT", "BUYING_POWER"}
        assert not money & set(codes)


@pytest.mark.parametrize(("total", "bought"), [("2500", 25), ("2499", None), ("10000", 100)])
def test_a_small_part_of_what_is_intended_is_not_bought(total: str, bought: int | None) -> None:
    """A quarter of the intended size is bought, less is denied with both figures; without the setting it is bought."""
    given = means(total, own="10000")
    found = size(symbol="F", price=Decimal(10), votes=1, means=given, config=DEFAULT)
    if bought is not None:
        assert isinstance(found, Sized)
        assert found.shares == bought
        return
    assert isinstance(found, Denied)
    assert found.code == "SIZE_TOO_SMALL"
    assert "leaves 249.90 USD (equity counts as 2,499.00 USD, not 10,000.00" in found.text
    assert "less than 25 % of the intended 1,000.00 USD" in found.text
    free = size(symbol="F", price=Decimal(10), votes=1, means=given, config=config(sizing__least_pct=0))
    assert isinstance(free, Sized)


@given(price=PRICE, total=MONEY, votes=st.integers(1, 4))
def test_whole_shares_and_the_largest_order_alone_are_never_too_small(
    price: Decimal, total: Decimal, votes: int
) -> None:
    """In an account whose equity is all free only the smallest position and a share's price deny, at any setting."""
    given = means(str(total))
    tightest = config(sizing__least_pct=50)
    found = size(symbol="X", price=price, votes=votes, means=given, config=tightest)
    loosest = size(symbol="X", price=price, votes=votes, means=given, config=config(sizing__least_pct=0))
    assert isinstance(found, Sized) is isinstance(loosest, Sized)


def test_more_capital_than_the_account_has_intends_no_more_than_it_has() -> None:
    """Capital that is set higher than the account's value makes no size too small: it is measured on the account."""
    known = facts(capital=Decimal(100_000), balance=balance("5000"), limit_price=Decimal(10), quote=quote("10"))
    assert known.means is not None
    assert known.means.own == known.means.equity == 5_000
    found = size(symbol="IBM", price=Decimal(10), votes=1, means=known.means, config=DEFAULT)
    assert isinstance(found, Sized)
    assert found.shares == 50


def test_equity_does_not_shrink_by_investing() -> None:
    """Cash that became shares still counts, profit counts, and the broker's figure is the ceiling."""
    own, half = Decimal(10_000), Decimal(5_000)
    assert equity(own=own, usable=own, invested=Decimal(0)) == own
    assert equity(own=own + 100, usable=own + half, invested=half) == own + 100
    assert equity(own=own, usable=half, invested=Decimal(1000)) == 6000
    assert equity(own=Decimal(-5), usable=own, invested=Decimal(0)) == 0
