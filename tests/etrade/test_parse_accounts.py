"""Accounts, balance, portfolio: quirks accepted, money never guessed."""

import copy
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.broker.brokerage import Account, Balance, Holding
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
            place.pop(key, None)
        else:
            place[key] = value
    return raw({"BalanceResponse": body})


def test_a_captured_account_is_read() -> None:
    """An account as captured gives its key, with the leading hyphen, its number, mode and state."""
    assert parse_accounts.accounts(raw(samples.ACCOUNTS)) == (
        Account(key="-invented_accountkey-x", number="00000001", mode="CASH", active=True),
    )


@pytest.mark.parametrize("key", ["accountId", "accountIdKey", "accountMode", "accountStatus"])
def test_an_account_names_what_it_lacks_and_hides_no_other(key: str) -> None:
    """An account without its key, number, mode or status names that, is read otherwise, and the next one is whole."""
    body = copy.deepcopy(samples.ACCOUNTS)
    rows = body["AccountListResponse"]["Accounts"]["Account"]
    rows.append(dict(rows[0]))
    del rows[0][key]
    odd, whole = parse_accounts.accounts(raw(body))
    assert (odd.odd, whole.odd) == ((key,), ())
    assert whole == Account(key="-invented_accountkey-x", number="00000001", mode="CASH", active=True)
    assert odd.active == (key != "accountStatus")


def test_a_row_that_is_no_account_hides_none() -> None:
    """A number where an account belongs is an account of which nothing is known."""
    rows = [7, *samples.ACCOUNTS["AccountListResponse"]["Accounts"]["Account"]]
    odd, whole = parse_accounts.accounts(raw({"AccountListResponse": {"Accounts": {"Account": rows}}}))
    assert (odd.key, odd.active, len(odd.odd), whole.odd) == ("", False, 4, ())


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
        day_trader_status="NO_PDT",
    )
    assert found.usable == Decimal("7685.52")


def test_a_cash_account_may_lack_buying_power() -> None:
    """A cash account needs its settled cash only."""
    body = balance(accountMode="CASH", settledCashForInvestment="301.44", cashBuyingPower=None)
    assert parse_accounts.balance(body, at=START).usable == Decimal("301.44")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"cashBuyingPower": None}, "balance: cashBuyingPower is missing"),
        ({"accountMode": "CASH", "settledCashForInvestment": None}, "balance: settledCashForInvestment is missing"),
        ({"accountMode": "IRA", "settledCashForInvestment": ""}, "balance: settledCashForInvestment is missing"),
        ({"accountMode": "FUTURES", "settledCashForInvestment": None}, "balance: settledCashForInvestment is missing"),
        ({"cashBuyingPower": "much"}, "balance: cashBuyingPower is not a usable number"),
        ({"cashBuyingPower": True}, "balance: cashBuyingPower is not a usable number"),
        ({"Computed": None}, "balance: cashBuyingPower is missing"),
        ({"Computed": []}, "computed is not an object"),
    ],
)
def test_a_balance_that_would_be_a_guess_is_unreadable(changes: dict[str, object], named: str) -> None:
    """A balance without the figure that its mode spends is Unreadable, and the error names the figure."""
    with pytest.raises(Unreadable, match=named):
        parse_accounts.balance(balance(**changes), at=START)


@pytest.mark.parametrize("mode", ["MARGIN", "PDT ACCOUNT", "PDT_ACCOUNT", "regt", "REG T", "PM_ACCOUNT"])
def test_a_margin_account_spends_its_cash_buying_power(mode: str) -> None:
    """Every mode that has margin spends cash buying power, however it is written, and needs no settled cash."""
    body = balance(accountMode=mode, settledCashForInvestment=None, cashBuyingPower="12.50")
    assert parse_accounts.balance(body, at=START).usable == Decimal("12.50")


@pytest.mark.parametrize("mode", ["CASH", "IRA", "ROTHIRA", "SAVINGS", "SOMETHING NEW", 7])
def test_every_other_account_spends_settled_cash(mode: object) -> None:
    """Every mode that is not known to have margin spends settled cash, and needs no buying power."""
    body = balance(accountMode=mode, settledCashForInvestment="301.44", cashBuyingPower=None)
    assert parse_accounts.balance(body, at=START).usable == Decimal("301.44")


@pytest.mark.parametrize("value", [{}, None, [], {"totalAccountValue": "much"}, {"totalAccountValue": None}])
def test_a_balance_without_the_accounts_value_is_read(value: object) -> None:
    """What the whole account is worth decides nothing that it can spend: left out or odd, it is not known."""
    found = parse_accounts.balance(balance(RealTimeValues=value), at=START)
    assert (found.account_value, found.usable) == (None, Decimal("7685.52"))


@pytest.mark.parametrize(
    ("mode", "lacks", "named"),
    [
        ("", None, None),
        ("", "settledCashForInvestment", "settledCashForInvestment"),
        ("MARGIN", "settledCashForInvestment", None),
        ("MARGIN", "cashBuyingPower", "cashBuyingPower"),
        ("CASH", "cashBuyingPower", None),
    ],
)
def test_a_balance_without_a_mode_takes_that_of_the_account_list(
    mode: str, lacks: str | None, named: str | None
) -> None:
    """A balance that names no mode is read, and says what is missing once the account list has named it."""
    changes = {"accountMode": None} | ({lacks: None} if lacks else {})
    found = parse_accounts.balance(balance(**changes), at=START)
    assert found.account_mode == ""
    assert replace(found, account_mode=mode).lacks == named


@pytest.mark.parametrize(
    ("calls", "named"),
    [
        ({"fedCall": 0, "houseCall": "0.00", "cashCall": None, "minEquityCall": ""}, ()),
        ({"fedCall": 0, "houseCall": 12.5}, ("houseCall",)),
        ({"fedCall": -1, "cashCall": "0.01"}, ("cashCall", "fedCall")),
        ({"minEquityCall": "some"}, ("minEquityCall",)),
        ({}, ()),
        (None, ()),
        ([1], ("OpenCalls",)),
    ],
)
def test_open_calls_are_named(calls: object, named: tuple[str, ...]) -> None:
    """A call that is not surely zero is open; one that is left out is none."""
    found = parse_accounts.balance(balance(OpenCalls=calls, dayTraderStatus="PDT"), at=START)
    assert (found.calls, found.day_trader_status) == (named, "PDT")


def test_positions_become_holdings() -> None:
    """Stock positions are read with their sign; an option of the same name is seen, and is no shares."""
    option = samples.position(3, "AAPL", 2) | {"Product": {"symbol": "AAPL", "securityType": "OPTN"}}
    page = parse_accounts.portfolio(
        raw(samples.portfolio(samples.position(1, "LAZR", 200), samples.position(2, "RIOT", -5), option, pages=3))
    )
    assert page.pages == 3
    assert parse_accounts.holdings(page.positions) == (
        Holding(symbol="LAZR", quantity=200, cost_per_share=Decimal("29.9052")),
        Holding(symbol="RIOT", quantity=-5, cost_per_share=Decimal("29.9052")),
        Holding(symbol="AAPL", quantity=0, cost_per_share=None, odd=("securityType",)),
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
    """A holding of 10.7 shares has 10, and one of 0.7 stays visible with none; both are odd."""
    rows = (samples.position(1, "AAPL", 10.7), samples.position(2, "MSFT", 0.7))
    page = parse_accounts.portfolio(raw(samples.portfolio(*rows)))
    found = [(item.quantity, item.odd) for item in parse_accounts.holdings(page.positions)]
    assert found == [(10, ("quantity",)), (0, ("quantity",))]


@pytest.mark.parametrize(
    ("changes", "odd"),
    [
        ({"quantity": None}, "quantity"),
        ({"quantity": "many"}, "quantity"),
        ({"quantity": 10**18}, "quantity"),
        ({"positionId": None}, "positionId"),
        ({"positionId": 1.5}, "positionId"),
        ({"Product": {"securityType": "EQ"}}, "symbol"),
        ({"Product": {"symbol": "AAPL"}}, "securityType"),
        ({"Product": {"symbol": "AAPL", "securityType": "OPTN"}}, "securityType"),
        ({"Product": None}, "symbol"),
    ],
)
def test_an_odd_position_is_named_and_hides_no_other(changes: dict[str, object], odd: str) -> None:
    """A row that is no whole shares, or cannot be read, is the owner's and named; no other row is touched by it."""
    rows = (samples.position(2, "MSFT", 3), samples.position(1, "AAPL", 1) | changes, samples.position(3, "LAZR", 4))
    found = parse_accounts.holdings(parse_accounts.portfolio(raw(samples.portfolio(*rows))).positions)
    assert [(one.symbol, one.quantity, one.odd) for one in (found[0], found[-1])] == [("MSFT", 3, ()), ("LAZR", 4, ())]
    assert odd in found[1].odd


def test_a_position_without_a_cost_is_held_all_the_same() -> None:
    """Nothing rests on the cost: a null one, or one that cannot be read, makes no row odd."""
    rows = (
        samples.position(1, "XFER", 100, costPerShare=None, pricePaid=None),
        samples.position(2, "KEPT", 5, costPerShare="dear"),
    )
    found = parse_accounts.holdings(parse_accounts.portfolio(raw(samples.portfolio(*rows))).positions)
    assert found == (
        Holding(symbol="XFER", quantity=100, cost_per_share=None),
        Holding(symbol="KEPT", quantity=5, cost_per_share=None),
    )


def test_a_bond_without_a_symbol_is_no_shares_of_anything() -> None:
    """What is known to be no shares and names no symbol is left out; a row of no known type is not."""
    bond = samples.position(1, "", 5) | {"Product": {"securityType": "BOND"}}
    page = parse_accounts.portfolio(raw(samples.portfolio(bond, {})))
    (unknown,) = parse_accounts.holdings(page.positions)
    assert (unknown.symbol, unknown.quantity, unknown.uncounted) == ("", 0, True)


def test_the_row_that_can_be_read_counts_once() -> None:
    """A position that two pages have is the one that can be read fully."""
    rows = (samples.position(1, "AAPL", 10) | {"quantity": None}, samples.position(1, "AAPL", 10))
    page = parse_accounts.portfolio(raw(samples.portfolio(*rows)))
    assert [(one.quantity, one.odd) for one in parse_accounts.holdings(page.positions)] == [(10, ())]


@pytest.mark.parametrize("number", [0, 7])
def test_two_lots_under_one_id_are_never_taken_for_one_that_is_smaller(number: int) -> None:
    """Where rows of one symbol share an id and differ, the holding does not tell how many shares there are."""
    rows = (samples.position(number, "AAPL", 50), samples.position(number, "AAPL", 49))
    (found,) = parse_accounts.holdings(parse_accounts.portfolio(raw(samples.portfolio(*rows))).positions)
    assert found.uncounted


def test_two_symbols_under_one_id_are_both_held() -> None:
    """An id that two positions share, such as a zero for none, hides neither."""
    rows = (samples.position(0, "AAPL", 10), samples.position(0, "MSFT", 3))
    page = parse_accounts.portfolio(raw(samples.portfolio(*rows)))
    assert [(one.symbol, one.quantity) for one in parse_accounts.holdings(page.positions)] == [
        ("AAPL", 10),
        ("MSFT", 3),
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"Position": "none"},
        {"totalPages": "x", "Position": []},
        {"next": "https://example.invalid/next", "Position": []},
    ],
)
def test_a_page_that_may_hide_rows_is_unreadable(part: dict[str, object]) -> None:
    """A page whose rows or whose number of pages cannot be read is no whole portfolio."""
    with pytest.raises(Unreadable):
        parse_accounts.portfolio(raw({"PortfolioResponse": {"AccountPortfolio": [part]}}))
