"""Accounts, balance, portfolio: quirks accepted, money never guessed."""

import copy
import json
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.brokerage import Account, Balance, Holding
from shared.errors import Unreadable
from shared.etrade import parse_accounts
from tests.etrade import samples
from tests.etrade.world import START


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def balance(**changes: object) -> bytes:
    """Give the balance sample with changed keys; None removes one, at whatever depth it is."""
    body: dict[str, Any] = copy.deepcopy(samples.BALANCE)["BalanceResponse"]
    for key, value in changes.items():
        place = body["Computed"] if key in body["Computed"] else body
        if value is None:
            del place[key]
        else:
            place[key] = value
    return raw({"BalanceResponse": body})


def test_a_captured_account_is_read() -> None:
    """An account as captured gives its key, with the leading hyphen, its number, mode and state."""
    assert parse_accounts.accounts(raw(samples.ACCOUNTS)) == (
        Account(key="-invented_accountkey-x", number="00000001", mode="CASH", active=True),
    )


@pytest.mark.parametrize("key", ["accountId", "accountIdKey", "accountMode", "accountStatus"])
def test_an_account_without_its_names_is_unreadable(key: str) -> None:
    """An account that lacks its key, number, mode or status makes the list Unreadable."""
    body = copy.deepcopy(samples.ACCOUNTS)
    del body["AccountListResponse"]["Accounts"]["Account"][0][key]
    with pytest.raises(Unreadable):
        parse_accounts.accounts(raw(body))


def test_a_closed_account_is_not_active() -> None:
    """An account whose status is CLOSED is not active, and one alone may come outside a list."""
    account = samples.ACCOUNTS["AccountListResponse"]["Accounts"]["Account"][0] | {"accountStatus": "CLOSED"}
    found = parse_accounts.accounts(raw({"AccountListResponse": {"Accounts": {"Account": account}}}))
    assert [item.active for item in found] == [False]


def test_a_captured_balance_is_read() -> None:
    """A margin balance as captured gives exact figures and spends its cash buying power."""
    found = parse_accounts.balance(balance(), at=START)
    assert found == Balance(
        at=START,
        account_mode="MARGIN",
        settled_cash=Decimal(0),
        cash_buying_power=Decimal("7685.52"),
        account_value=Decimal("37645.27"),
    )
    assert found.usable == Decimal("7685.52")


def test_a_cash_account_may_lack_buying_power() -> None:
    """A cash account needs its settled cash only."""
    body = balance(accountMode="CASH", settledCashForInvestment="301.44", cashBuyingPower=None)
    assert parse_accounts.balance(body, at=START).usable == Decimal("301.44")


@pytest.mark.parametrize(
    "changes",
    [
        {"cashBuyingPower": None},
        {"accountMode": "CASH", "settledCashForInvestment": None},
        {"accountMode": None},
        {"RealTimeValues": {}},
        {"cashBuyingPower": "much"},
        {"cashBuyingPower": True},
        {"Computed": None},
        {"Computed": []},
    ],
)
def test_a_balance_that_would_be_a_guess_is_unreadable(changes: dict[str, object]) -> None:
    """A balance without the figure of its mode, its mode or its value is Unreadable."""
    with pytest.raises(Unreadable):
        parse_accounts.balance(balance(**changes), at=START)


def test_positions_become_holdings() -> None:
    """Stock positions are read with their sign; options and funds of the same name are not shares."""
    option = samples.position(3, "AAPL", 2) | {"Product": {"symbol": "AAPL", "securityType": "OPTN"}}
    page = parse_accounts.portfolio(
        raw(samples.portfolio(samples.position(1, "LAZR", 200), samples.position(2, "RIOT", -5), option, pages=3))
    )
    assert page.pages == 3
    assert parse_accounts.holdings(page.positions) == (
        Holding(symbol="LAZR", quantity=200, cost_per_share=Decimal("29.9052")),
        Holding(symbol="RIOT", quantity=-5, cost_per_share=Decimal("29.9052")),
    )


def test_positions_of_one_symbol_are_joined() -> None:
    """Two positions in one symbol are one holding at their mean cost, and a row seen twice counts once."""
    rows = (
        samples.position(1, "AAPL", 10, costPerShare=100),
        samples.position(2, "AAPL", 30, costPerShare=120),
        samples.position(1, "AAPL", 10, costPerShare=100),
    )
    page = parse_accounts.portfolio(raw(samples.portfolio(*rows)))
    assert parse_accounts.holdings(page.positions) == (
        Holding(symbol="AAPL", quantity=40, cost_per_share=Decimal(115)),
    )


def test_a_fraction_of_a_share_is_cut_off() -> None:
    """A holding of 10.7 shares has 10, and one of 0.7 stays visible with none."""
    rows = (samples.position(1, "AAPL", 10.7), samples.position(2, "MSFT", 0.7))
    page = parse_accounts.portfolio(raw(samples.portfolio(*rows)))
    assert [item.quantity for item in parse_accounts.holdings(page.positions)] == [10, 0]


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": None},
        {"quantity": "many"},
        {"positionId": None},
        {"positionId": 1.5},
        {"costPerShare": None, "pricePaid": None},
        {"Product": {"securityType": "EQ"}},
        {"Product": {"symbol": "AAPL"}},
    ],
)
def test_a_position_that_would_be_a_guess_is_unreadable(changes: dict[str, object]) -> None:
    """A position without quantity, id, cost, symbol or type makes the page Unreadable."""
    with pytest.raises(Unreadable):
        parse_accounts.portfolio(raw(samples.portfolio(samples.position(1, "AAPL", 1) | changes)))
