"""A day's work with pyetrade against the simulator: `python -m tests.clients.scenario_pyetrade KEY SECRET`.

The client is as it was installed, and the environment leads its hosts to loopback. It asks for XML unless told
otherwise, and its orders are XML.
"""

import sys
from typing import Any

import pyetrade
from requests import HTTPError

from tests.clients.steps import SYMBOL, accept, tell, tries


def sign_in(key: str, secret: str) -> tuple[str, str, str, str]:
    """Sign in as a person does; the client does not encode the token in the address that it gives."""
    oauth = pyetrade.ETradeOAuth(key, secret)
    address = oauth.get_request_token()
    assert "+" in address
    try:
        accept(address)
    except ValueError:
        code = accept(address.replace("+", "%2B"))
    else:
        raise AssertionError("a token that was not encoded was understood")
    access = oauth.get_access_token(code)
    tell("sign in", "done, once the + in the client's address was encoded")
    return key, secret, access["oauth_token"], access["oauth_token_secret"]


def look_at_market(keys: tuple[str, str, str, str]) -> float:
    """Ask for quotes and look a symbol up; give what is asked for a share."""
    market = pyetrade.ETradeMarket(*keys, dev=False)
    in_xml = market.get_quote([SYMBOL], detail_flag="all")["QuoteResponse"]["QuoteData"]
    in_json = market.get_quote([SYMBOL, "ZXAA"], resp_format="json")["QuoteResponse"]["QuoteData"]
    assert in_xml["Product"] == in_json[0]["Product"] == {"symbol": SYMBOL, "securityType": "EQ"}
    assert [one["Product"]["symbol"] for one in in_json] == [SYMBOL, "ZXAA"]
    tell("quotes", "done")
    assert market.look_up_product(SYMBOL)["LookupResponse"]["Data"]["symbol"] == SYMBOL
    tell("lookup", "done")
    return float(in_xml["All"]["ask"])


def look_at_accounts(accounts: Any) -> str:
    """Ask for the accounts and a balance, in both forms; give the key of the cash account."""
    listed = accounts.list_accounts()["AccountListResponse"]["Accounts"]["Account"]
    again = accounts.list_accounts(resp_format="json")["AccountListResponse"]["Accounts"]["Account"]
    assert [one["accountIdKey"] for one in listed] == [one["accountIdKey"] for one in again]
    tell("accounts", "done")
    key = str(listed[0]["accountIdKey"])
    balance = accounts.get_account_balance(key)["BalanceResponse"]
    assert balance["accountMode"] == "CASH"
    assert float(balance["Computed"]["RealTimeValues"]["totalAccountValue"]) == 100_000
    tell("balance", "done")
    return key


def buy(orders: Any, account: str, ask: float) -> None:
    """Preview and place a purchase that fills, and wait for it in the list."""
    wanted = _order(account, "bought", quantity=3, price=round(ask * 1.02, 2))
    previewed = orders.preview_equity_order(**wanted)["PreviewOrderResponse"]
    assert previewed["Order"]["Instrument"]["Product"]["symbol"] == SYMBOL
    tell("preview", "done")
    placed = orders.place_equity_order(**wanted, previewId=previewed["PreviewIds"]["previewId"])
    number = placed["PlaceOrderResponse"]["OrderIds"]["orderId"]
    tell("place", "done")
    assert _status(orders, account, number) == "EXECUTED"
    assert orders.list_orders(account, resp_format="xml")["OrdersResponse"]["Order"]["orderId"] == number
    tell("list", "done")
    one = orders.list_order_details(account, number, resp_format="xml")["OrdersResponse"]["Order"]
    assert one["Events"]["Event"][0]["name"] == "ORDER_PLACED"
    tell("one order", "done")


def look_at_book(accounts: Any, account: str) -> None:
    """Ask for what is held, and for what was done."""
    position = accounts.get_account_portfolio(account)["PortfolioResponse"]["AccountPortfolio"]["Position"]
    assert (position["Product"]["symbol"], position["quantity"]) == (SYMBOL, "3")
    tell("portfolio", "done")
    done = accounts.list_transactions(account)["TransactionListResponse"]
    assert (done["moreTransactions"], done["Transaction"]["brokerage"]["quantity"]) == ("false", "3")
    tell("transactions", "done")
    number = done["Transaction"]["transactionId"]
    assert accounts.list_transaction_details(account, number)["TransactionDetailsResponse"]["transactionId"] == number
    tell("one transaction", "done")


def change_and_cancel(orders: Any, account: str, ask: float) -> None:
    """Place a purchase that rests, change its price, and cancel what it became."""
    wanted = _order(account, "rests", quantity=2, price=round(ask / 2, 2))
    first = orders.place_equity_order(**wanted)["PlaceOrderResponse"]["OrderIds"]["orderId"]
    wanted = _order(account, "changed", quantity=1, price=round(ask / 3, 2))
    previewed = orders.change_preview_equity_order(account, first, **wanted)["PreviewOrderResponse"]
    tell("preview a change", "done")
    preview_id = previewed["PreviewIds"]["previewId"]
    changed = orders.place_changed_equity_order(**wanted, orderId=first, previewId=preview_id)
    second = changed["PlaceOrderResponse"]["OrderIds"]["orderId"]
    old = orders.list_order_details(account, first)["OrdersResponse"]["Order"][0]["OrderDetail"][0]
    assert (old["status"], old["replacedByOrderId"]) == ("CANCELLED", int(second))
    tell("change", "done")
    assert orders.cancel_order(account, second)["CancelOrderResponse"]["orderId"] == second
    assert _status(orders, account, second) == "CANCELLED"
    tell("cancel", "done")


def _order(account: str, name: str, *, quantity: int, price: float) -> dict[str, object]:
    return {
        "accountIdKey": account,
        "symbol": SYMBOL,
        "orderAction": "BUY",
        "clientOrderId": name,
        "priceType": "LIMIT",
        "limitPrice": price,
        "quantity": quantity,
        "orderTerm": "GOOD_FOR_DAY",
        "marketSession": "REGULAR",
    }


def _status(orders: Any, account: str, number: str) -> str:
    """Wait until an order is over, and give its status."""
    for _ in tries():
        rows = orders.list_orders(account)["OrdersResponse"]["Order"]
        (status,) = (row["OrderDetail"][0]["status"] for row in rows if row["orderId"] == int(number))
        if status not in {"OPEN", "CANCEL_REQUESTED"}:
            return str(status)
    raise AssertionError("unreachable: tries() ends by itself")


def main(key: str, secret: str) -> None:
    """Play the whole scenario."""
    keys = sign_in(key, secret)
    ask = look_at_market(keys)
    accounts = pyetrade.ETradeAccounts(*keys, dev=False)
    account = look_at_accounts(accounts)
    orders = pyetrade.ETradeOrder(*keys, dev=False)
    buy(orders, account, ask)
    look_at_book(accounts, account)
    change_and_cancel(orders, account, ask)
    manager = pyetrade.ETradeAccessManager(*keys)
    assert manager.renew_access_token()
    tell("renew", "done")
    assert manager.revoke_access_token()
    try:
        accounts.list_accounts()
    except HTTPError as refused:
        if refused.response.status_code == 401:
            tell("revoke", "done")


if __name__ == "__main__":
    main(*sys.argv[1:])
