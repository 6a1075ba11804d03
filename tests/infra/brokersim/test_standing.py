"""What the simulated broker says of an account besides its money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from infra.brokersim.account import CASH_ACCOUNT_KEY, MARGIN_ACCOUNT_KEY
from infra.brokersim.standing import Standing
from tests.infra.brokersim.world import World, world

ACCOUNT = f"/v1/accounts/{CASH_ACCOUNT_KEY}"


def balance(one: World, account: str = CASH_ACCOUNT_KEY) -> Any:
    answer = one.get(f"/v1/accounts/{account}/balance.json", instType="BROKERAGE", realTimeNAV="true")
    return answer.json()["BalanceResponse"]


def test_a_plain_account_has_no_trouble() -> None:
    """Unless told otherwise there is no status, no call and nothing left out."""
    told = balance(world())
    assert (told["dayTraderStatus"], told["accountMode"]) == ("NO_PDT", "CASH")
    assert set(told["Computed"]["OpenCalls"].values()) == {0}
    assert told["Computed"]["RealTimeValues"]["totalAccountValue"] == 100_000.0


def test_status_and_calls_are_said_and_may_change() -> None:
    """A day trader status and open calls are said from the instant that they are set on."""
    one = world(standing=Standing(day_trader_status="PDT"))
    assert balance(one)["dayTraderStatus"] == "PDT"
    one.simulator.stand(Standing(calls={"houseCall": Decimal("12.50")}))
    told = balance(one)
    assert (told["dayTraderStatus"], told["Computed"]["OpenCalls"]["houseCall"]) == ("NO_PDT", 12.5)


def test_a_balance_may_lack_what_the_sandboxs_lack() -> None:
    """A balance without a mode or without real-time values has everything else."""
    told = balance(world(standing=Standing(leaves_out=frozenset({"accountMode", "RealTimeValues"}))))
    assert "accountMode" not in told
    assert "RealTimeValues" not in told["Computed"]
    assert told["Computed"]["settledCashForInvestment"] == 100_000.0


@pytest.mark.parametrize(("mode", "spends"), [("IRA", 98_998.0), ("PDT ACCOUNT", 99_998.0), ("CASH", 98_998.0)])
def test_the_modes_of_the_accounts_can_be_chosen(mode: str, spends: float) -> None:
    """List and balance say the mode; an account without margin waits a trading day for the proceeds of a sale."""
    one = world(cash_mode=mode)
    listed = one.get("/v1/accounts/list.json").json()["AccountListResponse"]["Accounts"]["Account"]
    assert (listed[0]["accountMode"], balance(one)["accountMode"]) == (mode, mode)
    one.buy()
    one.clock.forward(2)
    one.buy(clientOrderId="order2", orderAction="SELL", limitPrice="10.00")
    one.clock.forward(2)
    told = balance(one)["Computed"]
    assert (told["cashBuyingPower"], told["settledCashForInvestment"]) == (spends, 98_998.0)


@pytest.mark.parametrize(("restricted", "sells"), [("buys", True), ("all", False)])
def test_a_restricted_account_is_refused_with_1036(restricted: Any, sells: bool) -> None:
    """A restriction refuses previews and places of buys, or of everything, with its code; cancels go on."""
    one = world()
    one.buy()
    resting = one.buy(clientOrderId="order2", limitPrice="9.00")
    one.clock.forward(2)
    preview_id = one.preview(clientOrderId="order3").json()["PreviewOrderResponse"]["PreviewIds"][0]["previewId"]
    one.simulator.stand(Standing(restricted=restricted))
    assert one.preview(clientOrderId="order4").json()["Error"]["code"] == 1036
    one.clock.forward(1.5)
    assert one.place(preview_id, clientOrderId="order3").json()["Error"]["code"] == 1036
    sale = one.preview(clientOrderId="order5", orderAction="SELL", limitPrice="10.00")
    assert (sale.status_code == 200) is sells
    one.clock.forward(1.5)
    assert one.cancel(resting).status_code == 200


def test_a_preview_says_what_stands_beside_its_yes() -> None:
    """A purchase after a loss in its symbol is warned of with 7084, one of a warned account with 1036."""
    one = world()
    one.buy()
    one.clock.forward(2)
    assert "messages" not in one.preview(clientOrderId="order2").json()["PreviewOrderResponse"]["Order"][0]
    one.buy(clientOrderId="order3", orderAction="SELL", limitPrice="10.00")
    one.clock.forward(2)
    one.simulator.stand(Standing(warned=True))
    told = one.preview(clientOrderId="order4").json()["PreviewOrderResponse"]["Order"][0]["messages"]["Message"]
    assert [row["code"] for row in told] == [1036, 7084]


def test_earlier_day_trades_are_listed_on_their_days() -> None:
    """Day trades of the days before are in the list of those days, and neither in the money nor in today's list."""
    one = world(earlier_day_trades=3)
    for key in (CASH_ACCOUNT_KEY, MARGIN_ACCOUNT_KEY):
        orders = f"/v1/accounts/{key}/orders.json"
        told = one.get(orders, fromDate="10012013", toDate="10082013").json()["OrdersResponse"]["Order"]
        sides = [row["OrderDetail"][0]["Instrument"][0]["orderAction"] for row in told]
        assert sides == ["SELL", "BUY"] * 3
        assert one.get(orders, fromDate="10072013", toDate="10082013").status_code == 204
    assert one.simulator.ledger()["cash"] == "100000"
    assert one.simulator.ledger()["orders"] == []
