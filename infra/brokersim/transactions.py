"""Spells what an account did, one transaction for each fill (fact sheet, section 3.4).

A marker is the last row of a page, and the page after it begins with that row again: so says the code of a public
client (etrade-python), and no other source.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from infra.brokersim.account import Account
from infra.brokersim.order_views import day_of
from infra.brokersim.orders import Action, Fill
from infra.brokersim.tape import NEW_YORK, new_york
from infra.brokersim.views import milliseconds, money, number_in
from infra.brokersim.wire import Answer, Refused, Request, json_answer, nothing_found

_MOST = 50


def transaction_list(account: Account, request: Request, url: str) -> Answer:
    """One page of transactions, newest first unless told otherwise; `marker` also on the last page, 204 for none."""
    query = request.query
    count = number_in(query, "count", _MOST)
    if count > _MOST:
        raise Refused("Invalid count.", code=2005)
    rows = [row for row in _rows(account) if _within(query, row[1].at)]
    if _sort_order(query) == "DESC":
        rows.reverse()
    rows = _from_marker(rows, query.get("marker", ""))
    if not rows:
        return nothing_found()
    page, path = rows[:count], f"{url}/v1/accounts/{account.key}/transactions{request.suffix}"
    marker = _marker(*page[-1])
    content = {
        "next": f"{path}?count={count}&marker={marker}",
        "marker": marker,
        "pageMarkers": "",
        "moreTransactions": len(rows) > count,
        "transactionCount": len(page),
        "totalCount": len(rows),
        "Transaction": [_row(account, number, fill, f"{path}/{number}?storeId=0") for number, fill in page],
    }
    return json_answer({"TransactionListResponse": content})


def transaction_details(account: Account, number: str) -> Answer:
    """One transaction, its id as a number; 400 with code 1001 for an unknown one."""
    fill = dict(_rows(account)).get(number)
    if fill is None:
        raise Refused("Invalid transaction id.", code=1001)
    brokerage = {
        "transactionType": _kind(fill),
        **_trade(fill),
        "memo": "",
        "checkNo": "",
        "orderNo": str(fill.order_id),
        "Product": {"symbol": fill.ticket.symbol, "securityType": "EQ"},
    }
    content = {
        "transactionId": int(number),
        "accountId": account.account_id,
        "transactionDate": _midnight(fill.at.astimezone(NEW_YORK).date()),
        "amount": _amount(fill),
        "description": _description(fill),
        "Category": {"categoryId": "0", "parentId": "0", "categoryName": "", "parentName": ""},
        "Brokerage": brokerage,
    }
    return json_answer({"TransactionDetailsResponse": content})


def _rows(account: Account) -> list[tuple[str, Fill]]:
    """Each fill with the id of its transaction, oldest first: its day, of five digits, a 1, and which one it was."""
    return [
        (f"{fill.at.astimezone(NEW_YORK):%y%j}1{place:08}", fill) for place, fill in enumerate(account.fills, start=1)
    ]


def _row(account: Account, number: str, fill: Fill, details: str) -> dict[str, Any]:
    day, symbol = fill.at.astimezone(NEW_YORK).date(), fill.ticket.symbol
    brokerage = {
        "product": {"symbol": symbol, "securityType": "EQ"},
        **_trade(fill),
        "displaySymbol": symbol,
        "settlementDate": _midnight(account.settles(day)),
    }
    return {
        "transactionId": number,
        "accountId": account.account_id,
        "transactionDate": _midnight(day),
        "postDate": _midnight(day),
        "amount": _amount(fill),
        "description": _description(fill),
        "description2": "",
        "transactionType": _kind(fill),
        "memo": "",
        "imageFlag": False,
        "instType": "BROKERAGE",
        "storeId": 0,
        "brokerage": brokerage,
        "detailsURI": details,
    }


def _trade(fill: Fill) -> dict[str, Any]:
    """What list and details have in common: the shares, negative for a sell, and their price."""
    shares = fill.quantity if fill.ticket.action is Action.BUY else -fill.quantity
    price = money(fill.price, "0.0001")
    return {"quantity": shares, "price": price, "settlementCurrency": "USD", "paymentCurrency": "USD", "fee": 0.0}


def _amount(fill: Fill) -> float:
    """Dollars that came in, negative for a purchase."""
    amount = fill.price * fill.quantity
    return money(-amount if fill.ticket.action is Action.BUY else amount)


def _kind(fill: Fill) -> str:
    return "Bought" if fill.ticket.action is Action.BUY else "Sold"


def _description(fill: Fill) -> str:
    return f"{fill.quantity} {fill.ticket.symbol} COM"


def _midnight(day: date) -> int:
    return milliseconds(new_york(day, time(0)))


def _marker(number: str, fill: Fill) -> str:
    return f"{number}_{int(fill.at.timestamp())}"


def _from_marker(rows: list[tuple[str, Fill]], marker: str) -> list[tuple[str, Fill]]:
    """The rows from the one that a marker names; Refused for a marker of none of them."""
    if not marker:
        return rows
    for place, row in enumerate(rows):
        if _marker(*row) == marker:
            return rows[place:]
    raise Refused("Invalid marker.", code=101)


def _sort_order(query: Mapping[str, str]) -> str:
    order = query.get("sortOrder", "DESC")
    if order not in ("ASC", "DESC"):
        raise Refused("Invalid sort order.", code=2007)
    return order


def _within(query: Mapping[str, str], at: datetime) -> bool:
    day = at.astimezone(NEW_YORK).date()
    start, end = query.get("startDate"), query.get("endDate")
    return (not start or day_of(start) <= day) and (not end or day <= day_of(end))
