"""Accounts, balances and positions (fact sheet, sections 3.1-3.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from infra.brokersim.account import CASH_ACCOUNT_KEY, CLOSED_ACCOUNT_KEY, MARGIN_ACCOUNT_KEY
from tests.infra.brokersim.world import ListedMarket, World, quiet, row, world

ACCOUNT = f"/v1/accounts/{CASH_ACCOUNT_KEY}"


def computed(one: World, **params: str) -> Any:
    answer = one.get(f"{ACCOUNT}/balance.json", instType="BROKERAGE", **params)
    return answer.json()["BalanceResponse"]["Computed"]


def test_the_owner_has_a_cash_a_margin_and_a_closed_account() -> None:
    """The owner has a cash a margin and a closed account."""
    accounts = world().get("/v1/accounts/list.json").json()["AccountListResponse"]["Accounts"]["Account"]
    told = [(account["accountIdKey"], account["accountMode"], account["accountStatus"]) for account in accounts]
    assert told == [
        (CASH_ACCOUNT_KEY, "CASH", "ACTIVE"),
        (MARGIN_ACCOUNT_KEY, "MARGIN", "ACTIVE"),
        (CLOSED_ACCOUNT_KEY, "CASH", "CLOSED"),
    ]
    assert all(len(account["accountIdKey"]) == 22 for account in accounts)
    assert accounts[0]["accountIdKey"].startswith("-")


@pytest.mark.parametrize(
    ("path", "code"), [("/v1/accounts/00000001/balance.json", 102), (f"{ACCOUNT}/balance.json", 7002)]
)
def test_a_balance_needs_the_key_and_the_institution(path: str, code: int) -> None:
    """A balance needs the key and the institution."""
    answer = world().get(path)
    assert (answer.status_code, answer.json()["Error"]["code"]) == (400, code)


def test_a_resting_buy_reserves_its_limit_and_gives_it_back_when_cancelled() -> None:
    """A resting buy reserves its limit and gives it back when cancelled."""
    one = world()
    order_id = one.buy(limitPrice="9.00")
    assert computed(one)["cashBuyingPower"] == 99_100.0
    assert computed(one)["netCash"] == 100_000.0
    one.clock.forward(1)
    one.cancel(order_id)
    one.clock.forward(2)
    assert computed(one)["cashBuyingPower"] == 100_000.0


def test_proceeds_of_a_sell_settle_on_the_next_trading_day() -> None:
    """Proceeds of a sell settle on the next trading day."""
    one = world()
    one.buy()
    one.clock.forward(2)
    one.buy(clientOrderId="order2", orderAction="SELL", limitPrice="10.00")
    one.clock.forward(2)
    told = computed(one, realTimeNAV="true")
    assert (told["netCash"], told["settledCashForInvestment"], told["unSettledCashForInvestment"]) == (
        99_998.0,
        98_998.0,
        1_000.0,
    )
    assert told["cashBuyingPower"] == 98_998.0
    assert told["RealTimeValues"]["totalAccountValue"] == 99_998.0
    one.clock.forward(24 * 3_600)
    assert one.simulator.ledger()["settled_cash"] == "99998.00"


def test_no_positions_is_an_empty_204() -> None:
    """No positions is an empty 204."""
    answer = world().get(f"{ACCOUNT}/portfolio.json")
    assert (answer.status_code, answer.content) == (204, b"")


def test_positions_are_valued_at_the_last_price_and_come_in_pages() -> None:
    """Positions are valued at the last price and come in pages."""
    one = world(quiet("ZXAA", "ZXAB", "ZXAC"), starting_cash=Decimal(10_000))
    for number, symbol in enumerate(("ZXAC", "ZXAA", "ZXAB")):
        one.buy(symbol=symbol, clientOrderId=f"order{number}")
        one.clock.forward(1)
    first = one.get(f"{ACCOUNT}/portfolio.json", count="2", totalsRequired="true").json()["PortfolioResponse"]
    own = first["AccountPortfolio"][0]
    assert [position["Product"]["symbol"] for position in own["Position"]] == ["ZXAA", "ZXAB"]
    assert (own["totalPages"], own["nextPageNo"]) == (2, "2")
    assert own["Position"][0]["totalGain"] == -2.0
    assert own["Position"][0]["Quick"]["lastTrade"] == 10.0
    assert first["Totals"]["totalMarketValue"] == 3_000.0
    last = one.get(f"{ACCOUNT}/portfolio.json", count="2", pageNumber="2").json()["PortfolioResponse"]
    assert [position["Product"]["symbol"] for position in last["AccountPortfolio"][0]["Position"]] == ["ZXAC"]
    assert "nextPageNo" not in last["AccountPortfolio"][0]


def test_the_margin_account_has_a_book_of_its_own() -> None:
    """The margin account has a book of its own."""
    one = world()
    preview = one.preview(account=MARGIN_ACCOUNT_KEY).json()["PreviewOrderResponse"]
    assert "marginBpDetails" in preview
    one.clock.forward(1.5)
    one.place(preview["PreviewIds"][0]["previewId"], account=MARGIN_ACCOUNT_KEY)
    one.clock.forward(2)
    assert one.simulator.ledger(MARGIN_ACCOUNT_KEY)["positions"] == {"ZXAA": 100}
    assert one.simulator.ledger()["positions"] == {}


def test_the_closed_account_takes_no_orders() -> None:
    """The closed account takes no orders."""
    assert world().preview(account=CLOSED_ACCOUNT_KEY).json()["Error"]["code"] == 1036


def test_average_cost_decides_the_realized_profit() -> None:
    """Average cost decides the realized profit."""
    rows = [row(-9_000, "10.00", "10.02"), row(20, "10.98", "11.00"), row(40, "12.00", "12.02")]
    one = world(ListedMarket({"ZXAA": rows}))
    one.buy()
    one.clock.forward(20)
    one.buy(clientOrderId="order2", limitPrice="11.00")
    one.clock.forward(20)
    one.buy(clientOrderId="order3", orderAction="SELL", limitPrice="12.00", quantity=50)
    one.clock.forward(2)
    assert one.simulator.ledger()["realized_pnl"] == "74.50"  # 50 x (12.00 - (10.02 + 11.00) / 2)
